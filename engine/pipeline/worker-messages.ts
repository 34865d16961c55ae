import type { ExtendedAttributes } from '../base/extended-attributes.ts'
import type { WireError } from '../protocol/errors.ts'
import type { Slabs } from '../repository/chunker/slabs.ts'
import type { RepositoryKeys } from '../repository/keys.ts'
import type { PackSegment, SealedPack } from '../repository/pack-info.ts'
import type { BlobKind } from '../snapshot/node.ts'

/** What a worker gets at its start; the keys stay inside this process. */
export interface WorkerSetup {
  readonly slabs: Slabs
  readonly keys: RepositoryKeys
  readonly chunker: { readonly minBytes: number; readonly averageBytes: number; readonly maxBytes: number }
  readonly compressionLevel: number
  /** Folder for packs in the making; exists. */
  readonly spoolFolder: string
  /** What a thread may hold of dead buffers outside V8's heap. */
  readonly garbageBytes: number
  /** Of a sync: the keys of the repository that is read. */
  readonly source?: SourceKeys
}

/** Of a thread of a pool. */
export interface ThreadSetup extends WorkerSetup {
  /** One word, 1 as soon as nobody waits for answers any more. */
  readonly ended: Int32Array<SharedArrayBuffer>
}

export type SourceKeys = Pick<RepositoryKeys, 'packs' | 'blobId'>

/** Stretches of a slab that hold one blob each. */
export interface BlobRanges {
  /** n × 32 bytes. */
  readonly ids: Uint8Array
  /** Offsets in the memory of all slabs. */
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
}

export type WorkerJob =
  /** Ends the thread; the last. */
  | { readonly type: 'end' }
  /** Reads whole small files into a slab, cuts and hashes them. */
  | {
      readonly type: 'files'
      readonly slab: number
      /** What the files are to be opened by, as latin1 byte strings, joined by NUL, which no path holds. */
      readonly addresses: string
      /** Nine numbers a file as the walk saw them, see packStat. */
      readonly stats: BigInt64Array
      /** Whether to look how each begins. */
      readonly looks: boolean
    }
  /** Reads the next stretch of a big file into a slab, cuts and hashes it. */
  | {
      readonly type: 'window'
      readonly slab: number
      readonly descriptor: number
      /** The last cut before: where this window begins. */
      readonly position: number
      /** Whether to look how it begins. */
      readonly looks: boolean
    }
  /** Compresses and encrypts blobs of a slab into the worker's open data packs; those that have `packBytes` then are finished. */
  | { readonly type: 'seal'; readonly blobs: BlobRanges; readonly packBytes: number }
  /** The same for tree blobs, back to back in `bytes`. */
  | { readonly type: 'seal-trees'; readonly bytes: Uint8Array; readonly ids: Uint8Array; readonly lengths: Uint32Array; readonly packBytes: number }
  /** Ends the worker's open packs, whatever they hold. */
  | { readonly type: 'finish' }
  /** Opens segments of a pack that was read back, and checks each blob; `bytes` begins with the first segment. */
  | { readonly type: 'verify'; readonly pack: { readonly name: string; readonly kind: BlobKind }; readonly segments: readonly PackSegment[]; readonly bytes: Uint8Array }
  /** Spill merge: one pack out of several small ones of one kind. */
  | { readonly type: 'merge'; readonly packs: readonly SealedPack[]; readonly kind: BlobKind }
  | RekeyJob

/** Takes blobs out of segments of a sync's source into a slab, each checked against its id there and named as the destination names it. */
export interface RekeyJob {
  readonly type: 'rekey'
  readonly slab: number
  readonly pack: { readonly name: string; readonly kind: BlobKind }
  /** The segments lie in it at `at`; the wanted blobs fit the slab. */
  readonly bytes: Uint8Array
  readonly segments: readonly RekeySegment[]
  /** Of all wanted blobs, segment after segment: n × 32 bytes; offsets in their segments' raw bytes. */
  readonly ids: Uint8Array
  readonly offsets: Uint32Array
  readonly lengths: Uint32Array
}

export interface RekeySegment {
  readonly at: number
  readonly storedLength: number
  readonly rawLength: number
  readonly compression: 'none' | 'zstd'
  readonly blobCount: number
  /** How many of its blobs are wanted. */
  readonly wanted: number
}

export interface RekeyResult {
  readonly type: 'rekeyed'
  /** Those that could be read, in order, with their new ids. */
  readonly blobs: BlobRanges
  /** A byte for each wanted blob: 1 where it could be read. */
  readonly taken: Uint8Array
  /** Why the first that is left out could not be read. */
  readonly failure?: string
}

export interface FilesResult {
  readonly type: 'files'
  /** One byte a file, see FileOutcome. */
  readonly outcomes: Uint8Array
  /** As in the job; only those of files with an outcome other than `same` differ from what was asked. */
  readonly stats: BigInt64Array
  /** Chunks of each file. */
  readonly counts: Uint32Array
  readonly blobs: BlobRanges
  /** Code (`EACCES`, …) of each file with outcome `failed`, in order. */
  readonly errors: readonly string[]
  /** Of the files that have any, or of which some cannot be read, by the file's place in the job. */
  readonly attributes: ReadonlyMap<number, ExtendedAttributes>
  /** One byte a file, see look.ts; zeros where nobody asked. */
  readonly looks: Uint8Array
}

/** How reading a small file went. */
export const fileOutcome = {
  /** Read as the walk saw it. */
  same: 0,
  /** It had changed since the walk; what is stored is one consistent state. */
  newer: 1,
  /** It changed while it was read, twice; what is stored may mix states. */
  torn: 2,
  /** It does not fit the room that its old size was given. */
  grown: 3,
  failed: 4,
} as const

export interface WindowResult {
  readonly type: 'window'
  readonly blobs: BlobRanges
  /** Bytes from the window's position to its last cut. */
  readonly consumed: number
  /** The file ended inside this window. */
  readonly atEnd: boolean
  /** See look.ts. */
  readonly look: number
}

export type WorkerResult =
  | FilesResult
  | WindowResult
  | RekeyResult
  | { readonly type: 'sealed'; readonly packs: readonly SealedPack[] }
  | { readonly type: 'verified' }
  /** The big file cannot be read; the system's code. */
  | { readonly type: 'failed'; readonly reason: string }

/** What passes between the threads: one job at a time each. */
export type WorkerReply =
  | { readonly ok: true; readonly result: WorkerResult }
  | { readonly ok: false; readonly error: WireError }
