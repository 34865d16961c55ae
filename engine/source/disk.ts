import { lstatSync, readdirSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'
import { attempt } from './failure.ts'
import { openSystemFolder, type Folder } from './folder.ts'

/** What reading the source can meet without being wrong: it goes on, and the summary says so. */
export interface DiskFailure {
  readonly code: 'unreadable' | 'vanished'
  /** The system's code, e.g. EACCES. */
  readonly reason: string
}

export type DiskResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: DiskFailure }

/** What a backup asks of the user's disk. A failure is an answer; only defects throw. */
export interface Disk {
  /** Metadata without following a symlink in the last place, times in ns. For what only counts or asks; the walk goes by `folder`. */
  stat(path: ByteString): DiskResult<BigIntStats>
  /** Names of a directory in byte order, without `.` and `..`. As `stat`. */
  names(path: ByteString): DiskResult<ByteString[]>
  /** A folder by its absolute path, of any length. Symlinks are followed, here alone: it is what a person named. */
  folder(path: ByteString): DiskResult<Folder>
}

export const systemDisk: Disk = {
  stat: (path) => attempt(() => lstatSync(toFilePath(path), { bigint: true })),
  names: (path) => attempt(() => readdirSync(toFilePath(path), 'latin1').sort()),
  folder: openSystemFolder,
}
