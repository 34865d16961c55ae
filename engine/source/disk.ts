import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'

/** What reading the source can meet without being wrong: it goes on, and the summary says so. */
export interface DiskFailure {
  readonly code: 'unreadable' | 'vanished'
  /** The system's code, e.g. EACCES. */
  readonly reason: string
}

export type DiskResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: DiskFailure }

/** What a backup asks of the user's disk. A failure is an answer; only defects throw. */
export interface Disk {
  /** Metadata without following symlinks, times in ns. */
  stat(path: ByteString): DiskResult<BigIntStats>
  /**
   * Names of a directory in byte order, without `.` and `..`. They are the one thing held whole for a directory: about 60 bytes each,
   * so a million files in one folder take 60 MB for as long as it is walked.
   */
  names(path: ByteString): DiskResult<ByteString[]>
  link(path: ByteString): DiskResult<Uint8Array>
}

export const systemDisk: Disk = {
  stat: (path) => attempt(() => lstatSync(toFilePath(path), { bigint: true })),
  names: (path) => attempt(() => readdirSync(toFilePath(path), 'latin1').sort()),
  link: (path) => attempt(() => readlinkSync(toFilePath(path), 'buffer')),
}

/** Sorts a system error into what a backup reports. */
function diskFailure(reason: string): DiskFailure {
  return { code: reason === 'ENOENT' || reason === 'ENOTDIR' ? 'vanished' : 'unreadable', reason }
}

function attempt<T>(work: () => T): DiskResult<T> {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    return { ok: false, failure: diskFailure(error.code) }
  }
}
