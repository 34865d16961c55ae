import { availableParallelism } from 'node:os'
import { HeapKeeper } from '../../base/memory.ts'
import { BlobSink } from '../../pipeline/blob-sink.ts'
import { FileReading } from '../../pipeline/file-reading.ts'
import { JournalWriter } from '../../pipeline/journal-writer.ts'
import { discardPack, PackFlow } from '../../pipeline/pack-flow.ts'
import { SlabPool, slabSize } from '../../pipeline/slab-pool.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { Uploader } from '../../pipeline/uploader.ts'
import { WorkerPool, workerCount } from '../../pipeline/worker-pool.ts'
import { BlobHasher } from '../../repository/blob-id.ts'
import { systemRandom } from '../../repository/crypto.ts'
import type { SealedPack } from '../../repository/pack-info.ts'
import type { BackupJob } from '../../protocol/job.ts'
import { maxBlobBytes, type RepositoryConfig } from '../../repository/config.ts'
import type { SourceKeys } from '../../pipeline/worker-messages.ts'
import type { CommandContext } from '../context.ts'
import type { OpenBackup } from './open-backup.ts'
import type { Room } from './room.ts'

/** 32 MiB of file data under way: enough to keep every thread at work while one batch is read and one uploaded. */
const slabCount = 4
/** zstd: a tenth slower than level 1 for a twentieth less. */
const compressionLevel = 2

const mebibyte = 1024 * 1024

/** From here on a round trip more is a small part of what the pack takes. */
const worthwhileBytes = 4 * mebibyte


/** What the threads leave of it is the main thread's: with two of them 64 MiB, with three 44. */
const heapBudget = 104 * mebibyte
const threadBytes = 20 * mebibyte

/** What the stages store into, and of a sync what they read. */
export interface MachineParts extends Pick<OpenBackup, 'catalog' | 'repository' | 'storage' | 'spool'> {
  readonly source?: { readonly keys: SourceKeys; readonly config: RepositoryConfig }
}

interface RunParts {
  readonly tally: Tally
  /** Absent: nothing is kept free in the storage. */
  readonly room?: Room
  /** Bytes of files that are left to store besides those that were taken; undefined where nobody can tell. */
  readonly leftBytes?: (takenBytes: number) => number | undefined
  /** Notes in the catalog how far the run has come; called with every pack, in its transaction. */
  readonly recordReached: () => void
}

/** The stages from reading to uploading, joined for one run. Ends and fails as one: see `failure`. */
export class Machine implements AsyncDisposable {
  readonly sink: BlobSink
  readonly journal: JournalWriter
  readonly uploader: Uploader
  readonly flow: PackFlow
  readonly pool: WorkerPool
  readonly slabs: SlabPool
  readonly #heap = new HeapKeeper(heapBudget - workerCount() * threadBytes)
  readonly #context: CommandContext
  readonly #recordReached: () => void
  readonly #failure = new AbortController()
  /** Fires when the run is stopped or a stage has failed: nothing new begins. */
  readonly signal: AbortSignal

  constructor(job: Pick<BackupJob, 'dryRun' | 'onFailure'>, context: CommandContext, backup: MachineParts, { tally, room, leftBytes, recordReached }: RunParts) {
    this.#recordReached = recordReached
    const { catalog, repository, storage, source } = backup
    this.#context = context
    this.signal = AbortSignal.any([context.signal, this.#failure.signal])
    const cancelSignal = context.cancelSignal ?? context.signal
    const transferSignal = job.onFailure === 'cancel' ? AbortSignal.any([cancelSignal, this.#failure.signal]) : cancelSignal
    const most = packSize(catalog.packs.totalBytes())
    const isFar = storage.backend.traits.distance === 'far'
    const packBytes = (): number => isFar ? fairPackBytes(leftBytes?.(this.sink.takenBytes), most, storage.concurrency) : most
    this.slabs = new SlabPool(slabCount, this.signal, source && source.config.chunker.maxBytes > slabSize ? maxBlobBytes : slabSize)
    this.pool = new WorkerPool({
      ...(source ? { source: source.keys } : {}), slabs: this.slabs.slabs, keys: repository.keys, chunker: repository.config.chunker, compressionLevel, spoolFolder: backup.spool,
    })
    this.journal = new JournalWriter(catalog)
    const onUploaded = (pack: SealedPack): void => { if (pack.contents.kind === 'data') tally.bytes.uploaded += rawBytes(pack) }
    this.uploader = new Uploader({ backend: storage.backend, catalog, retry: storage.retry, random: systemRandom, onUploaded })
    this.flow = new PackFlow({
      concurrency: storage.concurrency, pauseGate: context.pauseGate, signal: this.signal, transferSignal,
      record: (pack) => catalog.transaction(() => {
        this.journal.flush()
        recordReached()
        return this.uploader.record(pack)
      }),
      upload: async (entry, signal) => {
        await room?.take(entry.size, signal)
        await this.uploader.upload(entry, signal)
      },
    })
    const onPack = job.dryRun
      ? async (pack: SealedPack): Promise<void> => {
          discardPack(pack)
          onUploaded(pack)
        }
      : (pack: SealedPack): Promise<void> => this.flow.add(pack)
    this.sink = new BlobSink({
      ...(isFar ? { worthwhileBytes } : {}), pool: this.pool, slabs: this.slabs, catalog, hasher: new BlobHasher(repository.keys.blobId), packBytes, onPack, signal: this.signal,
      onDeduplicated: (bytes) => { tally.bytes.deduplicated += bytes },
    }, availableParallelism() + 1)
    this.#watch(this.sink.done)
    this.#watch(this.flow.done)
  }

  /** A reading stage for one pass over the source. @param looks whether to look how files begin */
  reading(looks: boolean): FileReading {
    const { pool, slabs, sink, signal } = this
    const reading = new FileReading({ pool, slabs, sink, pauseGate: this.#context.pauseGate, looks, signal }, slabCount)
    this.#watch(reading.done)
    return reading
  }

  /** Everything that was given so far is stored. */
  async flush(): Promise<void> {
    await this.sink.flush()
    await this.flow.flush()
    this.journal.flush()
    this.#heap.relieve()
    this.signal.throwIfAborted()
  }

  /** Ends all stages; what is uploading finishes, unless it is told to break off. */
  async stop(error: unknown): Promise<void> {
    this.#failure.abort(error)
    await Promise.allSettled([this.sink.done, this.flow.done])
    this.journal.flush()
    this.#recordReached()
  }

  /** What went wrong first, when a stage failed. */
  get failure(): unknown {
    const reason: unknown = this.#failure.signal.reason
    return reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heap[Symbol.dispose]()
    this.sink.close()
    this.flow.close()
    await Promise.allSettled([this.sink.done, this.flow.done])
    await this.pool[Symbol.asyncDispose]()
  }

  #watch(stage: Promise<void>): void {
    stage.catch((error: unknown) => { this.#failure.abort(error) })
  }
}

/** 16 MiB at first; larger in large repositories, so that the number of objects stays manageable. */
export function packSize(repositoryBytes: number): number {
  return Math.min(64, Math.max(16, Math.round(repositoryBytes / (2048 * mebibyte)))) * mebibyte
}

/**
 * How large the next packs should be, so that all transfers end at about the same time: smaller and smaller ones towards the end of what is left.
 * (Polychronopoulos, Kuck: "Guided Self-Scheduling", IEEE Trans. Computers C-36 (12), 1987.)
 */
export function fairPackBytes(leftBytes: number | undefined, mostBytes: number, concurrency: number): number {
  if (leftBytes === undefined) return mostBytes
  return Math.min(mostBytes, Math.max(worthwhileBytes, Math.floor(leftBytes / concurrency)))
}

/** Bytes of files, or of trees, that a pack holds. */
export function rawBytes(pack: SealedPack): number {
  return pack.contents.segments.reduce((sum, { rawLength, blobs }) => sum + (blobs.length > 0 ? rawLength : 0), 0)
}
