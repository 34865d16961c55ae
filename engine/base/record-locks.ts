import { statfsSync } from 'node:fs'
import { libc } from './libc.ts'

/** Of fcntl.h on Linux: locks that belong to the open file, so that another descriptor of this process that closes does not end them. */
const setLock = 37
const readLock = 0
const unlocked = 2
/** Bytes of `struct flock` with offsets of 64 bits. */
const lockBytes = 32

/** `f_type` of file systems that ask a server, or a program, for a lock: that may take any time. linux/magic.h, and where each is defined. */
const remote: ReadonlySet<number> = new Set([
  0x6969, // nfs
  0x517b, 0xff534d42, 0xfe534d42, // smb, cifs, smb2
  0x65735546, // fuse
  0x5346414f, 0x6b414653, 0xc36400, 0x1021997, 0xbd00bd0, 0x1161970, 0x7461636f, 0x20030528, // afs, kafs, ceph, 9p, lustre, gfs2, ocfs2, orangefs
  0x786f4256, 0xbacbacbc, // folders shared with a virtual machine
])

/**
 * Takes a shared lock on bytes of an open file, as programs see it that lock with fcntl(2); reading is all that the descriptor has to be open
 * for. It ends with `unlock`, when the descriptor is closed, or with the process. Never waits. @returns false where another program has the
 * bytes for itself, on a network's file system, and where the system has no such locks
 */
export function lockShared(descriptor: number, start: number, length: number): boolean {
  return isLocal(descriptor) && apply(descriptor, readLock, start, length)
}

/** Repeating does nothing. */
export function unlock(descriptor: number, start: number, length: number): void {
  apply(descriptor, unlocked, start, length)
}

function apply(descriptor: number, type: number, start: number, length: number): boolean {
  const calls = libc()
  if (!calls) return false
  const lock = Buffer.alloc(lockBytes)
  lock.writeInt16LE(type, 0)
  lock.writeBigInt64LE(BigInt(start), 8)
  lock.writeBigInt64LE(BigInt(length), 16)
  return calls.fcntl(descriptor, setLock, lock) === 0
}

function isLocal(descriptor: number): boolean {
  try {
    return !remote.has(statfsSync(`/proc/self/fd/${String(descriptor)}`).type)
  } catch {
    return false
  }
}
