import type { ExpectedChunk } from './compare.ts'
import type { Loss } from './dress.ts'
import type { FileSpec } from './file-spec.ts'
import type { EntryPlace } from './folders.ts'
import type { PackedFiles } from './packed-files.ts'

/** What a writing thread is started with. */
export interface WriterSetup {
  /** The target, held open for all threads until the last one ended: its path may lead elsewhere by now. */
  readonly root: { readonly descriptor: number; readonly path: Uint8Array }
  readonly asRoot: boolean
  readonly packsKey: Uint8Array
  readonly blobIdKey: Uint8Array
}

export interface SegmentTask {
  /** Where the segment begins in the task's bytes. */
  readonly at: number
  readonly storedLength: number
  readonly rawLength: number
  readonly compression: 'none' | 'zstd'
  readonly blobCount: number
  /** Ids of the wanted blobs, one after the other. */
  readonly ids: Uint8Array
  /** For each: offset in the segment, length, and of how many stretches of files it is. */
  readonly blobs: Float64Array
  /** Of all blobs in order, pairs: index in the task's `files`, offset in that file. */
  readonly writes: Float64Array
}

export type WriterTask =
  /** Opens segments of one pack and writes what is in them; a file whose only chunk this is gets finished at once. */
  | { readonly type: 'segments'; readonly pack: string; readonly bytes: Uint8Array; readonly segments: readonly SegmentTask[]; readonly files: PackedFiles }
  /** All parts are written (or there are none): the files get their metadata and names. */
  | { readonly type: 'finish'; readonly files: readonly FileSpec[] }
  /** Takes half-written files away. */
  | { readonly type: 'discard'; readonly files: readonly FileSpec[] }
  /** Which stretches of the file with this inode, under its own or its temporary name, are there already; none of another file. */
  | { readonly type: 'compare'; readonly place: EntryPlace; readonly inode: bigint; readonly chunks: readonly ExpectedChunk[] }
  /** Nothing comes after this; it has no answer. */
  | { readonly type: 'end' }

/** A thread's answer, one for each task but `end`, in order. */
export interface WriterAnswer {
  /** By index in the task's `files`: what went wrong. */
  readonly failures: readonly WriterFailure[]
  /** By index likewise: what of their metadata the target did not take. */
  readonly losses?: readonly FileLosses[]
  /** For `segments`: blobs that could not be had from these bytes. Nothing was written of them, their files have not failed. */
  readonly unread?: readonly UnreadBlob[]
  /** For `compare`. */
  readonly intact?: Uint8Array
}

export interface UnreadBlob {
  /** Index in the task's `segments`, and in that segment's `blobs`. */
  readonly segment: number
  readonly blob: number
  readonly message: string
}

export interface FileLosses {
  readonly file: number
  readonly losses: readonly Loss[]
}

export interface WriterFailure {
  readonly file: number
  /** An errno name or an error code of ours. */
  readonly code: string
  readonly message: string
}
