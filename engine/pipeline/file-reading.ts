import { closeSync, fstatSync, openSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'
import { HoldfastError } from '../base/errors.ts'
import type { PauseGate } from '../base/pause.ts'
import { ContentBuilder } from '../snapshot/content.ts'
import type { BlobId, ContentRef } from '../snapshot/node.ts'
import type { BlobSink } from './blob-sink.ts'
import { Channel } from './channel.ts'
import { stampOf, type ReadStamp } from './file-node.ts'
import { markTorn, openFlags, statWidth, takeStats, waitOutTick } from './file-reader.ts'
import { slabSize, type SlabPool } from './slab-pool.ts'
import { runStage } from './stage.ts'
import { fileOutcome, type FilesResult } from './worker-messages.ts'
import type { WorkerPool } from './worker-pool.ts'

const idLength = 32
/** Small files that one job reads. */
const batchFiles = 256

/** A file whose content has to be read. */
export interface FileTask {
  readonly path: ByteString
  readonly stat: BigIntStats
  /** Called once. */
  readonly onRead: (result: FileRead) => void
}

export type FileRead =
  /** `stored`: some of it was new; `shared`: it was read through another link of the file. */
  | { readonly ok: true; readonly content: ContentRef; readonly stamp: ReadStamp; readonly torn: boolean; readonly stored: boolean; readonly shared?: true }
  /** The system's code, e.g. EACCES. */
  | { readonly ok: false; readonly reason: string }

type ReadTask = { readonly type: 'batch'; readonly files: readonly FileTask[] } | { readonly type: 'big'; readonly file: FileTask }

export interface FileReadingOptions {
  readonly pool: WorkerPool
  readonly slabs: SlabPool
  readonly sink: BlobSink
  readonly pauseGate: PauseGate
  readonly signal: AbortSignal
}

/**
 * The stage that reads: small files in batches, a slab each; big ones window by window. Bounds: as many tasks run at once as there are
 * slabs (each big one holds one descriptor open), as many again wait in the channel, and one batch is being filled.
 */
export class FileReading {
  readonly #options: FileReadingOptions
  readonly #tasks: Channel<ReadTask>
  readonly #stage: Promise<void>
  #batch: FileTask[] = []
  #batchBytes = 0

  constructor(options: FileReadingOptions, concurrency: number) {
    this.#options = options
    this.#tasks = new Channel<ReadTask>(concurrency).failOn(options.signal)
    this.#stage = runStage({ input: this.#tasks, concurrency, work: (task) => this.#read(task) })
    this.#stage.catch(() => undefined)
  }

  /** Ends when all files that were given have been read; rejects when reading or storing failed. */
  get done(): Promise<void> {
    return this.#stage
  }

  /** Waits while too much is under way. */
  async add(file: FileTask): Promise<void> {
    const size = Number(file.stat.size)
    if (size > slabSize) {
      await this.#tasks.send({ type: 'big', file })
      return
    }
    if (this.#batch.length === batchFiles || this.#batchBytes + size > slabSize) await this.flush()
    this.#batch.push(file)
    this.#batchBytes += size
  }

  /** Sends off the batch that is being filled. */
  async flush(): Promise<void> {
    const files = this.#batch
    if (files.length === 0) return
    this.#batch = []
    this.#batchBytes = 0
    await this.#tasks.send({ type: 'batch', files })
  }

  close(): void {
    this.#tasks.close()
  }

  async #read(task: ReadTask): Promise<void> {
    await this.#options.pauseGate.pass(this.#options.signal)
    if (task.type === 'big') await this.#readBig(task.file)
    else await this.#readBatch(task.files)
  }

  async #readBatch(files: readonly FileTask[]): Promise<void> {
    const { pool, slabs, sink } = this.#options
    const slab = await slabs.acquire()
    const stats = new BigInt64Array(files.length * statWidth)
    files.forEach((file, at) => { takeStats(file.stat, stats, at * statWidth) })
    const result = await pool.run({ type: 'files', slab, paths: files.map((file) => file.path).join('\0'), stats })
    if (result.type !== 'files') throw new HoldfastError('internal', 'A worker answered another question.')
    const wanted = await sink.storeData(slab, result.blobs)
    for (const file of settle(files, result, wanted)) await this.#readBig(file)
  }

  async #readBig(file: FileTask): Promise<void> {
    let descriptor: number
    try {
      waitOutTick(file.stat.ctimeNs)
      descriptor = openSync(toFilePath(file.path), openFlags)
    } catch (error) {
      file.onRead({ ok: false, reason: codeOf(error) })
      return
    }
    try {
      file.onRead(await this.#readTwice(descriptor, file))
    } finally {
      closeSync(descriptor)
    }
  }

  /** Once more when the file changed meanwhile; then it is stored as it was read. */
  async #readTwice(descriptor: number, file: FileTask): Promise<FileRead> {
    const stats = new BigInt64Array(statWidth)
    takeStats(file.stat, stats, 0)
    for (let attempt = 1; ; attempt++) {
      const read = await this.#readWindows(descriptor)
      if (typeof read === 'string') return { ok: false, reason: read }
      const found = fstatSync(descriptor, { bigint: true })
      const same = takeStats(found, stats, 0) && read.bytes === Number(found.size)
      if (same) return { ok: true, content: read.content, stamp: stampOf(found), torn: false, stored: read.stored }
      if (attempt === 1) continue
      markTorn(stats, 0, read.bytes)
      return { ok: true, content: read.content, stamp: stampAt(stats, 0), torn: true, stored: read.stored }
    }
  }

  async #readWindows(descriptor: number): Promise<{ content: ContentRef; bytes: number; stored: boolean } | string> {
    const { pool, slabs, sink, pauseGate, signal } = this.#options
    const builder = new ContentBuilder(sink.storeTree)
    let stored = false
    for (let position = 0; ; ) {
      await pauseGate.pass(signal)
      const slab = await slabs.acquire()
      const result = await pool.run({ type: 'window', slab, descriptor, position })
      if (result.type === 'failed') {
        slabs.release(slab)
        return result.reason
      }
      if (result.type !== 'window') throw new HoldfastError('internal', 'A worker answered another question.')
      for (let at = 0; at < result.blobs.lengths.length; at++) builder.add(idAt(result.blobs.ids, at))
      const wanted = await sink.storeData(slab, result.blobs)
      stored ||= wanted.includes(1)
      position += result.consumed
      if (result.atEnd) return { content: builder.finish(), bytes: position, stored }
    }
  }
}

/** Tells each file how it went; the rest has grown beyond its room and is to be read as big. */
function settle(files: readonly FileTask[], result: FilesResult, wanted: Uint8Array): FileTask[] {
  const grown: FileTask[] = []
  let blob = 0
  let error = 0
  files.forEach((file, at) => {
    const outcome = result.outcomes[at] ?? fileOutcome.failed
    if (outcome === fileOutcome.failed) file.onRead({ ok: false, reason: result.errors[error++] ?? 'EIO' })
    else if (outcome === fileOutcome.grown) grown.push(file)
    else {
      const count = result.counts[at] ?? 0
      const ids = Array.from({ length: count }, (_, index) => idAt(result.blobs.ids, blob + index))
      const stored = wanted.subarray(blob, blob + count).includes(1)
      blob += count
      const stamp = outcome === fileOutcome.same ? stampOf(file.stat) : stampAt(result.stats, at * statWidth)
      file.onRead({ ok: true, content: { depth: 0, ids }, stamp, torn: outcome === fileOutcome.torn, stored })
    }
  })
  return grown
}

function stampAt(stats: BigInt64Array, at: number): ReadStamp {
  return { size: Number(stats[at] ?? 0n), mtimeNs: stats[at + 1] ?? 0n, ctimeNs: stats[at + 2] ?? 0n, inode: stats[at + 3] ?? 0n }
}

function idAt(ids: Uint8Array, at: number): BlobId {
  return ids.subarray(at * idLength, (at + 1) * idLength)
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}
