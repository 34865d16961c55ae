import { fromHex } from '../../base/bytes.ts'
import { HoldfastError, hasCode } from '../../base/errors.ts'
import { followClosures, needBlob } from './closure.ts'
import { isDecided } from './arbiter.ts'
import { getIfThere, listAll } from './listing.ts'
import { intentName, parseSessionName } from './names.ts'
import { refreshPacks } from './prune-contents.ts'
import type { PruneContext } from './prune-context.ts'
import type { OpenRecord, OpenSession, PrunePlan, RetiredPack } from './prune-plan.ts'
import { openIntent } from './records.ts'
import { readRetireRecords } from './retired.ts'
import type { RetireRecord } from './retired.ts'
import { listSnapshots } from './snapshots.ts'

/** How often a plan or a step begins anew because packs went away while it read them. */
const maximumRounds = 6

/**
 * Step 1: what can be retired, as a value. Reads only. Whatever happens meanwhile makes the plan at worst wasteful, never unsafe.
 * Errors: `damaged` or `version` when anything that says what is needed cannot be read (rule R9).
 */
export async function planPrune(context: PruneContext, signal: AbortSignal): Promise<PrunePlan> {
  return withFreshListings(async () => {
    // Snapshots before packs: what they need is then in the listing, or was moved and shows as gone.
    const snapshots = await needSnapshots(context, signal)
    const records = await readRetireRecords(context.repository, new Map(), signal)
    const sessions = await readSessions(context, signal)
    await refreshPacks(context, signal)
    for (const record of records.values()) for (const pack of record.packs) context.store.retire(pack)
    await followClosures(context, signal)
    return makePlan(context, snapshots, records, sessions)
  })
}

/** Runs `work` anew while a pack that it wanted to read was deleted meanwhile (another prune, which copied first). */
export async function withFreshListings<T>(work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await work()
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      if (round === maximumRounds) {
        throw new HoldfastError('damaged', 'Something that a snapshot needs is missing in the repository. Nothing was deleted; run check.', { cause: error, data: error.data })
      }
    }
  }
}

/**
 * Reads the snapshots listed now; everything they reach is needed from now on.
 * Errors: rule R9: `damaged` or `version` for a manifest that cannot be read.
 */
export async function needSnapshots(context: PruneContext, signal: AbortSignal): Promise<number> {
  const { repository, decisions: cache, memory } = context
  let count = 0
  for await (const entry of listSnapshots(repository, { cache, ...(memory ? { memory } : {}) }, signal)) {
    if (entry.type !== 'snapshot') throw entry.error
    needBlob(context, fromHex(entry.manifest.root), entry.confirmed ? 'required' : 'optional')
    count++
  }
  return count
}

/** Every announced session whose revision is not decided. An intent that cannot be read is a session like any other. Errors: `version`. */
async function readSessions(context: PruneContext, signal: AbortSignal): Promise<readonly OpenSession[]> {
  const { repository, clock } = context
  const sessions: OpenSession[] = []
  for (const info of await listAll(repository.backend, 'intents/', signal)) {
    const ref = parseSessionName(info.name)
    if (await isDecided(repository, ref, signal)) continue
    const bytes = await getIfThere(repository.backend, intentName(ref), signal)
    if (!bytes) continue
    const intent = readIntent(() => openIntent(repository.keys, ref, bytes))
    sessions.push({ ref, host: intent?.host ?? '?', silentMs: Math.max(0, clock.now() - info.modifiedMs), declared: intent?.root !== undefined })
  }
  return sessions
}

function readIntent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (hasCode(error, 'damaged')) return undefined
    throw error
  }
}

function makePlan(context: PruneContext, snapshots: number, records: ReadonlyMap<string, RetireRecord>, sessions: readonly OpenSession[]): PrunePlan {
  const totals = { packs: 0, storedBytes: 0 }
  for (const use of context.store.usage()) {
    totals.packs++
    totals.storedBytes += use.size
  }
  const openRecords = describeRecords(context, records)
  for (const record of openRecords) {
    totals.packs += record.packs
    totals.storedBytes += record.bytes
  }
  const retire = [...chooseUnused(context), ...chooseRedundant(context)]
  const copiedBytes = sum(retire.map((pack) => pack.copiedBytes))
  const reclaimedBytes = sum(retire.map((pack) => pack.size)) + sum(openRecords.map((record) => record.bytes)) - copiedBytes
  return { retire, records: openRecords, sessions, unreadable: [...context.unreadable].sort(), snapshots, ...totals, reclaimedBytes, copiedBytes }
}

function describeRecords(context: PruneContext, records: ReadonlyMap<string, RetireRecord>): readonly OpenRecord[] {
  return [...records.values()].map((record) => {
    const sizes = record.packs.flatMap((pack) => context.store.listedSize(pack) ?? [])
    return { id: record.id, packs: sizes.length, bytes: sum(sizes) }
  })
}

/** Unreferenced packs, and those so little used that copying the rest out pays. Retires them in the store. */
function chooseUnused(context: PruneContext): readonly RetiredPack[] {
  const { store, options } = context
  const chosen: { readonly name: string, readonly size: number, readonly reason: RetiredPack['reason'] }[] = []
  for (const use of store.usage()) {
    if (isTooYoung(context, use.modifiedMs)) continue
    const unreferenced = use.liveBlobs === 0
    const share = use.deadBytes / Math.max(1, use.deadBytes + use.liveBytes)
    if (unreferenced || share > options.repackAboveDeadShare) {
      chosen.push({ name: use.name, size: use.size, reason: unreferenced ? 'unreferenced' : 'partly-used' })
    }
  }
  for (const { name } of chosen) store.retire(name)
  return chosen.map((pack) => ({ ...pack, copiedBytes: pack.reason === 'partly-used' ? uncoveredBytes(context, pack.name) : 0 }))
}

/** Packs whose every needed blob is in another pack that stays; of two equal ones the first name stays. Retires them in the store. */
function chooseRedundant(context: PruneContext): readonly RetiredPack[] {
  const { store } = context
  const chosen: RetiredPack[] = []
  for (const pack of store.withDuplicates()) {
    if (isTooYoung(context, pack.modifiedMs) || !isEmpty(store.uncovered(pack.name))) continue
    store.retire(pack.name)
    chosen.push({ name: pack.name, size: pack.size, reason: 'redundant', copiedBytes: 0 })
  }
  return chosen
}

function isTooYoung(context: PruneContext, modifiedMs: number): boolean {
  return context.clock.now() - modifiedMs < context.options.minimumAgeMs
}

function uncoveredBytes(context: PruneContext, pack: string): number {
  const wanted = new Set([...context.store.uncovered(pack)].map((id) => Buffer.from(id).toString('hex')))
  const blobs = context.store.contents(pack)?.segments.flatMap((segment) => segment.blobs) ?? []
  return sum(blobs.filter((blob) => wanted.has(Buffer.from(blob.id).toString('hex'))).map((blob) => blob.length))
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _item of items) return false
  return true
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
