import { hash, randomBytes } from 'node:crypto'
import type { FileNode } from '../snapshot/node.ts'
import { fromBytes } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'

/** Where a file goes and what it shall be; crosses to worker threads. */
export interface FileSpec {
  /** Relative to the target. */
  readonly folder: ByteString
  readonly name: ByteString
  /** Name beside the target under which it is written; of a file of several chunks always the same, so that a later run finds it. */
  readonly temporary: ByteString
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly sparse: boolean
  /** Nothing stood in the folder when this run made it: a file of one chunk needs no passing name there. */
  readonly direct: boolean
}

/**
 * Mode of a file that is written under its own name, until it is whole; the file's own mode comes last. An interrupted run leaves it,
 * so that a later one knows the file for a torn one, and nobody takes it for a whole one.
 */
export const tornMode = 0o200

/** @param fresh this run made the folder. */
export function fileSpec(folder: ByteString, node: FileNode, fresh: boolean): FileSpec {
  const { size, mode, uid, gid, mtimeNs, sparse } = node
  return { folder, name: fromBytes(node.name), temporary: isOneChunk(node) ? passingName() : lastingName(node), size, mode, uid, gid, mtimeNs, sparse, direct: fresh && process.platform !== 'win32' && isOneChunk(node) }
}

/** A file of one chunk is written in one go: there is nothing that a later run could go on with. */
export function isOneChunk({ content }: FileNode): boolean {
  return content.depth === 0 && content.ids.length === 1
}

const runDigits = randomBytes(6).toString('hex')
let passingNames = 0

/** Hashing the version would be a good part of what the main thread does for a small file. */
function passingName(): ByteString {
  passingNames = (passingNames + 1) % 0x1_0000_0000
  return `.holdfast-${runDigits}${passingNames.toString(16).padStart(8, '0')}.part`
}

/** Of fixed length, because the file's own name may fill NAME_MAX already. */
function lastingName(node: FileNode): ByteString {
  const version = [node.name, Buffer.from(`\0${String(node.size)}\0${String(node.mtimeNs)}\0${String(node.content.depth)}\0`), ...node.content.ids]
  return `.holdfast-${hash('sha256', Buffer.concat(version)).slice(0, 20)}.part`
}

/** Whether an entry is named as a half-written file is. */
export function isTemporaryName(name: ByteString): boolean {
  return /^\.holdfast-[0-9a-f]{20}\.part$/.test(name)
}
