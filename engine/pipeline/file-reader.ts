import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'
import { entryStat, type EntryStat } from '../base/entry-stat.ts'
import { hasErrno } from '../base/errno.ts'

/** What tells that a file is still the one that was seen, and what is stored of it: see packStat. */
export const statWidth = 9

export interface ReadOutcome {
  readonly outcome: 'same' | 'newer' | 'torn' | 'grown'
  readonly bytes: number
}

// Not to follow a symlink that took the file's place; not to hang on a FIFO that did.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const ownUser = process.getuid?.() ?? -1

/** Told instead of a system's code when something that is no file stands where a file was. */
export const replaced = 'REPLACED'

/** The coarsest tick of a kernel's file times, with room: two writes within it may carry the same time. */
const tickMs = 12
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Puts a file's metadata into nine numbers that pass between threads. */
export function packStat(stat: EntryStat, stats: BigInt64Array, at: number): void {
  const values = [
    BigInt.asIntN(64, stat.size), stat.mtimeNs, stat.ctimeNs, BigInt.asIntN(64, stat.inode), BigInt.asIntN(64, stat.device), BigInt(stat.mode), BigInt(stat.uid),
    BigInt(stat.gid), BigInt(stat.linkCount * 2 + (stat.sparse ? 1 : 0)),
  ]
  for (let index = 0; index < statWidth; index++) stats[at + index] = values[index] ?? 0n
}

/** What packStat was given; the rest is as `seen` has it where that is the same file. */
export function unpackStat(stats: BigInt64Array, at: number, seen: EntryStat): EntryStat {
  const value = (index: number): bigint => stats[at + index] ?? 0n
  const inode = BigInt.asUintN(64, value(3))
  const { birthNs, ...others } = seen
  const links = Number(value(8))
  return {
    ...others, size: value(0), mtimeNs: value(1), ctimeNs: value(2), inode, device: BigInt.asUintN(64, value(4)), mode: Number(value(5)), uid: Number(value(6)),
    gid: Number(value(7)), linkCount: Math.floor(links / 2), sparse: links % 2 === 1, ...(birthNs !== undefined && inode === seen.inode ? { birthNs } : {}),
  }
}

/** A file as it can be read without leaving a trace where that is allowed: an access time tells people when they looked, not the backup. */
export function openFile(address: ByteString, uid: number): number {
  const path = toFilePath(address)
  if (process.platform === 'linux' && (ownUser === 0 || ownUser === uid)) {
    try {
      return openSync(path, openFlags | constants.O_NOATIME)
    } catch (error) {
      if (!hasErrno(error, 'EPERM')) throw error
    }
  }
  return openSync(path, openFlags)
}

/**
 * Reads a whole file to `target` at `start`. When the file is not what `stats` (at `at`) says, it is read once more and `stats` are set
 * to what was found. Throws the system's error when the file cannot be read.
 * @param look is called with the open file whenever it has been read, before its metadata is compared.
 */
export function readWhole(address: ByteString, target: Uint8Array, start: number, limit: number, stats: BigInt64Array, at: number, look: (descriptor: number) => void): ReadOutcome {
  waitOutTick(stats[at + 2] ?? 0n)
  const descriptor = openFile(address, Number(stats[at + 6] ?? 0n))
  try {
    const first = attempt(descriptor, target, start, limit, stats, at, look)
    if (first.outcome === 'same' || first.outcome === 'grown') return first
    waitOutTick(stats[at + 2] ?? 0n)
    const second = attempt(descriptor, target, start, limit, stats, at, look)
    if (second.outcome === 'same') return { outcome: 'newer', bytes: second.bytes }
    if (second.outcome === 'torn') markTorn(stats, at, second.bytes)
    return second
  } finally {
    closeSync(descriptor)
  }
}

function attempt(descriptor: number, target: Uint8Array, start: number, limit: number, stats: BigInt64Array, at: number, look: (descriptor: number) => void): ReadOutcome {
  const expected = Number(stats[at] ?? 0n)
  if (expected > limit - start) return { outcome: 'grown', bytes: 0 }
  // One byte more than expected where there is room, so that growth shows.
  const bytes = readFully(descriptor, target, start, Math.min(expected + 1, limit - start), 0)
  look(descriptor)
  const same = takeStat(descriptor, stats, at)
  if (same && bytes === expected) return { outcome: 'same', bytes }
  if (Number(stats[at] ?? 0n) > limit - start) return { outcome: 'grown', bytes: 0 }
  return { outcome: 'torn', bytes: Math.min(bytes, expected) }
}

/** Stores what is found of an open file; false when it differs from what was there. Throws `replaced` for what is no file. */
export function takeStat(descriptor: number, stats: BigInt64Array, at: number): boolean {
  const found = entryStat(fstatSync(descriptor, { bigint: true }))
  if (found.type !== 'file') throw Object.assign(new Error('No file stands here any more.'), { code: replaced })
  const before = stats.slice(at, at + statWidth)
  packStat(found, stats, at)
  return before.every((value, index) => value === stats[at + index])
}

/** A torn file keeps the size that was read, and no ctime, so that the next run is sure to read it again. */
export function markTorn(stats: BigInt64Array, at: number, bytes: number): void {
  stats[at] = BigInt(bytes)
  stats[at + 2] = 0n
}

/** A file written within the running tick is read after it: a later write then shows in its time. */
export function waitOutTick(ctimeNs: bigint): void {
  if (isWithinTick(ctimeNs)) Atomics.wait(sleeper, 0, 0, tickMs - ageOf(ctimeNs))
}

/** A write to the file in this moment may leave its times as they are. */
export function isWithinTick(ctimeNs: bigint): boolean {
  const ageMs = ageOf(ctimeNs)
  return ageMs >= 0 && ageMs < tickMs
}

function ageOf(ctimeNs: bigint): number {
  return Date.now() - Number(ctimeNs / 1_000_000n)
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
