import { throwIfAborted } from '../../base/abort.ts'
import { hasCode } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import { packObject } from '../../repository/names.ts'
import type { PackSegment } from '../../repository/pack-info.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { SegmentRange } from '../../repository/ranges.ts'
import type { Repository } from '../../repository/repository.ts'
import type { FileTask, SegmentTask, WriterFailure } from '../../source/target/messages.ts'
import type { WriterPool } from '../../source/target/writer-pool.ts'
import type { RestoreWindow, RestoringFile, SegmentWork } from './window.ts'

/** Stored bytes that one task brings to a thread: small enough to keep all threads busy to the end of a window. */
const taskBytes = 2 * 1024 * 1024

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

  constructor(options: DownloadOptions) {
    this.#options = options
  }

  /** @returns packs that no longer exist, with the work that waits for them. Errors: those of the storage. */
  async run(window: RestoreWindow, signal: AbortSignal): Promise<Map<string, Map<number, SegmentWork>>> {
    const gone = new Map<string, Map<number, SegmentWork>>()
    for (const file of window.complete) await this.#options.onComplete(file)
    await forEachParallel(rangesOf(window), this.#options.parallel, signal, async (range, until) => {
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
      await this.#settle(filesOf(wanted), new Map(), { file: 0, code: 'damaged', message: `pack ${range.pack} ends too early` }, wanted)
      return
    }
    throwIfAborted(signal)
    await Promise.all(inTasks(wanted).map((group) => this.#write(range, group, bytes)))
  }

  async #write(range: PackRange, group: readonly SegmentWork[], bytes: Uint8Array): Promise<void> {
    const files = filesOf(group)
    const numbers = new Map(files.map((file, index) => [file, index]))
    const from = (group[0]?.location.segmentOffset ?? 0) - range.offset
    const last = group.at(-1)?.location
    const to = last ? last.segmentOffset + last.storedLength - range.offset : from
    const answer = await this.#options.pool.run({
      type: 'segments',
      pack: range.pack,
      bytes: from === 0 && to === bytes.length ? bytes : bytes.slice(from, to),
      segments: group.map((work) => segmentTask(work, range.offset + from, numbers)),
      files: files.map((file): FileTask => ({ file: file.spec, whole: file.whole })),
    })
    await this.#settle(files, new Map(answer.failures.map((failure) => [failure.file, failure])), undefined, group)
  }

  async #settle(files: readonly RestoringFile[], failures: ReadonlyMap<number, WriterFailure>, all: WriterFailure | undefined, group: readonly SegmentWork[]): Promise<void> {
    for (const [index, file] of files.entries()) {
      const failure = all ?? failures.get(index)
      if (failure) file.failure ??= failure
    }
    for (const work of group) {
      for (const { length, writes } of work.blobs.values()) {
        for (const { file } of writes) {
          file.left -= 1
          if (!file.failure) this.#options.onWritten(length)
        }
      }
    }
    for (const file of files) if (file.left === 0 && file.planned) await this.#options.onComplete(file)
  }
}

function* rangesOf(window: RestoreWindow): Generator<PackRange> {
  for (const [pack, segments] of window.packs) {
    const wanted = [...segments.values()].map(({ location }): PackSegment => ({ offset: location.segmentOffset, storedLength: location.storedLength, rawLength: location.rawLength, compression: location.compression, blobs: [] }))
    for (const range of planRanges(wanted)) yield { ...range, pack }
  }
}

function copyWork(window: RestoreWindow, pack: string, offset: number, into: Map<number, SegmentWork>): void {
  const work = window.packs.get(pack)?.get(offset)
  if (work) into.set(offset, work)
}

/** Neighbouring segments together, up to taskBytes. */
function inTasks(segments: readonly SegmentWork[]): SegmentWork[][] {
  const tasks: SegmentWork[][] = []
  let bytes = Infinity
  for (const work of segments) {
    if (bytes + work.location.storedLength > taskBytes) {
      tasks.push([])
      bytes = 0
    }
    tasks.at(-1)?.push(work)
    bytes += work.location.storedLength
  }
  return tasks
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
