import type { EntryStat } from '../base/entry-stat.ts'
import type { Attributes, ContentRef, FileNode, TreeNode } from '../snapshot/node.ts'
import { sameAttributes } from '../snapshot/attributes.ts'
import type { FileStamp } from '../snapshot/tree.ts'

type NodeBase = Pick<TreeNode, 'name' | 'mode' | 'uid' | 'gid' | 'mtimeNs' | 'birthNs' | 'attributes'>

/** What every entry takes from its metadata. */
export function nodeBase(name: Uint8Array, stat: EntryStat, attributes: Attributes | undefined): NodeBase {
  const { mode, uid, gid, mtimeNs, birthNs } = stat
  return { name, mode, uid, gid, mtimeNs, ...(birthNs === undefined ? {} : { birthNs }), ...(attributes === undefined ? {} : { attributes }) }
}

export function fileNode(name: Uint8Array, stat: EntryStat, content: ContentRef, attributes: Attributes | undefined): FileNode {
  return {
    type: 'file', ...nodeBase(name, stat, attributes), ctimeNs: stat.ctimeNs, inode: stat.inode, device: stat.device,
    size: Number(stat.size), content, sparse: stat.sparse, linkCount: stat.linkCount,
  }
}

/** Mode, owner, times and attributes are still these. */
export function sameBase(node: TreeNode, stat: EntryStat, attributes: Attributes | undefined): boolean {
  return node.mtimeNs === stat.mtimeNs && node.mode === stat.mode && node.uid === stat.uid && node.gid === stat.gid
    && node.birthNs === stat.birthNs && sameAttributes(node.attributes, attributes)
}

/** For LeafCursor.isUnchanged. */
export function fileStamp(stat: EntryStat): FileStamp {
  return stat
}

/** As LeafCursor.isUnchanged. */
export function isUnchanged(node: FileNode, stat: EntryStat): boolean {
  return BigInt(node.size) === stat.size && node.mtimeNs === stat.mtimeNs && node.ctimeNs === stat.ctimeNs && node.inode === stat.inode
}

/** A symlink or FIFO that is as it was. */
export function sameOther(before: TreeNode, node: TreeNode, stat: EntryStat): boolean {
  if (!sameBase(before, stat, node.attributes)) return false
  if (before.type === 'symlink' && node.type === 'symlink') return Buffer.compare(before.target, node.target) === 0
  return before.type === 'fifo' && node.type === 'fifo'
}
