import { hash } from 'node:crypto'
import type { FileNode } from '../../snapshot/node.ts'
import { fromBytes } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'

/** Where a file goes and what it shall be; crosses to worker threads. */
export interface FileSpec {
  /** Relative to the target. */
  readonly folder: ByteString
  readonly name: ByteString
  /** Name beside the target under which it is written; the same for the same version of the file, so that a later run finds it. */
  readonly temporary: ByteString
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly sparse: boolean
}

export function fileSpec(folder: ByteString, node: FileNode): FileSpec {
  const { size, mode, uid, gid, mtimeNs, sparse } = node
  return { folder, name: fromBytes(node.name), temporary: temporaryName(node), size, mode, uid, gid, mtimeNs, sparse }
}

/** Of fixed length, because the file's own name may fill NAME_MAX already. */
function temporaryName(node: FileNode): ByteString {
  const version = [node.name, Buffer.from(`\0${String(node.size)}\0${String(node.mtimeNs)}\0${String(node.content.depth)}\0`), ...node.content.ids]
  return `.holdfast-${hash('sha256', Buffer.concat(version)).slice(0, 20)}.part`
}

/** Whether an entry is named as a half-written file is. */
export function isTemporaryName(name: ByteString): boolean {
  return /^\.holdfast-[0-9a-f]{20}\.part$/.test(name)
}
