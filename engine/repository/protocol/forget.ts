import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { Repository } from '../repository.ts'
import { tryWithRights } from '../../backend/rights.ts'
import type { Origin } from '../../snapshot/origin.ts'
import { deletedName, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { sealDecision, sealDeletedFlag } from './records.ts'
import type { Decision } from './records.ts'
import { readDecision } from './snapshots.ts'

/**
 * Forgets a snapshot: a tombstone takes the manifest's place, for ever, so that neither a late commit nor another backup can ever have
 * this revision (rule R6). One write, so an aborted run leaves nothing half done; the next prune reclaims the data. Repeating is harmless.
 * Errors: `not-found` when nothing was ever committed there; `version` when a newer program wrote the snapshot.
 */
export async function forgetSnapshot(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<void> {
  const decision = await readOrDamaged(repository, ref, signal)
  if (repository.config.arbiter === 'flags') return forgetUnderFlags(repository, ref, decision, signal)
  if (!decision || decision.type === 'expired') throw notThere(ref)
  if (decision.type === 'deleted') return
  const bytes = sealDecision(repository.keys, ref, { type: 'deleted', nonce: decision.type === 'manifest' ? decision.nonce : '0'.repeat(32), origin: originOf(decision) })
  await repository.backend.put(snapshotName(ref), { type: 'bytes', bytes }, {}, signal)
}

/** The flag is what counts: a late put may bring the snapshot's object back, and it stays forgotten (N25). */
async function forgetUnderFlags(repository: Repository, ref: SnapshotRef, found: Found | undefined, signal: AbortSignal): Promise<void> {
  if (!found) throw notThere(ref)
  await repository.backend.put(deletedName(ref), { type: 'bytes', bytes: sealDeletedFlag(repository.keys, ref, originOf(found)) }, {}, signal)
  await tryWithRights(() => repository.backend.remove(snapshotName(ref), signal))
}

/** A damaged manifest can be forgotten too, else it would hold up every prune for ever. Whose it was is unknown then: nobody's. */
async function readOrDamaged(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<Found | undefined> {
  try {
    return await readDecision(repository, ref, signal)
  } catch (error) {
    if (hasCode(error, 'damaged')) return { type: 'damaged' }
    throw error
  }
}

type Found = Decision | { readonly type: 'damaged' }

function originOf(found: Found): Origin | undefined {
  return found.type === 'manifest' ? found.manifest.origin : undefined
}

function notThere(ref: SnapshotRef): HoldfastError {
  return new HoldfastError('not-found', `There is no revision ${ref.revision} to forget.`, { data: { revision: ref.revision } })
}
