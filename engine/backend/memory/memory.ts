import { readFile } from 'node:fs/promises'
import { throwIfAborted } from '../../base/abort.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import { paceSliceBytes, type Body, type BackendTraits, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend } from '../backend.ts'
import { requireObjectName, requirePrefix } from '../name.ts'

interface StoredObject {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

/** The objects of every `memory:NAME` in this process: opening a name again finds them again. */
const stores = new Map<string, Map<string, StoredObject>>()

/** Keeps objects in this process, for tests and simulations: every operation takes effect at one instant (linearizable). */
export function openMemory(name: string, clock: Clock = systemClock): StorageBackend {
  const objects = stores.get(name) ?? new Map<string, StoredObject>()
  stores.set(name, objects)
  return new MemoryBackend(name, objects, clock)
}

class MemoryBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #objects: Map<string, StoredObject>
  readonly #clock: Clock

  constructor(name: string, objects: Map<string, StoredObject>, clock: Clock) {
    this.label = `memory ${name}`
    this.traits = { maxConnections: 64, exclusiveCreate: true, resumable: false, distance: 'near', listing: { order: 'ascending', cost: 'prefix' }, largestPut: Number.MAX_SAFE_INTEGER, account: `memory:${name}` }
    this.#objects = objects
    this.#clock = clock
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    const bytes = body.type === 'bytes' ? Uint8Array.from(body.bytes) : new Uint8Array(await readFile(body.path))
    for (let sent = 0; sent < bytes.length; sent += paceSliceBytes) {
      const slice = Math.min(paceSliceBytes, bytes.length - sent)
      await options.pace?.(slice)
      throwIfAborted(signal)
      options.onProgress?.(sent + slice)
    }
    throwIfAborted(signal)
    if (options.ifAbsent && this.#objects.has(name)) throw new HoldfastError('exists', `${name} exists already.`)
    this.#objects.set(name, { bytes, modifiedMs: this.#clock.now() })
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    const { bytes } = this.#find(name, signal)
    if (range === 'all') range = { offset: 0, length: bytes.length }
    if (range.offset + range.length > bytes.length) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    const part = bytes.slice(range.offset, range.offset + range.length)
    for (let got = 0; got < part.length; got += paceSliceBytes) await pace?.(Math.min(paceSliceBytes, part.length - got))
    throwIfAborted(signal)
    return part
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    const { bytes, modifiedMs } = this.#find(name, signal)
    return { name, size: bytes.length, modifiedMs }
  }

  /** One instant's names; objects removed while the caller reads on are left out. */
  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort()
    for (const name of names) {
      throwIfAborted(signal)
      const found = this.#objects.get(name)
      if (found) yield { name, size: found.bytes.length, modifiedMs: found.modifiedMs }
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    this.#objects.delete(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The objects stay for the next one who opens the name.
  }

  #find(name: string, signal: AbortSignal): StoredObject {
    requireObjectName(name)
    throwIfAborted(signal)
    const found = this.#objects.get(name)
    if (!found) throw new HoldfastError('not-found', `${name} does not exist.`)
    return found
  }
}
