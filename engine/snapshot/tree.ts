import { ByteReader, compareBytes, type ByteWriter } from '../base/bytes.ts'
import { assertNever, HoldfastError } from '../base/errors.ts'
import { readInlineAttributes, writeInlineAttributes } from './attributes.ts'
import { maxInlineIds } from './content.ts'
import type { BlobId, ChangeStamp, ContentRef, FifoNode, FileNode, TreeNode } from './node.ts'
import { branchType, idBytes, isEntryName, leafType, maxDepth, maxNameBytes, maxTargetBytes, nodeTypes, readStart, startBlob } from './tree-format.ts'

/** Entries of a leaf, or children of a branch, at most. */
export const maxLeafEntries = 4096
export const maxBranchChildren = 1024

/** A directory, or a part of one: entries in order of their name bytes. */
export interface Leaf {
  readonly type: 'leaf'
  readonly nodes: readonly TreeNode[]
}

/** A part of a large directory's index. */
export interface Branch {
  readonly type: 'branch'
  /** 1: children are leaves; n: branches of depth n-1. */
  readonly depth: number
  readonly children: readonly BranchChild[]
}

export interface BranchChild {
  /** Name of the first entry below. */
  readonly firstName: Uint8Array
  readonly tree: BlobId
}

/** One leaf with all nodes, which must be sorted; TreeBuilder splits what is too large for one. */
export function encodeLeaf(nodes: readonly TreeNode[]): Uint8Array {
  const writer = startBlob(leafType, 0, nodes.length * 128)
  writer.varint(nodes.length)
  for (const node of nodes) encodeNode(writer, node)
  return writer.written()
}

/** An entry as it stands in a leaf. Canonical: equal nodes give equal bytes. @throws internal for what no directory holds */
export function encodeNode(writer: ByteWriter, node: TreeNode): void {
  if (!isEntryName(node.name)) throw new HoldfastError('internal', 'This is no name of a directory entry.')
  writer.varint(node.name.length)
  writer.bytes(node.name)
  writer.u8(nodeTypes.indexOf(node.type))
  writer.u16(node.mode)
  writer.u32(node.uid)
  writer.u32(node.gid)
  writer.i64(node.mtimeNs)
  writer.u8(extrasOf(node))
  switch (node.type) {
    case 'file': encodeFile(writer, node); break
    case 'directory': writer.bytes(node.tree); break
    case 'symlink':
      writer.varint(node.target.length)
      writer.bytes(node.target)
      break
    case 'fifo': break
    default: assertNever(node)
  }
  encodeExtras(writer, node)
}

/** What follows behind an entry's own fields. */
const hasBirth = 1
const hasInlineAttributes = 2
const hasAttributesBlob = 4

function extrasOf({ birthNs, attributes }: TreeNode): number {
  const kept = attributes === undefined ? 0 : attributes instanceof Uint8Array ? hasAttributesBlob : hasInlineAttributes
  return (birthNs === undefined ? 0 : hasBirth) | kept
}

function encodeExtras(writer: ByteWriter, { birthNs, attributes }: TreeNode): void {
  if (birthNs !== undefined) writer.i64(birthNs)
  if (attributes instanceof Uint8Array) writer.bytes(attributes)
  else if (attributes) writeInlineAttributes(writer, attributes)
}

function encodeFile(writer: ByteWriter, node: FileNode): void {
  writer.i64(node.ctimeNs)
  writer.u64(node.inode)
  writer.u64(node.device)
  writer.u64(BigInt(node.size))
  writer.u8(node.sparse ? 1 : 0)
  writer.varint(node.linkCount)
  writer.u8(node.content.depth)
  writer.varint(node.content.ids.length)
  for (const id of node.content.ids) writer.bytes(id)
}

export function encodeBranch(depth: number, children: readonly BranchChild[]): Uint8Array {
  const writer = startBlob(branchType, depth, children.length * 64)
  writer.varint(children.length)
  for (const { firstName, tree } of children) {
    writer.varint(firstName.length)
    writer.bytes(firstName)
    writer.bytes(tree)
  }
  return writer.written()
}

/**
 * A blob of kind `tree` that is a directory or a part of one. Names, targets and ids are views of `bytes`.
 * @throws damaged for whatever no encoder writes: order, names, sizes, depth
 */
export function decodeTree(bytes: Uint8Array): Leaf | Branch {
  return bytes[0] === branchType ? decodeBranch(bytes) : { type: 'leaf', nodes: [...new LeafCursor(bytes).nodes()] }
}

function decodeBranch(bytes: Uint8Array): Branch {
  const reader = new ByteReader(bytes, 'A tree')
  const depth = readStart(reader, branchType)
  const count = reader.varint(maxBranchChildren)
  if (count === 0) reader.fail('is an empty branch')
  const children: BranchChild[] = []
  for (let index = 0; index < count; index++) {
    const firstName = reader.bytes(reader.varint(maxNameBytes))
    const before = children.at(-1)
    if (!isEntryName(firstName) || (before && compareBytes(before.firstName, firstName) >= 0)) reader.fail('has entries out of order')
    children.push({ firstName, tree: reader.bytes(idBytes) })
  }
  reader.end()
  return { type: 'branch', depth, children }
}

/** Offsets in an entry, from behind its name. */
const mtimeAt = 11
const extrasAt = 19
const ctimeAt = 20
const inodeAt = 28
const sizeAt = 44
const fixedFileBytes = 53

/** What a walk knows of a file before anything is read. */
export interface FileStamp extends Omit<ChangeStamp, 'device'> {
  readonly size: bigint
  readonly mtimeNs: bigint
}

/**
 * Walks the entries of an encoded leaf without making objects of them, so that an unchanged directory costs comparisons alone:
 * `while (cursor.next()) if (cursor.isName(name) && cursor.isUnchanged(stamp)) builder.addEncoded(cursor.name, cursor.entry)`.
 */
export class LeafCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #reader: ByteReader
  #left: number
  #name: Uint8Array | undefined
  #start = 0
  #fixed = 0
  #end = 0

  /** @throws damaged when this is not a leaf. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#reader = new ByteReader(bytes, 'A tree')
    readStart(this.#reader, leafType)
    this.#left = this.#reader.varint(maxLeafEntries)
    this.#end = this.#reader.offset
    if (this.#left === 0) this.#reader.end()
  }

  /** Goes to the next entry; false behind the last. @throws damaged */
  next(): boolean {
    const reader = this.#reader
    if (this.#left === 0) return false
    this.#left--
    this.#start = this.#end
    const name = reader.bytes(reader.varint(maxNameBytes))
    if (!isEntryName(name)) reader.fail('has an entry whose name no file can have')
    if (this.#name && compareBytes(this.#name, name) >= 0) reader.fail('has entries out of order')
    this.#name = name
    this.#fixed = reader.offset
    skipBody(reader)
    this.#end = reader.offset
    if (this.#left === 0) reader.end()
    return true
  }

  /** Exact bytes of the entry's name; a view. */
  get name(): Uint8Array {
    return this.#name ?? this.#reader.fail('has no entry here')
  }

  get type(): TreeNode['type'] {
    return nodeTypes[this.#bytes[this.#fixed] ?? 0] ?? 'fifo'
  }

  /** The whole entry, as `TreeBuilder.addEncoded` takes it; a view. */
  get entry(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  /**
   * A file whose size, times and inode are all still these: it need not be read again. Device numbers do not count: many file systems
   * get another one at each boot, and every file would be read.
   */
  isUnchanged(stamp: FileStamp): boolean {
    const at = this.#fixed
    const view = this.#view
    return this.#bytes[at] === 0
      && view.getBigInt64(at + mtimeAt, true) === stamp.mtimeNs
      && view.getBigInt64(at + ctimeAt, true) === stamp.ctimeNs
      && view.getBigUint64(at + sizeAt, true) === stamp.size
      && view.getBigUint64(at + inodeAt, true) === stamp.inode
  }

  /** The entry as a node. */
  node(): TreeNode {
    const reader = new ByteReader(this.#bytes, 'A tree', this.#fixed)
    return decodeBody(reader, this.name)
  }

  /** The entries from here on. */
  *nodes(): Generator<TreeNode> {
    while (this.next()) yield this.node()
  }

  /** Chunk ids (or list ids) of a file's entry back to back, without objects; empty for other entries. */
  contentIds(): Uint8Array {
    if (this.#bytes[this.#fixed] !== 0) return this.#bytes.subarray(0, 0)
    const reader = new ByteReader(this.#bytes, 'A tree', this.#fixed + fixedFileBytes)
    reader.varint()
    reader.u8()
    return reader.bytes(reader.varint(maxInlineIds) * idBytes)
  }
}

/** Passes over an entry from behind its name and checks what node() takes for granted. */
function skipBody(reader: ByteReader): void {
  const type = nodeTypes[reader.u8()]
  if (reader.u16() > 0o7777) reader.fail('has an entry with an impossible mode')
  reader.skip(extrasAt - 3)
  const extras = reader.u8()
  switch (type) {
    case 'file': skipFile(reader); break
    case 'directory': reader.skip(idBytes); break
    case 'symlink': reader.skip(reader.varint(maxTargetBytes)); break
    case 'fifo': break
    case undefined: reader.fail('has an entry of an unknown type')
  }
  if (extras !== 0) skipExtras(reader, extras)
}

function skipExtras(reader: ByteReader, extras: number): void {
  if (extras > 7 || (extras & 6) === 6) reader.fail('has an entry with unknown extras')
  decodeExtras(reader, extras)
}

function skipFile(reader: ByteReader): void {
  reader.skip(sizeAt - ctimeAt)
  if (reader.u64() > maxFileBytes) reader.fail('has a file of an impossible size')
  if (reader.u8() > 1) reader.fail('has a file with unknown flags')
  reader.varint(0xffff_ffff)
  const depth = reader.u8()
  const count = reader.varint(maxInlineIds)
  if (depth > maxDepth || (depth > 0 && count === 0)) reader.fail('has a file with impossible content')
  reader.skip(count * idBytes)
}

const maxFileBytes = BigInt(Number.MAX_SAFE_INTEGER)

/** What the entries of all types have in front. */
type NodeBase = Omit<FifoNode, 'type'>
type Extras = Pick<FifoNode, 'birthNs' | 'attributes'>

function decodeBody(reader: ByteReader, name: Uint8Array): TreeNode {
  const type = nodeTypes[reader.u8()]
  const base = { name, mode: reader.u16(), uid: reader.u32(), gid: reader.u32(), mtimeNs: reader.i64() }
  const extras = reader.u8()
  const node = decodeOwn(reader, type, base)
  return extras === 0 ? node : { ...node, ...decodeExtras(reader, extras) }
}

function decodeOwn(reader: ByteReader, type: TreeNode['type'] | undefined, base: NodeBase): TreeNode {
  const { name, mode, uid, gid, mtimeNs } = base
  switch (type) {
    case 'file': return decodeFile(reader, base)
    case 'directory': return { type, name, mode, uid, gid, mtimeNs, tree: reader.bytes(idBytes) }
    case 'symlink': return { type, name, mode, uid, gid, mtimeNs, target: reader.bytes(reader.varint(maxTargetBytes)) }
    case 'fifo': return { type, name, mode, uid, gid, mtimeNs }
    default: return reader.fail('has an entry of an unknown type')
  }
}

function decodeExtras(reader: ByteReader, extras: number): Extras {
  const birth = extras & hasBirth ? { birthNs: reader.i64() } : {}
  if (extras & hasAttributesBlob) return { ...birth, attributes: reader.bytes(idBytes) }
  return extras & hasInlineAttributes ? { ...birth, attributes: readInlineAttributes(reader) } : birth
}

function decodeFile(reader: ByteReader, { name, mode, uid, gid, mtimeNs }: NodeBase): FileNode {
  const ctimeNs = reader.i64()
  const inode = reader.u64()
  const device = reader.u64()
  const size = Number(reader.u64())
  const sparse = reader.u8() === 1
  const linkCount = reader.varint()
  return { type: 'file', name, mode, uid, gid, mtimeNs, ctimeNs, inode, device, size, sparse, linkCount, content: decodeContent(reader) }
}

function decodeContent(reader: ByteReader): ContentRef {
  const depth = reader.u8()
  const ids: BlobId[] = new Array<BlobId>(reader.varint(maxInlineIds))
  for (let index = 0; index < ids.length; index++) ids[index] = reader.bytes(idBytes)
  return { depth, ids }
}
