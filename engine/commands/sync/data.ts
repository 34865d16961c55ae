import { throwIfAborted } from '../../base/abort.ts'
import { toHex } from '../../base/bytes.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import type { KnownIds } from '../../catalog/id-map.ts'
import type { RekeyJob, RekeyResult } from '../../pipeline/worker-messages.ts'
import { packObject } from '../../repository/names.ts'
import type { Repository } from '../../repository/repository.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { Machine } from '../backup/machine.ts'
import { maxPlaces, type BlobPlaces } from '../blob-places.ts'
import { rangeBytesOf } from '../restore/downloads.ts'
import { slabfuls, SyncWindow, type WantedBlob, type WantedRange, type WantedSegment } from './window.ts'

const idLength = 32
/** What a slab takes is the most that is worth one request. */
const mostRangeBytes = 8 * 1024 * 1024

export interface DataOptions {
  readonly source: Repository
  readonly places: BlobPlaces
  readonly machine: Machine
  readonly ids: KnownIds
  /** Transfers at a time; as many ranges and two more are fetched or wait for their threads, which bounds the memory. */
  readonly concurrency: number
  /** Waits while the run is paused. */
  readonly gate: () => Promise<void>
  /** So many bytes of files are to come, and so many have come. */
  readonly onWanted: (bytes: number) => void
  readonly onRead: (bytes: number) => void
}

/** Reads blobs of files from a sync's source, and gives each to the destination, verified and named as it is called there. */
export class DataCopy {
  readonly #options: DataOptions
  readonly #rangeBytes: number
  /** Planned and not stored yet, by hexadecimal id of the source. */
  readonly #pending = new Set<string>()

  constructor(options: DataOptions) {
    this.#options = options
    this.#rangeBytes = Math.min(mostRangeBytes, rangeBytesOf(options.source.backend.traits.distance, options.concurrency))
  }

  /**
   * Copies all that is wanted; an id that comes again while it is on its way counts once. Errors: damaged (a blob has no readable copy at the
   * source), those of both storages.
   */
  async run(wanted: AsyncIterable<BlobId>, signal: AbortSignal): Promise<void> {
    this.#pending.clear()
    await forEachParallel(this.#ranges(wanted), this.#options.concurrency + 2, signal, async (range, until) => {
      await this.#options.gate()
      await this.#copy(range, until)
      for (const { blobs } of range.segments) for (const { id } of blobs) this.#pending.delete(toHex(id))
    })
  }

  async *#ranges(wanted: AsyncIterable<BlobId>): AsyncGenerator<WantedRange> {
    let window = new SyncWindow()
    for await (const id of wanted) {
      const key = toHex(id)
      if (this.#pending.has(key)) continue
      const location = await this.#locate(id)
      window.add(id, location)
      this.#pending.add(key)
      this.#options.onWanted(location.length)
      if (!window.full) continue
      yield* window.ranges(this.#rangeBytes)
      window = new SyncWindow()
    }
    yield* window.ranges(this.#rangeBytes)
  }

  async #locate(id: BlobId): Promise<ReturnType<BlobPlaces['locate']> & object> {
    const { places } = this.#options
    const location = places.locate(id, 'data') ?? await places.search(id, 'data')
    if (!location) throw lost(id, 'it is in no known pack')
    return location
  }

  /** What arrives damaged is fetched once more from there, then from wherever else it is. */
  async #copy(range: WantedRange, signal: AbortSignal): Promise<void> {
    for (const spoilt of await this.#try(range, signal)) await this.#again(spoilt, signal)
  }

  async #again({ segment, blob, error }: Spoilt, signal: AbortSignal): Promise<void> {
    const { places } = this.#options
    let failed = error
    let { location } = segment
    for (let tried = 0; tried < maxPlaces; tried++) {
      if (tried > 0 || failed.code === 'not-found') {
        places.fail(location, failed)
        const next = places.locate(blob.id, 'data') ?? await places.search(blob.id, 'data')
        if (!next) throw lost(blob.id, failed.message)
        location = next
      }
      const wanted = { location, blobs: [{ ...blob, offset: location.offsetInSegment, length: location.length }] }
      const [spoilt] = await this.#try({ pack: location.pack, offset: location.segmentOffset, length: location.storedLength, segments: [wanted] }, signal)
      if (!spoilt) return
      failed = spoilt.error
    }
    throw lost(blob.id, failed.message)
  }

  /** @returns what could not be read of it. */
  async #try(range: WantedRange, signal: AbortSignal): Promise<Spoilt[]> {
    let bytes: Uint8Array
    try {
      bytes = await this.#options.source.backend.get(packObject(range.pack), { offset: range.offset, length: range.length }, signal)
    } catch (error) {
      if (!hasCode(error, 'not-found', 'damaged')) throw error
      // The pack was cut off, or is gone; what lies before the cut is still there.
      return range.segments.flatMap((segment) => segment.blobs.map((blob) => ({ segment, blob, error })))
    }
    throwIfAborted(signal)
    const spoilt: Spoilt[] = []
    for (const segments of slabfuls(range.segments, this.#options.machine.slabs.slabs.slabBytes)) spoilt.push(...await this.#store(range, segments, bytes))
    return spoilt
  }

  async #store(range: WantedRange, segments: readonly WantedSegment[], bytes: Uint8Array): Promise<Spoilt[]> {
    const { machine: { slabs, pool, sink }, ids, onRead } = this.#options
    const slab = await slabs.acquire()
    let result: RekeyResult
    try {
      const answer = await pool.run(rekeyJob(slab, range, segments, bytes))
      if (answer.type !== 'rekeyed') throw new HoldfastError('internal', 'A worker answered another question.')
      result = answer
    } catch (error) {
      slabs.release(slab)
      throw error
    }
    const wanted = segments.flatMap((segment) => segment.blobs.map((blob) => ({ segment, blob })))
    const readBytes = result.blobs.lengths.reduce((sum, length) => sum + length, 0)
    // Before the slab is given away: what is claimed may be asked for at once.
    let next = 0
    wanted.forEach(({ blob }, at) => {
      if (result.taken[at] !== 1) return
      ids.set(blob.id, result.blobs.ids.subarray(next * idLength, (next + 1) * idLength))
      next++
    })
    await sink.storeData(slab, result.blobs)
    onRead(readBytes)
    const error = new HoldfastError('damaged', result.failure ?? `pack ${range.pack} is damaged`)
    return wanted.filter((_, at) => result.taken[at] !== 1).map((each) => ({ ...each, error }))
  }
}

interface Spoilt {
  readonly segment: WantedSegment
  readonly blob: WantedBlob
  readonly error: HoldfastError
}

function lost(id: BlobId, why: string): HoldfastError {
  return new HoldfastError('damaged', `A part of a file is lost at the source: ${why}.`, { data: { blob: toHex(id) } })
}

/** The thread gets a copy of its stretch alone. */
function rekeyJob(slab: number, range: WantedRange, segments: readonly WantedSegment[], bytes: Uint8Array): RekeyJob {
  const first = segments[0]?.location.segmentOffset ?? range.offset
  const last = segments.at(-1)?.location
  const end = last ? last.segmentOffset + last.storedLength : first
  const blobs = segments.flatMap((segment) => segment.blobs)
  const ids = new Uint8Array(blobs.length * idLength)
  blobs.forEach(({ id }, at) => { ids.set(id, at * idLength) })
  return {
    type: 'rekey', slab, pack: { name: range.pack, kind: 'data' }, ids,
    bytes: bytes.slice(first - range.offset, end - range.offset),
    offsets: Uint32Array.from(blobs, ({ offset }) => offset),
    lengths: Uint32Array.from(blobs, ({ length }) => length),
    segments: segments.map(({ location: { segmentOffset, storedLength, rawLength, compression, blobCount }, blobs: { length: wanted } }) =>
      ({ at: segmentOffset - first, storedLength, rawLength, compression, blobCount, wanted })),
  }
}
