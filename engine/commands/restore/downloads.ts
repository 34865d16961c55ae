import { throwIfAborted } from '../../base/abort.ts'
import { hasCode } from '../../base/errors.ts'
import type { HoldfastError } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import { packObject } from '../../repository/names.ts'
import type { PackSegment } from '../../repository/pack-info.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { SegmentRange } from '../../repository/ranges.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Loss } from '../../target/dress.ts'
import type { SegmentTask } from '../../target/messages.ts'
import { packFiles } from '../../target/packed-files.ts'
import type { WriterPool } from '../../target/writer-pool.ts'
import type { BlobPlaces } from '../blob-places.ts'
import type { Unread } from './plan-again.ts'
import type { RestoreWindow, RestoringFile, SegmentWork } from './window.ts'

/**
 * Stored bytes of one request, which is one thread's task. From a disk requests cost nothing, and short tasks keep all threads busy to
 * the end of a window; from afar each costs a round trip.
 */
const rangeBytes = { near: 2 * 1024 * 1024, far: 8 * 1024 * 1024 } as const

interface DownloadOptions {
  readonly repository: Repository
  readonly pool: WriterPool
  readonly places: BlobPlaces
  /** Ranges fetched or waiting for their threads at a time; with up to 8 MiB each (one larger segment: 16) this bounds the memory. */
  readonly parallel: number
  /** Waits while the run is paused. */
  readonly gate: () => Promise<void>
  /** A chunk (of so many bytes) was written. */
  readonly onWritten: (bytes: number) => void
  /** The file was written, but the target did not take all of its metadata. */
  readonly onLosses: (file: RestoringFile, losses: readonly Loss[]) => void
  /** Nothing is left to write of the file; it may have failed. */
  readonly onComplete: (file: RestoringFile) => Promise<void>
}

interface PackRange extends SegmentRange {
  readonly pack: string
}

/** Fetches what a window needs and has it written; neighbouring segments come with one request. */
export class Downloads {
  readonly #options: DownloadOptions
  readonly #rangeBytes: number

  constructor(options: DownloadOptions) {
    this.#options = options
    this.#rangeBytes = rangeBytes[options.repository.backend.traits.distance]
  }

  /** @returns what could not be read; its places are marked as such. Errors: those of the storage. */
  async run(window: RestoreWindow, signal: AbortSignal): Promise<Unread> {
    const unread: Unread = new Map()
    for (const file of window.complete) await this.#options.onComplete(file)
    await forEachParallel(rangesOf(window, this.#rangeBytes), this.#options.parallel, signal, async (range, until) => {
      await this.#options.gate()
      const segments = window.packs.get(range.pack)
      await this.#fetch(range, range.segments.flatMap(({ offset }) => segments?.get(offset) ?? []), unread, until)
    })
    return unread
  }

  async #fetch(range: PackRange, wanted: readonly SegmentWork[], unread: Unread, signal: AbortSignal): Promise<void> {
    const { backend } = this.#options.repository
    let bytes: Uint8Array
    try {
      bytes = await backend.get(packObject(range.pack), { offset: range.offset, length: range.length }, signal)
    } catch (error) {
      if (!hasCode(error, 'not-found', 'damaged')) throw error
      if (error.code === 'damaged' && wanted.length > 1) {
        // The pack was cut off; what lies before the cut is still there.
        for (const each of wanted) await this.#fetch({ ...rangeOf(each), pack: range.pack }, [each], unread, signal)
        return
      }
      const message = `pack ${range.pack} ends too early`
      for (const each of wanted) this.#setAside(each, [...each.blobs.keys()], { code: error.code, message }, unread)
      return
    }
    throwIfAborted(signal)
    await this.#write(range, wanted, bytes, unread)
  }

  async #write(range: PackRange, wanted: readonly SegmentWork[], bytes: Uint8Array, unread: Unread): Promise<void> {
    const files = filesOf(wanted)
    const numbers = new Map(files.map((file, index) => [file, index]))
    const answer = await this.#options.pool.run({
      type: 'segments',
      pack: range.pack,
      bytes,
      segments: wanted.map((work) => segmentTask(work, range.offset, numbers)),
      files: packFiles(files.map((file) => ({ file: file.spec, whole: file.whole }))),
    })
    for (const { file: number, ...failure } of answer.failures) {
      const file = files[number]
      if (file) file.failure ??= failure
    }
    for (const { file: number, losses } of answer.losses ?? []) {
      const file = files[number]
      if (file) this.#options.onLosses(file, losses)
    }
    for (const [number, work] of wanted.entries()) {
      const bad = answer.unread?.filter(({ segment }) => segment === number) ?? []
      const offsets = [...work.blobs.keys()]
      if (bad[0]) this.#setAside(work, bad.flatMap(({ blob }) => offsets[blob] ?? []), { code: 'damaged', message: bad[0].message }, unread)
    }
    await this.#settle(wanted)
  }

  /** Moves blobs of a segment from the work that is done to what could not be read. */
  #setAside(work: SegmentWork, offsets: readonly number[], reason: Pick<HoldfastError, 'code' | 'message'>, unread: Unread): void {
    const { pack, segmentOffset } = work.location
    this.#options.places.fail(work.location, reason)
    const blobs: SegmentWork['blobs'] = new Map()
    for (const offset of offsets) {
      const blob = work.blobs.get(offset)
      if (blob) blobs.set(offset, blob)
      work.blobs.delete(offset)
    }
    const segments = unread.get(pack) ?? new Map<number, SegmentWork>()
    unread.set(pack, segments)
    segments.set(segmentOffset, { location: work.location, blobs })
  }

  /** The chunks of these segments are written, or their files have failed. */
  async #settle(segments: readonly SegmentWork[]): Promise<void> {
    const complete: RestoringFile[] = []
    for (const work of segments) {
      for (const { length, writes } of work.blobs.values()) {
        for (const { file } of writes) {
          file.left -= 1
          if (!file.failure) this.#options.onWritten(length)
          // Found here and now: while this waits below, other tasks settle the same files.
          if (file.left === 0 && file.planned) complete.push(file)
        }
      }
    }
    for (const file of complete) await this.#options.onComplete(file)
  }
}

function* rangesOf(window: RestoreWindow, maxBytes: number): Generator<PackRange> {
  for (const [pack, segments] of window.packs) {
    const wanted = [...segments.values()].map(segmentOf)
    for (const range of planRanges(wanted, maxBytes)) yield { ...range, pack }
  }
}

function segmentOf({ location }: SegmentWork): PackSegment {
  return { offset: location.segmentOffset, storedLength: location.storedLength, rawLength: location.rawLength, compression: location.compression, blobs: [] }
}

function rangeOf(work: SegmentWork): SegmentRange {
  const segment = segmentOf(work)
  return { offset: segment.offset, length: segment.storedLength, segments: [segment] }
}

function filesOf(segments: readonly SegmentWork[]): RestoringFile[] {
  const files = new Set<RestoringFile>()
  for (const { blobs } of segments) for (const { writes } of blobs.values()) for (const { file } of writes) files.add(file)
  return [...files]
}

function segmentTask({ location, blobs }: SegmentWork, base: number, numbers: ReadonlyMap<RestoringFile, number>): SegmentTask {
  return {
    at: location.segmentOffset - base,
    storedLength: location.storedLength,
    rawLength: location.rawLength,
    compression: location.compression,
    blobCount: location.blobCount,
    ...packBlobs(blobs, numbers),
  }
}

function packBlobs(blobs: SegmentWork['blobs'], numbers: ReadonlyMap<RestoringFile, number>): Pick<SegmentTask, 'ids' | 'blobs' | 'writes'> {
  const ids = new Uint8Array(blobs.size * 32)
  const packed = new Float64Array(blobs.size * 3)
  const stretches: number[] = []
  let index = 0
  for (const [offsetInSegment, { id, length, writes }] of blobs) {
    ids.set(id, index * 32)
    packed[3 * index] = offsetInSegment
    packed[3 * index + 1] = length
    packed[3 * index + 2] = writes.length
    for (const { file, offset } of writes) stretches.push(numbers.get(file) ?? -1, offset)
    index += 1
  }
  return { ids, blobs: packed, writes: Float64Array.from(stretches) }
}
