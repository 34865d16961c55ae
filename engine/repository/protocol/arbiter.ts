import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { ObjectName } from '../../backend/backend.ts'
import { tryWithRights } from '../../backend/rights.ts'
import type { Repository } from '../repository.ts'
import { getIfThere, isThere } from './listing.ts'
import { expiredName, intentName, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { openDecision, sealDecision, sealExpiredFlag } from './records.ts'
import type { Decision } from './records.ts'

/** A server that says "taken" and then shows nothing is asked again this often: a conflict of two creations is no decision. */
const creationAttempts = 20

/**
 * Put-if-absent, whose "taken" may be the lost reply of an own earlier attempt: so what is there comes back to be looked at (R4).
 * @returns undefined when this call created the object, else the bytes that were there first.
 */
export async function createOnce(repository: Repository, name: ObjectName, bytes: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
  for (let attempt = 0; attempt < creationAttempts; attempt++) {
    try {
      await repository.backend.put(name, { type: 'bytes', bytes }, { ifAbsent: true }, signal)
      return undefined
    } catch (error) {
      if (!hasCode(error, 'exists')) throw error
    }
    const existing = await getIfThere(repository.backend, name, signal)
    if (existing) return existing
  }
  throw new HoldfastError('unavailable', `The storage says that ${name} exists and does not show it.`, { data: { object: name } })
}

/**
 * Commits a session: in cas mode the creation of the snapshot object decides, for ever (rule: commit and expiry are one object). In
 * flags mode the snapshot is put and counts when no `expired` flag is there afterwards; else it is withdrawn.
 * @returns whether the session's snapshot stands. False: a prune expired the session.
 */
export async function commitDecision(repository: Repository, ref: SnapshotRef, decision: Decision & { readonly type: 'manifest' }, signal: AbortSignal): Promise<boolean> {
  const bytes = sealDecision(repository.keys, ref, decision)
  if (repository.config.arbiter === 'flags') return commitUnderFlags(repository, ref, bytes, signal)
  const existing = await createOnce(repository, snapshotName(ref), bytes, signal)
  if (!existing) return true
  const first = openDecision(repository.keys, ref, existing)
  return first.type !== 'expired' && first.nonce === decision.nonce
}

async function commitUnderFlags(repository: Repository, ref: SnapshotRef, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
  await repository.backend.put(snapshotName(ref), { type: 'bytes', bytes }, {}, signal)
  if (!await isThere(repository.backend, expiredName(ref), signal)) return true
  // Withdrawing may be forbidden: then the snapshot stays, marked as unconfirmed by its flag.
  await tryWithRights(() => repository.backend.remove(snapshotName(ref), signal))
  return false
}

/** Whether the session was given up or its revision is decided, as the session itself asks. */
export async function isExpired(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<boolean> {
  const name = repository.config.arbiter === 'flags' ? expiredName(ref) : snapshotName(ref)
  return isThere(repository.backend, name, signal)
}

/** Whether the session's end is settled, as a prune asks: committed, or expired. In flags mode an expired session may still put its snapshot. */
export async function isDecided(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<boolean> {
  if (await isThere(repository.backend, snapshotName(ref), signal)) return true
  return repository.config.arbiter === 'flags' && isThere(repository.backend, expiredName(ref), signal)
}

/** A session is given up, by a prune or by the machine whose it was. When the session commits at the same time, one of the two wins; either way it is decided afterwards. */
export async function expireSession(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<void> {
  if (repository.config.arbiter === 'cas') {
    await createOnce(repository, snapshotName(ref), sealDecision(repository.keys, ref, { type: 'expired' }), signal)
    return
  }
  await repository.backend.put(expiredName(ref), { type: 'bytes', bytes: sealExpiredFlag(repository.keys, ref) }, {}, signal)
}

/**
 * Ends a session that nobody works in any more: what it has decided stands, else it is expired; and takes its intent away (R10). Repeating is harmless.
 * @returns whether it was expired by this call
 */
export async function endSession(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<boolean> {
  const decided = await isDecided(repository, ref, signal)
  if (!decided) await expireSession(repository, ref, signal)
  await tryWithRights(() => repository.backend.remove(intentName(ref), signal))
  return !decided
}
