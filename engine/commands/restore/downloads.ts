import { throwIfAborted } from '../../base/abort.ts'
import { hasCode } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import { packObject } from '../../repository/names.ts'
import type { PackSegment } from '../../repository/pack-info.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { SegmentRange } from '../../repository/ranges.ts'
import type { Repository } from '../../repository/repository.ts'
import type { FileTask, SegmentTask } from '../../source/target/messages.ts'
import type { WriterPool } from '../../source/target/writer-pool.ts'
import type { RestoreWindow, RestoringFile, SegmentWork } from './window.ts'

/**
 * Stored bytes of one request, which is one thread's task. From a disk requests cost nothing, and short tasks keep all threads busy to
 * the end of a window; from afar each costs a round trip.
 */
const rangeBytes = { near: 2 * 1024 * 1024, far: 8 * 1024 * 1024 } as const

interface DownloadOptions {
  readonly repository: Repository
  readonly pool: WriterPool
  /** Ranges fetched or waiting for their threads at a time; with up to 8 MiB each (one larger segment: 16) this bounds the memory. */
  readonly parallel: number
  /** Waits while the run is paused. */
  readonly gate: () => Promise<void>
  /** A chunk (of so many bytes) was written. */
  readonly onWritten: (bytes: number) => void
  /** Nothing is left to write of the file; it may have failed. */
  readonly onComplete: (file: RestoringFile) => Promise<void>
}

interface PackRange extends SegmentRange {
  readonly pack: string
}

/** Fetches what a window needs and has it written; neighbouring segments come with one request. Packs that are gone are returned. */
export class Downloads {
  readonly #options: DownloadOptions
  readonly #rangeBytes: number

  constructor(options: DownloadOptions) {
    this.#options = options
    this.#rangeBytes = options.repository.backend.traits.stagingFolder === undefined ? rangeBytes.far : rangeBytes.near
  }

  /** @returns packs that no longer exist, with the work that waits for them. Errors: those of the storage. */
  async run(window: RestoreWindow, signal: AbortSignal): Promise<Map<string, Map<number, SegmentWork>>> {
    const gone = new Map<string, Map<number, SegmentWork>>()
    for (const file of window.complete) await this.#options.onComplete(file)
    await forEachParallel(rangesOf(window, this.#rangeBytes), this.#options.parallel, signal, async (range, until) => {
      await this.#options.gate()
      try {
        await this.#fetch(range, window.packs.get(range.pack) ?? new Map(), until)
      } catch (error) {
        if (!hasCode(error, 'not-found')) throw error
        const work = gone.get(range.pack) ?? new Map<number, SegmentWork>()
        gone.set(range.pack, work)
        for (const { offset } of range.segments) copyWork(window, range.pack, offset, work)
      }
    })
    return gone
  }

  async #fetch(range: PackRange, segments: ReadonlyMap<number, SegmentWork>, signal: AbortSignal): Promise<void> {
    const { backend } = this.#options.repository
    const wanted = range.segments.flatMap(({ offset }) => segments.get(offset) ?? [])
    let bytes: Uint8Array
    try {
      bytes = await backend.get(packObject(range.pack), { offset: range.offset, length: range.length }, signal)
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error
      const failure = { code: 'damaged', message: `pack ${range.pack} ends too early` }
      for (const file of filesOf(wanted)) file.failure ??= failure
      await this.#settle(wanted)
      return
    }
    throwIfAborted(signal)
    await this.#write(range, wanted, bytes)
  }

  async #write(range: PackRange, wanted: readonly SegmentWork[], bytes: Uint8Array): Promise<void> {
    const files = filesOf(wanted)
    const numbers = new Map(files.map((file, index) => [file, index]))
    const { failures } = await this.#options.pool.run({
      type: 'segments',
      pack: range.pack,
      bytes,
      segments: wanted.map((work) => segmentTask(work, range.offset, numbers)),
      files: files.map((file): FileTask => ({ file: file.spec, whole: file.whole })),
    })
    for (const { file: number, ...failure } of failures) {
      const file = files[number]
      if (file) file.failure ??= failure
    }
    await this.#settle(wanted)
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
    const wanted = [...segments.values()].map(({ location }): PackSegment => ({ offset: location.segmentOffset, storedLength: location.storedLength, rawLength: location.rawLength, compression: location.compression, blobs: [] }))
    for (const range of planRanges(wanted, maxBytes)) yield { ...range, pack }
  }
}

function copyWork(window: RestoreWindow, pack: string, offset: number, into: Map<number, SegmentWork>): void {
  const work = window.packs.get(pack)?.get(offset)
  if (work) into.set(offset, work)
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
    blobs: [...blobs].map(([offsetInSegment, { id, length, writes }]) => ({
      id,
      offsetInSegment,
      length,
      writes: writes.flatMap(({ file, offset }) => [numbers.get(file) ?? -1, offset]),
    })),
  }
}
