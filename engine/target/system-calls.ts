import type { BigIntStats } from 'node:fs'
import type { ByteString } from '../base/byte-string.ts'
import { foreignCalls } from './foreign-calls.ts'
import { pathCalls } from './path-calls.ts'

/** A folder that is held open, so that whoever moves or replaces it leads nothing elsewhere. */
export interface OpenFolder {
  /** -1 where the system has no descriptors of folders (Windows). */
  readonly descriptor: number
  /** How node:fs reaches it: by the descriptor where the system allows that. */
  readonly path: Buffer
}

/** An entry that is held, whatever becomes of its name. Symbolic links too; never what one points to. */
export interface OpenEntry {
  /** -1 where the system cannot hold such an entry. */
  readonly descriptor: number
  /** Set where the descriptor takes no call on metadata by itself: the path by which it does. */
  readonly path?: string | Buffer
}

/** Extended attributes of an entry that is held; names with their name space. */
export interface AttributeCalls {
  names(entry: OpenEntry): ByteString[]
  /** Undefined where there is none of this name. */
  value(entry: OpenEntry, name: ByteString): Buffer | undefined
  set(entry: OpenEntry, name: ByteString, value: Uint8Array): void
  remove(entry: OpenEntry, name: ByteString): void
}

/**
 * What a restore asks of the system: names are looked up in an open folder, nothing follows a symbolic link, metadata is that of an
 * entry that is held. Errors have an errno `code` and a `syscall`.
 */
export interface SystemCalls {
  /** Whether times are exact to the ns; else to about 0.25 µs, the precision of a double. */
  readonly exactTimes: boolean
  /** The one place where symbolic links are followed: the folder that the user named may be one. */
  openRoot(path: Buffer): OpenFolder
  /** ELOOP or ENOTDIR where no folder stands there. */
  openFolder(parent: OpenFolder, name: ByteString): OpenFolder
  closeFolder(folder: OpenFolder): void
  statFolder(folder: OpenFolder): BigIntStats
  asEntry(folder: OpenFolder): OpenEntry
  names(folder: OpenFolder): Buffer[]
  /** With O_NOFOLLOW, O_NONBLOCK and the flags given. */
  openFile(folder: OpenFolder, name: ByteString, flags: number, mode: number): number
  openEntry(folder: OpenFolder, name: ByteString): OpenEntry
  closeEntry(entry: OpenEntry): void
  statEntry(entry: OpenEntry): BigIntStats
  /** What stands there now, for decisions that something open confirms. */
  look(folder: OpenFolder, name: ByteString): BigIntStats | undefined
  readLink(folder: OpenFolder, name: ByteString): Buffer
  makeFolder(folder: OpenFolder, name: ByteString, mode: number): void
  makeSymlink(target: Uint8Array, folder: OpenFolder, name: ByteString): void
  makeFifo(folder: OpenFolder, name: ByteString, mode: number): void
  makeLink(from: OpenFolder, original: ByteString, folder: OpenFolder, name: ByteString): void
  rename(folder: OpenFolder, from: ByteString, to: ByteString): void
  /** Of anything but a folder. */
  remove(folder: OpenFolder, name: ByteString): void
  /** -1 leaves a user or group as it is. */
  setOwner(entry: OpenEntry, uid: number, gid: number): void
  setMode(entry: OpenEntry, mode: number): void
  /** Sets the modification time; the access time stays where it can. */
  setModified(entry: OpenEntry, mtimeNs: bigint): void
  /** Undefined where the system has none, or has them elsewhere. */
  readonly attributes?: AttributeCalls
}

/** Through koffi where it loads (Linux, macOS), else with what Node and the shell have. Never rejects. */
export async function loadSystemCalls(): Promise<SystemCalls> {
  try {
    return (await foreignCalls()) ?? pathCalls
  } catch {
    return pathCalls
  }
}
