import { hash, randomBytes } from 'node:crypto'
import type { FileNode } from '../snapshot/node.ts'
import type { ByteString } from '../base/byte-string.ts'
import type { ExtendedAttribute } from './attributes.ts'
import type { Metadata } from './dress.ts'
import type { EntryPlace } from './folders.ts'

/** Where a file goes and what it shall be; crosses to worker threads. */
export interface FileSpec extends EntryPlace, Metadata {
  /** Name beside the target under which it is written; of a file of several chunks always the same, so that a later run finds it. */
  readonly temporary: ByteString
  readonly size: number
  readonly sparse: boolean
  /** Nothing stood in the folder when this run made it: a file of one chunk needs no passing name there. */
  readonly direct: boolean
  /** Of a file of several chunks: the file that its parts go to. Absent until that was made. */
  readonly part?: PartFile | undefined
}

/** A half-written file as the run made or found it; the number of one that was taken away can come back, its owner does not. */
export interface PartFile {
  readonly inode: bigint
  readonly owner: number
}

/**
 * Mode of a file that is written under its own name, until it is whole; the file's own mode comes last. An interrupted run leaves it,
 * so that a later one knows the file for a torn one, and nobody takes it for a whole one.
 */
export const tornMode = 0o200

/**
 * Mode of a file that comes in parts, until it is whole. With the sticky bit, where files may have it: nobody's file has that by chance,
 * so that none which somebody moves here is taken for one of ours.
 */
export const partMode = process.platform === 'linux' ? 0o1600 : 0o600

/** @param fresh this run made the folder. */
export function fileSpec({ folder, name }: EntryPlace, node: FileNode, fresh: boolean, attributes: readonly ExtendedAttribute[] | undefined): FileSpec {
  const { size, mode, uid, gid, mtimeNs, sparse } = node
  const inOneGo = isOneChunk(node)
  const direct = fresh && process.platform !== 'win32' && inOneGo
  return { folder, name, temporary: inOneGo ? passingName() : lastingName(node), size, mode, uid, gid, mtimeNs, sparse, direct, attributes }
}

/** A file of one chunk is written in one go: there is nothing that a later run could go on with. */
export function isOneChunk({ content }: FileNode): boolean {
  return content.depth === 0 && content.ids.length === 1
}

const runDigits = randomBytes(6).toString('hex')
let passingNames = 0

/** A name for what is renamed at once. Hashing the version would be a good part of what the main thread does for a small file. */
export function passingName(): ByteString {
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
