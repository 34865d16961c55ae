import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'

/** What tells that a file is still the one that was seen: size, mtime ns, ctime ns, inode. */
export const statWidth = 4

export interface ReadOutcome {
  readonly outcome: 'same' | 'newer' | 'torn' | 'grown'
  readonly bytes: number
}

// Not to follow a symlink that took the file's place; not to hang on a FIFO that did.
export const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The coarsest tick of a kernel's file times, with room: two writes within it may carry the same time. */
const tickMs = 12
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Reads a whole file to `target` at `start`. When the file is not what `stats` (at `at`) says, it is read once more and `stats` are set
 * to what was found. Throws the system's error when the file cannot be read.
 */
export function readWhole(path: string | Buffer, target: Uint8Array, start: number, limit: number, stats: BigInt64Array, at: number): ReadOutcome {
  waitOutTick(stats[at + 2] ?? 0n)
  const descriptor = openSync(path, openFlags)
  try {
    const first = attempt(descriptor, target, start, limit, stats, at)
    if (first.outcome === 'same' || first.outcome === 'grown') return first
    waitOutTick(stats[at + 2] ?? 0n)
    const second = attempt(descriptor, target, start, limit, stats, at)
    if (second.outcome === 'same') return { outcome: 'newer', bytes: second.bytes }
    if (second.outcome === 'torn') markTorn(stats, at, second.bytes)
    return second
  } finally {
    closeSync(descriptor)
  }
}

function attempt(descriptor: number, target: Uint8Array, start: number, limit: number, stats: BigInt64Array, at: number): ReadOutcome {
  const expected = Number(stats[at] ?? 0n)
  if (expected > limit - start) return { outcome: 'grown', bytes: 0 }
  // One byte more than expected where there is room, so that growth shows.
  const bytes = readFully(descriptor, target, start, Math.min(expected + 1, limit - start), 0)
  const same = takeStats(fstatSync(descriptor, { bigint: true }), stats, at)
  if (same && bytes === expected) return { outcome: 'same', bytes }
  if (Number(stats[at] ?? 0n) > limit - start) return { outcome: 'grown', bytes: 0 }
  return { outcome: 'torn', bytes: Math.min(bytes, expected) }
}

/** Stores what `found` says; false when it differs from what was there. */
export function takeStats(found: Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino'>, stats: BigInt64Array, at: number): boolean {
  const inode = BigInt.asIntN(64, found.ino)
  const same = stats[at] === found.size && stats[at + 1] === found.mtimeNs && stats[at + 2] === found.ctimeNs && stats[at + 3] === inode
  stats[at] = found.size
  stats[at + 1] = found.mtimeNs
  stats[at + 2] = found.ctimeNs
  stats[at + 3] = inode
  return same
}

/** A torn file keeps the size that was read, and no ctime, so that the next run is sure to read it again. */
export function markTorn(stats: BigInt64Array, at: number, bytes: number): void {
  stats[at] = BigInt(bytes)
  stats[at + 2] = 0n
}

/** A file written within the running tick is read after it: a later write then shows in its time. */
export function waitOutTick(ctimeNs: bigint): void {
  const ageMs = Date.now() - Number(ctimeNs / 1_000_000n)
  if (ageMs >= 0 && ageMs < tickMs) Atomics.wait(sleeper, 0, 0, tickMs - ageMs)
}

/** Reads until `length` bytes are there or the file ends; the number that was read. */
export function readFully(descriptor: number, target: Uint8Array, start: number, length: number, position: number): number {
  let got = 0
  while (got < length) {
    const read = readSync(descriptor, target, start + got, length - got, position + got)
    if (read === 0) break
    got += read
  }
  return got
}
