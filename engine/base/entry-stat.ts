import type { BigIntStats } from 'node:fs'

export type EntryType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device'

/** Metadata of an entry of the user's disk, of the entry itself where it is a symlink. */
export interface EntryStat {
  readonly type: EntryType
  /** Permission bits only (07777). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkCount: number
  readonly inode: bigint
  readonly device: bigint
  readonly size: bigint
  /** It takes less room than its size. */
  readonly sparse: boolean
  /** ns since 1970, of 64 bits. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Absent where the file system does not tell. */
  readonly birthNs?: bigint
  /** Immutable 0x10, append-only 0x20, not to be dumped 0x40; 0 where the system does not tell. */
  readonly flags: number
  /** A time lay outside of what 64 bits of ns hold (1677–2262): it is the nearest that they do. */
  readonly clamped: boolean
}

const typeMask = 0o170000
const permissionMask = 0o7777
const types: Readonly<Partial<Record<number, EntryType>>> = {
  [0o100000]: 'file', [0o040000]: 'directory', [0o120000]: 'symlink', [0o010000]: 'fifo', [0o140000]: 'socket', [0o060000]: 'device', [0o020000]: 'device',
}

/** By `st_mode`. What is of no known type is treated as a device: it is not read. */
function entryType(mode: number): EntryType {
  return types[mode & typeMask] ?? 'device'
}

const latest = 2n ** 63n - 1n
const earliest = -(2n ** 63n)

function clamp(ns: bigint): bigint {
  return ns > latest ? latest : ns < earliest ? earliest : ns
}

/** What Node's own calls give. They do not tell whether a creation time is one, so none is taken. */
export function entryStat(stats: BigIntStats): EntryStat {
  const mtimeNs = clamp(stats.mtimeNs)
  const ctimeNs = clamp(stats.ctimeNs)
  const mode = Number(stats.mode)
  return {
    type: entryType(mode), mode: mode & permissionMask, uid: Number(stats.uid), gid: Number(stats.gid), linkCount: Number(stats.nlink),
    inode: BigInt.asUintN(64, stats.ino), device: BigInt.asUintN(64, stats.dev), size: stats.size, sparse: stats.blocks * 512n < stats.size,
    mtimeNs, ctimeNs, flags: 0, clamped: mtimeNs !== stats.mtimeNs || ctimeNs !== stats.ctimeNs,
  }
}

/** Bytes of `struct statx`, and what to ask it for: all that stat has, and the creation time. */
export const statxBytes = 256
export const statxMask = 0xfff
const statxBirth = 0x800
const statxFlags = 0x70

/** Reads a `struct statx` (statx(2)). Device numbers are put together as the C library does for stat(2). */
export function statxStat(view: DataView): EntryStat {
  const mode = view.getUint16(0x1c, true)
  const size = view.getBigUint64(0x28, true)
  const mtimeNs = timeAt(view, 0x70)
  const ctimeNs = timeAt(view, 0x60)
  const stat = {
    type: entryType(mode), mode: mode & permissionMask, uid: view.getUint32(0x14, true), gid: view.getUint32(0x18, true), linkCount: view.getUint32(0x10, true),
    inode: view.getBigUint64(0x20, true), device: deviceOf(view.getUint32(0x88, true), view.getUint32(0x8c, true)), size,
    sparse: view.getBigUint64(0x30, true) * 512n < size, mtimeNs: clamp(mtimeNs), ctimeNs: clamp(ctimeNs), flags: view.getUint32(0x08, true) & statxFlags,
    clamped: mtimeNs > latest || mtimeNs < earliest || ctimeNs > latest || ctimeNs < earliest,
  }
  return view.getUint32(0, true) & statxBirth ? { ...stat, birthNs: clamp(timeAt(view, 0x50)) } : stat
}

function timeAt(view: DataView, at: number): bigint {
  return view.getBigInt64(at, true) * 1_000_000_000n + BigInt(view.getUint32(at + 8, true))
}

function deviceOf(major: number, minor: number): bigint {
  if (major < 0x1000 && minor < 0x100) return BigInt(major * 0x100 + minor)
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & ~0xfffn) << 32n) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | (low & 0xffn)
}
