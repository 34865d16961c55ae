import { maxKnown, type KnownRepository, type KnownRevision } from '../../engine/protocol/known.ts'

/** What two of one repository know together: of each job on each host the newest, and of more than can be kept what was seen last. */
export function joinedKnown(one: KnownRepository | undefined, other: KnownRepository | undefined): KnownRepository | undefined {
  if (!one || !other || one.repositoryId !== other.repositoryId) return one ?? other
  const revisions = newest([...one.revisions, ...other.revisions], (a, b) => a.revision - b.revision || a.seenMs - b.seenMs)
  const floors = newest([...one.floors, ...other.floors], (a, b) => a.revision - b.revision)
  return { repositoryId: one.repositoryId, revisions: lastSeen(revisions), floors: floors.slice(0, maxKnown) }
}

/** Of each job the greatest, in the order in which they came. */
function newest<T extends { readonly jobKey: string }>(all: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  const byJob = new Map<string, T>()
  for (const one of all) {
    const known = byJob.get(one.jobKey)
    if (!known || compare(one, known) > 0) byJob.set(one.jobKey, one)
  }
  return [...byJob.values()]
}

function lastSeen(revisions: readonly KnownRevision[]): readonly KnownRevision[] {
  return revisions.length <= maxKnown ? revisions : revisions.toSorted((a, b) => b.seenMs - a.seenMs).slice(0, maxKnown)
}
