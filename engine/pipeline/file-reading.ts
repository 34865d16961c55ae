import { closeSync } from 'node:fs'
import type { ByteString } from '../base/byte-string.ts'
import type { EntryStat } from '../base/entry-stat.ts'
import { AttributeReader, type ExtendedAttributes } from '../base/extended-attributes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { PauseGate } from '../base/pause.ts'
import { ContentBuilder } from '../snapshot/content.ts'
import type { BlobId, ContentRef } from '../snapshot/node.ts'
import type { BlobSink } from './blob-sink.ts'
import { Channel } from './channel.ts'
import type { Folder } from '../source/folder.ts'
import { markTorn, openFile, packStat, statWidth, takeStat, unpackStat, waitOutTick } from './file-reader.ts'
import { slabSize, type SlabPool } from './slab-pool.ts'
import { runStage } from './stage.ts'
import { fileOutcome, type FilesResult } from './worker-messages.ts'
import type { WorkerPool } from './worker-pool.ts'

const idLength = 32
/** Small files that one job reads. */
const batchFiles = 256
/** Folders of a batch: each costs a descriptor until the batch is read, and some ten batches are under way. */
const batchFolders = 48

/** A file whose content has to be read. */
export interface FileTask {
  /** Held until the file has been read. */
  readonly folder: Pick<Folder, 'address' | 'attributes' | 'hold' | 'release'>
  readonly name: ByteString
  readonly stat: EntryStat
  /** Called once. */
  readonly onRead: (result: FileRead) => void
}

export type FileRead =
  /**
   * `stat`: as it was when it was read, newer than the walk's where the file changed in between; `stored`: some of it was new; `shared`: it
   * was read through another link of the file, and was new there or not; `look`: how it begins, see look.ts.
   */
  | { readonly ok: true; readonly content: ContentRef; readonly stat: EntryStat; readonly attributes: ExtendedAttributes; readonly torn: boolean; readonly stored: boolean; readonly shared?: 'stored' | 'known'; readonly look: number }
  /** The system's code, e.g. EACCES, or `replaced`. */
  | { readonly ok: false; readonly reason: string }

type ReadTask = { readonly type: 'batch'; readonly files: readonly FileTask[] } | { readonly type: 'big'; readonly file: FileTask }

export interface FileReadingOptions {
  readonly pool: WorkerPool
  readonly slabs: SlabPool
  readonly sink: BlobSink
  readonly pauseGate: PauseGate
  /** Whether somebody wants to know how files begin. */
  readonly looks: boolean
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
  readonly #attributes = AttributeReader.load()
  /** Given, and not read yet. */
  readonly #held = new Set<FileTask>()
  #batch: FileTask[] = []
  #batchBytes = 0
  readonly #batchFolders = new Set<FileTask['folder']>()

  constructor(options: FileReadingOptions, concurrency: number) {
    this.#options = options
    this.#tasks = new Channel<ReadTask>(concurrency).failOn(options.signal)
    this.#stage = runStage({ input: this.#tasks, concurrency, work: (task) => this.#read(task) }).finally(() => {
      for (const file of this.#held) file.folder.release()
      this.#held.clear()
    })
    this.#stage.catch(() => undefined)
  }

  /** Ends when all files that were given have been read; rejects when reading or storing failed. */
  get done(): Promise<void> {
    return this.#stage
  }

  /** Waits while too much is under way. */
  async add(file: FileTask): Promise<void> {
    file.folder.hold()
    this.#held.add(file)
    if (file.stat.size > slabSize) {
      await this.#tasks.send({ type: 'big', file })
      return
    }
    const size = Number(file.stat.size)
    const folders = this.#batchFolders.has(file.folder) ? 0 : 1
    if (this.#batch.length === batchFiles || this.#batchBytes + size > slabSize || this.#batchFolders.size + folders > batchFolders) await this.flush()
    this.#batch.push(file)
    this.#batchBytes += size
    this.#batchFolders.add(file.folder)
  }

  /** Sends off the batch that is being filled. */
  async flush(): Promise<void> {
    const files = this.#batch
    if (files.length === 0) return
    this.#batch = []
    this.#batchBytes = 0
    this.#batchFolders.clear()
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

  #answer(file: FileTask, result: FileRead): void {
    if (this.#held.delete(file)) file.folder.release()
    file.onRead(result)
  }

  async #readBatch(batch: readonly FileTask[]): Promise<void> {
    const { pool, slabs, sink, looks } = this.#options
    const slab = await slabs.acquire()
    const addresses: ByteString[] = []
    const files = batch.filter((file) => {
      const address = file.folder.address(file.name)
      if (address.ok) addresses.push(address.value)
      else this.#answer(file, { ok: false, reason: address.failure.reason })
      return address.ok
    })
    if (files.length === 0) {
      slabs.release(slab)
      return
    }
    const stats = new BigInt64Array(files.length * statWidth)
    files.forEach((file, at) => { packStat(file.stat, stats, at * statWidth) })
    const result = await pool.run({ type: 'files', slab, addresses: addresses.join('\0'), stats, looks })
    if (result.type !== 'files') throw new HoldfastError('internal', 'A worker answered another question.')
    const wanted = await sink.storeData(slab, result.blobs)
    const grown = settle(files, result, wanted, (file, read) => { this.#answer(file, read) })
    for (const file of grown) await this.#readBig(file)
  }

  async #readBig(file: FileTask): Promise<void> {
    const address = file.folder.address(file.name)
    if (!address.ok) {
      this.#answer(file, { ok: false, reason: address.failure.reason })
      return
    }
    let descriptor: number
    try {
      waitOutTick(file.stat.ctimeNs)
      descriptor = openFile(address.value, file.stat.uid)
    } catch (error) {
      this.#answer(file, { ok: false, reason: codeOf(error) })
      return
    }
    try {
      this.#answer(file, await this.#readTwice(descriptor, file.stat))
    } finally {
      closeSync(descriptor)
    }
  }

  /** Once more when the file changed meanwhile; then it is stored as it was read. */
  async #readTwice(descriptor: number, seen: EntryStat): Promise<FileRead> {
    const stats = new BigInt64Array(statWidth)
    try {
      takeStat(descriptor, stats, 0)
      for (let attempt = 1; ; attempt++) {
        const read = await this.#readWindows(descriptor)
        if (typeof read === 'string') return { ok: false, reason: read }
        const { content, bytes, stored, look } = read
        const attributes = this.#attributes?.ofDescriptor(descriptor, seen.device) ?? { found: [] }
        const same = takeStat(descriptor, stats, 0) && bytes === Number(stats[0])
        if (!same && attempt === 1) continue
        if (!same) markTorn(stats, 0, bytes)
        return { ok: true, content, stat: unpackStat(stats, 0, seen), attributes, torn: !same, stored, look }
      }
    } catch (error) {
      return { ok: false, reason: codeOf(error) }
    }
  }

  async #readWindows(descriptor: number): Promise<{ content: ContentRef; bytes: number; stored: boolean; look: number } | string> {
    const { pool, slabs, sink, pauseGate, looks, signal } = this.#options
    const builder = new ContentBuilder(sink.storeTree)
    let stored = false
    let look = 0
    for (let position = 0; ; ) {
      await pauseGate.pass(signal)
      const slab = await slabs.acquire()
      const result = await pool.run({ type: 'window', slab, descriptor, position, looks: looks && position === 0 })
      if (result.type === 'failed') {
        slabs.release(slab)
        return result.reason
      }
      if (result.type !== 'window') throw new HoldfastError('internal', 'A worker answered another question.')
      for (let at = 0; at < result.blobs.lengths.length; at++) builder.add(idAt(result.blobs.ids, at))
      const wanted = await sink.storeData(slab, result.blobs)
      stored ||= wanted.includes(1)
      if (position === 0) look = result.look
      position += result.consumed
      if (result.atEnd) return { content: builder.finish(), bytes: position, stored, look }
    }
  }
}

/** Tells each file how it went; the rest has grown beyond its room and is to be read as big. */
function settle(files: readonly FileTask[], result: FilesResult, wanted: Uint8Array, answer: (file: FileTask, read: FileRead) => void): FileTask[] {
  const grown: FileTask[] = []
  let blob = 0
  let error = 0
  files.forEach((file, at) => {
    const outcome = result.outcomes[at] ?? fileOutcome.failed
    if (outcome === fileOutcome.failed) answer(file, { ok: false, reason: result.errors[error++] ?? 'EIO' })
    else if (outcome === fileOutcome.grown) grown.push(file)
    else {
      const count = result.counts[at] ?? 0
      const ids = Array.from({ length: count }, (_, index) => idAt(result.blobs.ids, blob + index))
      const stored = wanted.subarray(blob, blob + count).includes(1)
      blob += count
      const stat = outcome === fileOutcome.same ? file.stat : unpackStat(result.stats, at * statWidth, file.stat)
      answer(file, { ok: true, content: { depth: 0, ids }, stat, attributes: result.attributes.get(at) ?? { found: [] }, torn: outcome === fileOutcome.torn, stored, look: result.looks[at] ?? 0 })
    }
  })
  return grown
}

function idAt(ids: Uint8Array, at: number): BlobId {
  return ids.subarray(at * idLength, (at + 1) * idLength)
}

/** What a file cannot be read for; all else ends the run. */
function codeOf(error: unknown): string {
  if (error instanceof Error && !(error instanceof HoldfastError) && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}
