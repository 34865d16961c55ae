import type { HeldJob } from '../protocol/changes.ts'
import type { Annotations } from '../repository/protocol/annotations.ts'
import { annotationOf, readAnnotations } from '../repository/protocol/annotations.ts'
import type { SnapshotRef } from '../repository/protocol/names.ts'
import { listSnapshots, revisionOf, snapshotId, type DecisionCache, type ReadableSnapshot } from '../repository/protocol/snapshots.ts'
import { holdsOf, type Hold, type HoldCandidate } from '../snapshot/hold.ts'
import { unusualWords } from './backup/unusual.ts'
import type { OpenRepository } from './open.ts'

export interface HeldSnapshot extends HoldCandidate {
  readonly ref: SnapshotRef
}

/** What is held of these snapshots, by what was said about them. */
export function holdsAmong(entries: readonly Pick<ReadableSnapshot, 'manifest' | 'ref'>[], annotations: Annotations): readonly Hold<HeldSnapshot>[] {
  return holdsOf(entries.map(({ manifest, ref }): HeldSnapshot => {
    const { job, host, finishedMs, origin, unusual } = manifest
    return {
      id: snapshotId(manifest, ref), ref, job, host, revision: revisionOf({ manifest, ref }), finishedMs, fine: annotationOf(annotations, ref).fine === true,
      ...(origin ? { syncedFrom: origin.repository } : {}),
      ...(unusual ? { unusual } : {}),
    }
  }))
}

/** What is held in a repository. @param cache of snapshots that were read, or will be. Errors: those of the storage. */
export async function readHolds({ repository, memory }: Pick<OpenRepository, 'repository' | 'memory'>, cache: DecisionCache, signal: AbortSignal): Promise<readonly Hold<HeldSnapshot>[]> {
  const entries: ReadableSnapshot[] = []
  for await (const entry of listSnapshots(repository, { cache, memory }, signal)) if (entry.type === 'snapshot') entries.push(entry)
  if (!entries.some(({ manifest }) => manifest.unusual)) return []
  return holdsAmong(entries, await readAnnotations(repository, '', new Map(), signal))
}

/** As it is told. */
export function heldJob({ job, host, since, unusual }: Hold): HeldJob {
  const reasons = unusual.flatMap((each) => each.unusual ?? []).slice(0, 4)
  return { job, host, since: since.id, sinceMs: since.finishedMs, reasons, words: unusualWords(reasons) }
}
