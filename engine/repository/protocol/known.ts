import { assertNever, hasCode } from '../../base/errors.ts'
import type { KnownRevision } from '../../protocol/known.ts'
import type { Repository } from '../repository.ts'
import { isThere } from './listing.ts'
import { deletedName, expiredName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { readDecision } from './snapshots.ts'
import type { Decision } from './records.ts'

/** How the repository contradicts what was seen of a revision. */
export type Contradiction =
  /** There is nothing: a decided revision never vanishes (rule R6), so the storage shows an older state, or withholds it. */
  | 'gone'
  /** Another session's snapshot has its name: somebody wrote on from an older state. */
  | 'replaced'
  /** It was forgotten, and its snapshot is back. */
  | 'undone'

export function refOf({ jobKey, revision, suffix }: Pick<KnownRevision, 'jobKey' | 'revision' | 'suffix'>): SnapshotRef {
  return { jobKey, revision, suffix }
}

/**
 * Asks for one known revision by its name, since a listing may be late. A snapshot that was forgotten elsewhere, and whatever prunes did then, is no
 * contradiction: tombstones and flags stay. Nor is one that cannot be read: that is damage, and told as such.
 * @returns undefined when all is as it was seen, or as it may have become. Errors: those of the storage (offline is no answer).
 */
export async function contradictionOf(repository: Repository, known: KnownRevision, signal: AbortSignal): Promise<Contradiction | undefined> {
  const ref = refOf(known)
  const decision = await readOrDamaged(repository, ref, signal)
  if (decision === 'damaged') return undefined
  return repository.config.arbiter === 'cas' ? contradiction(known, decision) : contradictionUnderFlags(repository, known, decision, signal)
}

function contradiction({ state, nonce }: KnownRevision, decision: Decision | undefined): Contradiction | undefined {
  if (!decision) return 'gone'
  switch (decision.type) {
    case 'expired': return state === 'expired' ? undefined : 'replaced'
    case 'deleted': return state !== 'expired' && isSame(nonce, decision.nonce) ? undefined : 'replaced'
    case 'manifest':
      if (state === 'expired' || !isSame(nonce, decision.nonce)) return 'replaced'
      return state === 'deleted' ? 'undone' : undefined
    default: return assertNever(decision)
  }
}

/** Flags come before objects go, so they are asked for after them. */
async function contradictionUnderFlags(repository: Repository, known: KnownRevision, decision: Decision | undefined, signal: AbortSignal): Promise<Contradiction | undefined> {
  const ref = refOf(known)
  if (await isThere(repository.backend, deletedName(ref), signal)) return undefined
  if (known.state === 'deleted') return decision ? 'undone' : 'gone'
  if (decision) return decision.type === 'manifest' && isSame(known.nonce, decision.nonce) ? undefined : 'replaced'
  // A session that a prune had given up takes its own snapshot back.
  return await isThere(repository.backend, expiredName(ref), signal) ? undefined : 'gone'
}

/** Whose it was is not known of a damaged manifest that was forgotten: its tombstone has zeros. */
function isSame(known: string, found: string): boolean {
  return known === found || /^0*$/.test(known) || /^0*$/.test(found)
}

async function readOrDamaged(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<Decision | 'damaged' | undefined> {
  try {
    return await readDecision(repository, ref, signal)
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return 'damaged'
    throw error
  }
}
