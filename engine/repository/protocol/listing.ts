import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo, ObjectName, StorageBackend } from '../../backend/backend.ts'
import { packNameOf } from '../names.ts'

/** A pack as a listing shows it. */
export interface ListedPack {
  /** 32 hex digits. */
  readonly name: string
  readonly size: number
  readonly modifiedMs: number
}

/** Into how many prefixes a listing of all packs is shared out: 1, 16 or 256, listed side by side. */
export type PackShards = 1 | 16 | 256

/** A storage lists about a thousand names a request: sixteen requests at a time, and never more than this many names waiting here. */
const batchSize = 1000

/**
 * Every pack, any order; a storage to which each prefix costs a whole list is asked for one. What lies under `packs/` and is not named
 * like one is passed over: it is neither used nor removed.
 */
export async function* listPacks(backend: StorageBackend, shards: PackShards, signal: AbortSignal): AsyncGenerator<ListedPack> {
  for await (const info of listWell(backend, packPrefixes(backend.traits.listing.cost === 'prefix' ? shards : 1), signal)) {
    const name = packNameOf(info.name)
    if (name !== undefined) yield { name, size: info.size, modifiedMs: info.modifiedMs }
  }
}

function packPrefixes(shards: PackShards): readonly string[] {
  if (shards === 1) return ['packs/']
  const digits = shards === 16 ? 1 : 2
  return Array.from({ length: shards }, (_, shard) => `packs/${shard.toString(16).padStart(digits, '0')}`)
}

/** Sixteen listings are two round trips from afar: most repositories have no more packs than one request shows. */
async function* listWell(backend: StorageBackend, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  if (prefixes.length === 16) {
    const { infos, done, listing } = await nextBatch(0, backend.list('packs/', signal)[Symbol.asyncIterator]())
    if (done) {
      yield* infos
      return
    }
    await listing.return?.()
  }
  yield* listTogether(backend, prefixes, signal)
}

/** Several listings side by side, a batch of each at a time. */
async function* listTogether(backend: StorageBackend, prefixes: readonly string[], signal: AbortSignal): AsyncGenerator<ObjectInfo> {
  const waiting = [...prefixes]
  const running = new Map<number, Promise<Batch>>()
  let started = 0
  const start = (listing: AsyncIterator<ObjectInfo>): void => {
    const id = started++
    running.set(id, nextBatch(id, listing))
  }
  for (const prefix of waiting.splice(0, 16)) start(backend.list(prefix, signal)[Symbol.asyncIterator]())
  while (running.size > 0) {
    const batch = await Promise.race(running.values())
    running.delete(batch.id)
    const prefix = batch.done ? waiting.shift() : undefined
    if (!batch.done) start(batch.listing)
    else if (prefix !== undefined) start(backend.list(prefix, signal)[Symbol.asyncIterator]())
    yield* batch.infos
  }
}

interface Batch {
  readonly id: number
  readonly listing: AsyncIterator<ObjectInfo>
  readonly infos: readonly ObjectInfo[]
  readonly done: boolean
}

async function nextBatch(id: number, listing: AsyncIterator<ObjectInfo>): Promise<Batch> {
  const infos: ObjectInfo[] = []
  while (infos.length < batchSize) {
    const next = await listing.next()
    if (next.done === true) return { id, listing, infos, done: true }
    infos.push(next.value)
  }
  return { id, listing, infos, done: false }
}

/** What a hundred machines that back up each hour leave in a year if nobody forgets any; so many take about 150 MB. */
const mostAtOnce = 1_000_000

/**
 * A whole listing of something that stays small: records, sessions, snapshots of a repository. Sorted by name.
 * Errors: unsupported (a storage that lists without an end), those of the storage.
 */
export async function listAll(backend: StorageBackend, prefix: string, signal: AbortSignal): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = []
  for await (const info of backend.list(prefix, signal)) {
    if (infos.length === mostAtOnce) throw new HoldfastError('unsupported', `The storage lists more under ${prefix} than any repository has.`, { data: { reason: 'BadListing' } })
    infos.push(info)
  }
  return infos.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The object's bytes, or undefined when there is none. */
export async function getIfThere(backend: StorageBackend, name: ObjectName, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await backend.get(name, 'all', signal)
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined
    throw error
  }
}

/** Whether the object exists now. */
export async function isThere(backend: StorageBackend, name: ObjectName, signal: AbortSignal): Promise<boolean> {
  try {
    await backend.stat(name, signal)
    return true
  } catch (error) {
    if (hasCode(error, 'not-found')) return false
    throw error
  }
}

/** Runs `work` on every item, at most `limit` at a time; the first failure ends it once what runs has settled. */
export async function forEachAtOnce<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed = false
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && !failed; next = iterator.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, lane))
  for (const result of lanes) if (result.status === 'rejected') throw result.reason
}
