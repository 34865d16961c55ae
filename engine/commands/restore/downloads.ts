import type { Distance } from '../../backend/backend.ts'
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

const MiB = 1024 * 1024

/** From a disk requests cost nothing, and short tasks keep all threads busy to the end of a window. */
const nearBytes = 2 * MiB
/** From afar each costs a round trip: large ones, as long as all that are on their way do not need more memory than this. */
const farBytes = 16 * MiB
const farTogether = 96 * MiB
/** Towards the end they become smaller, down to this share, so that all transfers end at about the same time. */
const smallestShare = 4

interface DownloadOptions {
  readonly repository: Repository
  readonly pool: WriterPool
  readonly places: BlobPlaces
  /** Transfers at a time; as many ranges and two more are fetched or wait for their threads, which bounds the memory. */
  readonly concurrency: number
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
    this.#rangeBytes = rangeBytesOf(options.repository.backend.traits.distance, options.concurrency)
  }

  /**
   * @param onBegun everything is on its way, and there is room for more.
   * @returns what could not be read; its places are marked as such. Errors: those of the storage.
   */
  async run(window: RestoreWindow, onBegun: () => void, signal: AbortSignal): Promise<Unread> {
    const { concurrency, gate, onComplete } = this.#options
    const unread: Unread = new Map()
    for (const file of window.complete) await onComplete(file)
    const ranges = rangesOf(window, { mostBytes: this.#rangeBytes, concurrency }, onBegun)
    await forEachParallel(ranges, concurrency + 2, signal, async (range, until) => {
      await gate()
      const segments = window.packs.get(range.pack)
      await this.#fetch(range, range.segments.flatMap(({ offset }) => segments?.get(offset) ?? []), unread, until)
    })
    return unread
  }

  /** What arrives damaged is fetched once more, by itself, as fetchOpened does: opening it is the threads' work here. */
  async #fetch(range: PackRange, wanted: readonly SegmentWork[], unread: Unread, signal: AbortSignal): Promise<void> {
    for (const spoilt of await this.#try(range, wanted, signal)) {
      const again = spoilt.reason.code === 'damaged' ? await this.#try({ ...rangeOf(spoilt.work), pack: range.pack }, [spoilt.work], signal) : [spoilt]
      for (const { work, reason } of again) this.#setAside(work, reason, unread)
    }
  }

  /** @returns what could not be read of it. */
  async #try(range: PackRange, wanted: readonly SegmentWork[], signal: AbortSignal): Promise<Spoilt[]> {
    let bytes: Uint8Array
    try {
      bytes = await this.#options.repository.backend.get(packObject(range.pack), { offset: range.offset, length: range.length }, signal)
    } catch (error) {
      if (!hasCode(error, 'not-found', 'damaged')) throw error
      // The pack was cut off, or is gone; what lies before the cut is still there.
      const reason = { code: error.code, message: `pack ${range.pack} ends too early` }
      return wanted.map((work) => ({ work, reason }))
    }
    throwIfAborted(signal)
    return this.#write(range, wanted, bytes)
  }

  async #write(range: PackRange, wanted: readonly SegmentWork[], bytes: Uint8Array): Promise<Spoilt[]> {
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
    const spoilt = wanted.flatMap((work, number): Spoilt[] => {
      const bad = answer.unread?.filter(({ segment }) => segment === number) ?? []
      const offsets = [...work.blobs.keys()]
      return bad[0] ? [{ work: takeOut(work, bad.flatMap(({ blob }) => offsets[blob] ?? [])), reason: { code: 'damaged', message: bad[0].message } }] : []
    })
    await this.#settle(wanted)
    return spoilt
  }

  #setAside(work: SegmentWork, reason: Spoilt['reason'], unread: Unread): void {
    const { pack, segmentOffset } = work.location
    this.#options.places.fail(work.location, reason)
    const segments = unread.get(pack) ?? new Map<number, SegmentWork>()
    unread.set(pack, segments)
    segments.set(segmentOffset, work)
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

/** What could not be read of a segment, and why. */
interface Spoilt {
  readonly work: SegmentWork
  readonly reason: Pick<HoldfastError, 'code' | 'message'>
}

/** Moves blobs of a segment from the work that is done to work of its own. */
function takeOut(work: SegmentWork, offsets: readonly number[]): SegmentWork {
  const blobs: SegmentWork['blobs'] = new Map()
  for (const offset of offsets) {
    const blob = work.blobs.get(offset)
    if (blob) blobs.set(offset, blob)
    work.blobs.delete(offset)
  }
  return { location: work.location, blobs }
}

/** Stored bytes of one request, which is one thread's task, at most. */
export function rangeBytesOf(distance: Distance, concurrency: number): number {
  return distance === 'near' ? nearBytes : Math.min(farBytes, Math.floor(farTogether / concurrency))
}

/** Ranges of about the same length within a pack, and shorter ones towards the end of the window. */
function* rangesOf(window: RestoreWindow, { mostBytes, concurrency }: { readonly mostBytes: number; readonly concurrency: number }, onBegun: () => void): Generator<PackRange> {
  let leftBytes = 0
  for (const segments of window.packs.values()) for (const { location } of segments.values()) leftBytes += location.storedLength
  for (const [pack, segments] of window.packs) {
    const wanted = [...segments.values()].map(segmentOf)
    const bytes = wanted.reduce((sum, { storedLength }) => sum + storedLength, 0)
    for (const range of planRanges(wanted, fairBytes(bytes, leftBytes, mostBytes, concurrency))) yield { ...range, pack }
    leftBytes -= bytes
  }
  onBegun()
}

/**
 * How long the ranges of a pack should be of which so many bytes are wanted, with so many left in all: so that they fill the pack evenly, and
 * that the last ones of all transfers end at about the same time.
 */
export function fairBytes(packBytes: number, leftBytes: number, mostBytes: number, concurrency: number): number {
  const most = Math.max(mostBytes / smallestShare, Math.min(mostBytes, leftBytes / (2 * concurrency)))
  return Math.ceil((packBytes * 1.1) / Math.max(1, Math.ceil(packBytes / most)))
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
