import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { Random } from '../crypto.ts'
import { fetchIfThere } from '../fetch.ts'
import { randomName } from '../names.ts'
import type { Repository } from '../repository.ts'
import type { ObjectName } from '../../backend/backend.ts'
import { forEachAtOnce, listAll, listPacks } from './listing.ts'
import { parseRetireRecordName, retireRecordName } from './names.ts'
import { openRetireRecord, sealRetireRecord } from './records.ts'

/** The packs that a retire record names, for ever. */
export interface RetireRecord {
  /** 32 hex digits. */
  readonly id: string
  readonly packs: readonly string[]
  /** When the storage took it in. */
  readonly modifiedMs: number
}

/** Names in one retire record; more take several. */
const packsPerRecord = 20_000

const recordAttempts = 3

/**
 * Retires packs, for ever (rule R8), in as many records as they fill. Each is read back: one that nobody can read keeps everybody from the
 * repository. Such a one is removed again as soon as another names its packs, and not before, since somebody may have read it after all.
 * Broken off, some of the packs are retired. @returns the records' ids. Errors: `unavailable` when the storage keeps none as it was written.
 */
export async function retirePacks(repository: Repository, packs: readonly string[], random: Random, signal: AbortSignal): Promise<readonly string[]> {
  const records: string[] = []
  for (let from = 0; from < packs.length; from += packsPerRecord) {
    records.push(await putRecord(repository, packs.slice(from, from + packsPerRecord), random, signal))
  }
  return records
}

async function putRecord(repository: Repository, packs: readonly string[], random: Random, signal: AbortSignal): Promise<string> {
  const unreadable: string[] = []
  for (let attempt = 1; attempt <= recordAttempts; attempt++) {
    const record = randomName(random)
    await repository.backend.put(retireRecordName(record), { type: 'bytes', bytes: sealRetireRecord(repository.keys, record, packs) }, {}, signal)
    if (await canBeRead(repository, record, signal)) {
      for (const bad of unreadable) await repository.backend.remove(retireRecordName(bad), signal)
      return record
    }
    unreadable.push(record)
  }
  throw new HoldfastError('unavailable', 'The storage does not give back what was written to it.', { data: { object: retireRecordName(unreadable[0] ?? '') } })
}

/** A record that is gone was completed by another prune. */
async function canBeRead(repository: Repository, record: string, signal: AbortSignal): Promise<boolean> {
  try {
    await readRetireRecord(repository, record, 0, signal)
    return true
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return false
    throw error
  }
}

/**
 * The retire records listed now (LIST `gc/`, then GET of those not in `known`), by id. A record that vanishes between the two is left
 * out: its packs were gone before it was.
 * Errors: `damaged` or `version` when one cannot be read: nobody then knows which packs are usable.
 */
export async function readRetireRecords(
  repository: Repository, known: ReadonlyMap<string, RetireRecord>, signal: AbortSignal,
): Promise<ReadonlyMap<string, RetireRecord>> {
  const found = new Map<string, RetireRecord>()
  const infos = await listAll(repository.backend, 'gc/', signal)
  await forEachAtOnce(infos, 8, async (info) => {
    const id = parseRetireRecordName(info.name)
    const record = known.get(id) ?? await readRetireRecord(repository, id, info.modifiedMs, signal)
    if (record) found.set(id, record)
  })
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Records that nobody can read: `damaged`, or of a `version` that this program does not know. Errors: those of the storage. */
export async function* unreadableRecords(repository: Repository, signal: AbortSignal): AsyncGenerator<UnreadableRecord> {
  for (const { name, modifiedMs } of await listAll(repository.backend, 'gc/', signal)) {
    try {
      await readRetireRecord(repository, parseRetireRecordName(name), modifiedMs, signal)
    } catch (error) {
      if (!hasCode(error, 'damaged', 'version')) throw error
      yield { name, modifiedMs, error }
    }
  }
}

export interface UnreadableRecord {
  readonly name: ObjectName
  /** When the storage took it in. */
  readonly modifiedMs: number
  readonly error: HoldfastError
}

/** Packs this much younger than a record cannot be named in it, whatever the storage's machines think of the time. */
const clockMarginMs = 24 * 3_600_000

/**
 * Takes damaged records away. Whoever read one of them before may still delete the packs it names, so first everything that it may name is
 * retired: all packs of its time. Prunes then move what is needed; until one has, backups store anew what they need of it. Dear, but safe, and rare: a
 * record lives from one prune to the next. May be broken off and repeated. @returns how many packs were retired.
 */
export async function replaceRecords(repository: Repository, damaged: readonly UnreadableRecord[], random: Random, signal: AbortSignal): Promise<number> {
  const untilMs = Math.max(...damaged.map(({ modifiedMs }) => modifiedMs)) + clockMarginMs
  let retired = 0
  const names: string[] = []
  for await (const pack of listPacks(repository.backend, 16, signal)) {
    if (pack.modifiedMs > untilMs) continue
    retired++
    names.push(pack.name)
    if (names.length === packsPerRecord) await retirePacks(repository, names.splice(0), random, signal)
  }
  await retirePacks(repository, names, random, signal)
  for (const { name } of damaged) await repository.backend.remove(name, signal)
  return retired
}

async function readRetireRecord(repository: Repository, id: string, modifiedMs: number, signal: AbortSignal): Promise<RetireRecord | undefined> {
  const packs = await fetchIfThere(() => repository.backend.get(retireRecordName(id), 'all', signal), (bytes) => openRetireRecord(repository.keys, id, bytes))
  return packs && { id, packs, modifiedMs }
}
