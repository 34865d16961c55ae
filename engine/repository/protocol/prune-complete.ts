import { fromHex } from '../../base/bytes.ts'
import { HoldfastError, hasCode } from '../../base/errors.ts'
import { packObject } from '../names.ts'
import { expireSession, isDecided } from './arbiter.ts'
import { followClosures, followsWholly } from './closure.ts'
import { forEachAtOnce, getIfThere, listAll, listPacks } from './listing.ts'
import { acknowledgementName, intentName, parseAcknowledgementName, parseSessionName, retireRecordName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { nothingMoved, refreshPacks } from './prune-contents.ts'
import type { PruneContext } from './prune-context.ts'
import { copyUncovered } from './prune-copy.ts'
import type { OpenSession } from './prune-plan.ts'
import { needSnapshots } from './prune-prepare.ts'
import { openIntent } from './records.ts'
import type { Intent } from './records.ts'
import { readRetireRecords } from './retired.ts'
import type { RetireRecord } from './retired.ts'

/** What step 2 did; counts of this one round. */
export interface Completion {
  readonly waitingFor: readonly OpenSession[]
  readonly expiredSessions: number
  readonly deletedPacks: number
  readonly deletedBytes: number
  readonly copiedBytes: number
  readonly removedRecords: number
  /** Retired packs that stay because something needed in them can no longer be read. */
  readonly damagedPacks: number
}

/**
 * Step 2 for every retire record found, whoever put it: its packs are deleted once no session can rest on them any more and every
 * needed blob in them has a copy in a pack that is not retired. The order of the requests is rule R7. May be broken off anywhere and
 * run by any number at once.
 * Errors: `not-found` when packs went away meanwhile (begin anew), `damaged`, `version` (rule R9; nothing was deleted).
 */
export async function completeRecords(context: PruneContext, signal: AbortSignal): Promise<Completion> {
  const { repository, store } = context
  const records = await readRetireRecords(repository, new Map(), signal)
  const sessions = await settleSessions(context, records, signal)
  const nothing = { ...sessions, deletedPacks: 0, deletedBytes: 0, copiedBytes: 0, removedRecords: 0, damagedPacks: 0 }
  if (records.size === 0 || sessions.waitingFor.length > 0) return nothing
  await needSnapshots(context, signal)
  const listed = await refreshPacks(context, signal)
  const retired = retiredPacks(records)
  for (const pack of retired) store.retire(pack)
  await followClosures(context, signal)
  await requireCertainty(context, listed, records, signal)
  const existing = retired.filter((pack) => store.listedSize(pack) !== undefined)
  const unknown = unreadablePacks(context, existing)
  const { bytes: copiedBytes, kept } = await copyUncovered(context, existing.filter((pack) => !unknown.has(pack)), signal)
  const deletable = existing.filter((pack) => !kept.has(pack) && !unknown.has(pack))
  const deletedBytes = deletable.reduce((sum, pack) => sum + (store.listedSize(pack) ?? 0), 0)
  await forEachAtOnce(deletable, 8, (pack) => repository.backend.remove(packObject(pack), signal))
  const removedRecords = await removeFinished(context, records, signal)
  return { ...sessions, deletedPacks: deletable.length, deletedBytes, copiedBytes, removedRecords, damagedPacks: kept.size + unknown.size }
}

function retiredPacks(records: ReadonlyMap<string, RetireRecord>): readonly string[] {
  return [...new Set([...records.values()].flatMap((record) => record.packs))].sort()
}

/**
 * Trees may lack in a snapshot whose session a prune had given up; but the session may have succeeded just before the flag came, and then
 * all of them are somewhere, and what hangs under them is needed. They lack for certain when nothing was moved while they were looked for.
 * Errors: `not-found`: begin anew.
 */
async function requireCertainty(context: PruneContext, listed: number, records: ReadonlyMap<string, RetireRecord>, signal: AbortSignal): Promise<void> {
  if (context.frontier.missing.length === 0 || await nothingMoved(context, listed, records, signal)) return
  throw new HoldfastError('not-found', 'Packs were moved while the trees of an unconfirmed snapshot were looked for.')
}

/** What is in a pack that cannot be read is unknown, so it may be needed, and the pack stays. Errors: `not-found` when one went away since the listing. */
function unreadablePacks({ store, unreadable }: PruneContext, packs: readonly string[]): ReadonlySet<string> {
  const found = new Set(packs.filter((pack) => store.contents(pack) === undefined))
  for (const pack of found) if (!unreadable.has(pack)) throw new HoldfastError('not-found', `pack ${pack} has gone.`, { data: { pack } })
  return found
}

interface Settled {
  readonly waitingFor: readonly OpenSession[]
  readonly expiredSessions: number
}

/** Every session is decided, has acknowledged all records, or counts as live; or the prune waits for it. */
async function settleSessions(context: PruneContext, records: ReadonlyMap<string, RetireRecord>, signal: AbortSignal): Promise<Settled> {
  const { repository } = context
  const waitingFor: OpenSession[] = []
  let expiredSessions = 0
  const nowMs = storageNowMs(context, records)
  const infos = await listAll(repository.backend, 'intents/', signal)
  const acknowledged = records.size > 0 && infos.length > 0 ? await readAcknowledgements(context, signal) : new Set<string>()
  for (const info of infos) {
    const ref = parseSessionName(info.name)
    const how = await settleSession(context, ref, nowMs - info.modifiedMs, allAcknowledged(records, acknowledged, ref), signal)
    if (how.type === 'waiting') waitingFor.push(how.session)
    if (how.type === 'expired') expiredSessions++
    if (how.type === 'expired' || how.type === 'decided') await repository.backend.remove(intentName(ref), signal)
  }
  return { waitingFor, expiredSessions }
}

/** Signs of life carry the storage's time; a record that this run just put tells what time it is there, however wrong this machine's clock is. */
function storageNowMs(context: PruneContext, records: ReadonlyMap<string, RetireRecord>): number {
  const own = [...records.values()].filter((record) => context.ownRecords.has(record.id)).map((record) => record.modifiedMs)
  return own.length > 0 ? Math.max(...own) : context.clock.now()
}

type Settlement =
  | { readonly type: 'decided' | 'expired' | 'harmless' }
  | { readonly type: 'waiting', readonly session: OpenSession }

async function settleSession(context: PruneContext, ref: SnapshotRef, silentMs: number, acknowledged: boolean, signal: AbortSignal): Promise<Settlement> {
  const { repository, options } = context
  if (await isDecided(repository, ref, signal)) return { type: 'decided' }
  const intent = await readIntent(context, ref, signal)
  // Intents are only removed from decided revisions (rule R10).
  if (intent === 'gone') return { type: 'decided' }
  const alive = silentMs < options.expireAfterMs
  if (alive && acknowledged) return { type: 'harmless' }
  if (alive && intent?.root !== undefined && await countAsLive(context, intent.root, signal)) return { type: 'harmless' }
  if (alive) return { type: 'waiting', session: { ref, host: intent?.host ?? '?', silentMs: Math.max(0, silentMs), declared: intent?.root !== undefined } }
  await expireSession(repository, ref, signal)
  return { type: 'expired' }
}

/** Undefined: it cannot be read, so that nothing is known of the session but that it is there. Errors: `version`. */
async function readIntent(context: PruneContext, ref: SnapshotRef, signal: AbortSignal): Promise<Intent | 'gone' | undefined> {
  const bytes = await getIfThere(context.repository.backend, intentName(ref), signal)
  if (!bytes) return 'gone'
  try {
    return openIntent(context.repository.keys, ref, bytes)
  } catch (error) {
    if (hasCode(error, 'damaged')) return undefined
    throw error
  }
}

/**
 * Counts everything that a declared root reaches as needed. Data may lack, trees may not: what hangs under a tree that nobody can read
 * cannot be kept, and the session may yet upload that tree and count on what is under it. Such a session is not harmless.
 */
async function countAsLive(context: PruneContext, root: string, signal: AbortSignal): Promise<boolean> {
  await refreshPacks(context, signal)
  return followsWholly(context, fromHex(root), signal)
}

/** `record/session` keys. */
async function readAcknowledgements(context: PruneContext, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const infos = await listAll(context.repository.backend, 'acks/', signal)
  return new Set(infos.map((info) => info.name))
}

function allAcknowledged(records: ReadonlyMap<string, RetireRecord>, acknowledged: ReadonlySet<string>, ref: SnapshotRef): boolean {
  return [...records.keys()].every((record) => acknowledged.has(acknowledgementName(record, ref)))
}

/** Records, and what belongs to them, are removed when a listing after the deletions shows none of their packs. */
async function removeFinished(context: PruneContext, records: ReadonlyMap<string, RetireRecord>, signal: AbortSignal): Promise<number> {
  const { repository, options } = context
  const retired = new Set(retiredPacks(records))
  const left = new Set<string>()
  for await (const pack of listPacks(repository.backend, options.shards, signal)) if (retired.has(pack.name)) left.add(pack.name)
  const finished = [...records.values()].filter((record) => !record.packs.some((pack) => left.has(pack)))
  for (const record of finished) await repository.backend.remove(retireRecordName(record.id), signal)
  return finished.length
}

/** Removes acknowledgements of records that are gone. Listed before the records: so one that belongs to a new record is not mistaken. */
export async function removeOrphanedAcknowledgements(context: PruneContext, signal: AbortSignal): Promise<void> {
  const { backend } = context.repository
  const infos = await listAll(backend, 'acks/', signal)
  if (infos.length === 0) return
  const records = new Set((await listAll(backend, 'gc/', signal)).map((info) => info.name))
  const orphaned = infos.filter((info) => !records.has(retireRecordName(parseAcknowledgementName(info.name).record)))
  await forEachAtOnce(orphaned, 8, (info) => backend.remove(info.name, signal))
}
