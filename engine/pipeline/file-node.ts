import type { BigIntStats } from 'node:fs'
import type { ContentRef, FileNode, TreeNode } from '../snapshot/node.ts'
import type { FileStamp } from '../snapshot/tree.ts'

const blockBytes = 512n
const permissionBits = 0o7777n

/** What every entry takes from its metadata. */
export function nodeBase(name: Uint8Array, stat: BigIntStats): { name: Uint8Array; mode: number; uid: number; gid: number; mtimeNs: bigint } {
  return { name, mode: Number(stat.mode & permissionBits), uid: Number(stat.uid), gid: Number(stat.gid), mtimeNs: stat.mtimeNs }
}

/** What was found when the content was read; newer than the walk's view where the file changed in between. */
export interface ReadStamp {
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
}

export function stampOf(stat: BigIntStats): ReadStamp {
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, inode: stat.ino }
}

export function fileNode(name: Uint8Array, stat: BigIntStats, stamp: ReadStamp, content: ContentRef): FileNode {
  return {
    type: 'file', ...nodeBase(name, stat), mtimeNs: stamp.mtimeNs, ctimeNs: stamp.ctimeNs, inode: BigInt.asUintN(64, stamp.inode), device: BigInt.asUintN(64, stat.dev),
    size: stamp.size, content, sparse: stat.blocks * blockBytes < stat.size, linkCount: Number(stat.nlink),
  }
}

/** Mode, owner and mtime are still these. */
export function sameBase(node: TreeNode, stat: BigIntStats): boolean {
  return node.mtimeNs === stat.mtimeNs && node.mode === Number(stat.mode & permissionBits) && node.uid === Number(stat.uid) && node.gid === Number(stat.gid)
}

/** For LeafCursor.isUnchanged. */
export function fileStamp(stat: BigIntStats): FileStamp {
  return { size: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, inode: stat.ino }
}

/** As LeafCursor.isUnchanged. */
export function isUnchanged(node: FileNode, stat: BigIntStats): boolean {
  return BigInt(node.size) === stat.size && node.mtimeNs === stat.mtimeNs && node.ctimeNs === stat.ctimeNs && node.inode === stat.ino
}

/** A symlink or FIFO that is as it was. */
export function sameOther(before: TreeNode, node: TreeNode, stat: BigIntStats): boolean {
  if (before.type === 'symlink' && node.type === 'symlink') return sameBase(before, stat) && Buffer.compare(before.target, node.target) === 0
  return before.type === 'fifo' && node.type === 'fifo' && sameBase(before, stat)
}
