import { ByteReader, compareBytes, type ByteWriter } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { LoadTree, StoreTree } from './content.ts'
import type { Attribute, Attributes, BlobId, TreeNode } from './node.ts'
import { attributesType, readStart, startBlob } from './tree-format.ts'

/**
 * What an attribute is, and so how its name and value are to be read. A reader keeps and passes over what it does not know.
 * Only extended attributes are written today; the others have their numbers so that no later system has to change the format.
 */
export const attributeKinds = {
  /** Linux, BSD, macOS: the name with its name space (`user.x`, `security.capability`, `system.posix_acl_access`), the value as it is. */
  extended: 1,
  /** Linux: no name, FS_IOC_GETFLAGS as u32 (immutable 0x10, append 0x20, nodump 0x40). */
  inodeFlags: 2,
  /** macOS, BSD: no name, `st_flags` as u32. */
  fileFlags: 3,
  /** macOS: no name, the resource fork. */
  resourceFork: 4,
  /** Windows: no name, the attributes as u32. */
  windowsAttributes: 5,
  /** Windows: no name, a self-relative security descriptor. */
  securityDescriptor: 6,
  /** Windows: an alternate data stream by its name. */
  dataStream: 7,
} as const

/** Bytes of an attribute's name, and of an extended attribute's value, at most: what Linux allows. */
const maxAttributeNameBytes = 255
const maxExtendedValueBytes = 65_536
/** Bytes of an entry's encoded list at most. */
export const maxAttributesBytes = 1024 * 1024
/** Lists up to this long stand in the entry itself, longer ones in a blob of their own. */
const maxInlineAttributesBytes = 512

/** Order of a list: by kind, then by the name's bytes. */
export function compareAttributes(a: Pick<Attribute, 'kind' | 'name'>, b: Pick<Attribute, 'kind' | 'name'>): number {
  return a.kind - b.kind || compareBytes(a.name, b.name)
}

/**
 * What an entry carries for these attributes: the sorted list where it is short, else the id of the blob that it was stored in; undefined
 * for none.
 * @returns `too-large` for what the format has no room for; nothing was stored then.
 */
export function storeAttributes(store: StoreTree, attributes: readonly Attribute[]): Attributes | 'too-large' | undefined {
  if (attributes.length === 0) return undefined
  const sorted = attributes.toSorted(compareAttributes)
  const size = encodedBytes(sorted)
  if (size > maxAttributesBytes || !sorted.every(fits)) return 'too-large'
  if (size <= maxInlineAttributesBytes) return sorted
  const writer = startBlob(attributesType, 0, size)
  writeList(writer, sorted)
  return store(writer.written())
}

/** The attributes of an entry, wherever they are. @throws damaged, and what `load` throws */
export async function attributesOf(load: LoadTree, node: Pick<TreeNode, 'attributes'>): Promise<readonly Attribute[]> {
  const { attributes } = node
  if (attributes === undefined) return []
  return isBlob(attributes) ? decodeAttributes(await load(attributes)) : attributes
}

/** The blob that the attributes of an entry are in, if they are in one. */
export function attributesBlob(node: Pick<TreeNode, 'attributes'>): BlobId | undefined {
  return node.attributes !== undefined && isBlob(node.attributes) ? node.attributes : undefined
}

/** A blob of type `A`. Names and values are views. @throws damaged */
export function decodeAttributes(bytes: Uint8Array): readonly Attribute[] {
  const reader = new ByteReader(bytes, 'A list of attributes')
  readStart(reader, attributesType)
  const start = reader.offset
  if (reader.remaining > maxAttributesBytes) reader.fail('is too large')
  const list = readList(reader)
  reader.end()
  if (reader.offset - start <= maxInlineAttributesBytes) reader.fail('is so short that it belongs into its entry')
  return list
}

/** As it stands in an entry. @throws internal for what storeAttributes would have put into a blob */
export function writeInlineAttributes(writer: ByteWriter, attributes: readonly Attribute[]): void {
  if (encodedBytes(attributes) > maxInlineAttributesBytes) throw new HoldfastError('internal', 'These attributes are too long for an entry.')
  writeList(writer, attributes)
}

/** @throws damaged for whatever writeInlineAttributes does not write */
export function readInlineAttributes(reader: ByteReader): readonly Attribute[] {
  const start = reader.offset
  const list = readList(reader)
  if (reader.offset - start > maxInlineAttributesBytes) reader.fail('has attributes that are too long for an entry')
  return list
}

/** Whether two entries carry the same; lists in blobs are told apart by their ids. */
export function sameAttributes(a: Attributes | undefined, b: Attributes | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (isBlob(a) || isBlob(b)) return isBlob(a) && isBlob(b) && compareBytes(a, b) === 0
  return a.length === b.length && a.every((one, index) => {
    const other = b[index]
    return other !== undefined && compareAttributes(one, other) === 0 && compareBytes(one.value, other.value) === 0
  })
}

function isBlob(attributes: Attributes): attributes is BlobId {
  return attributes instanceof Uint8Array
}

function writeList(writer: ByteWriter, attributes: readonly Attribute[]): void {
  writer.varint(attributes.length)
  for (const { kind, name, value } of attributes) {
    writer.u8(kind)
    writer.u8(name.length)
    writer.bytes(name)
    writer.varint(value.length)
    writer.bytes(value)
  }
}

function readList(reader: ByteReader): Attribute[] {
  const count = reader.varint(maxAttributesBytes)
  if (count === 0) reader.fail('has an empty list of attributes')
  const list: Attribute[] = []
  for (let index = 0; index < count; index++) {
    const kind = reader.u8()
    const name = reader.bytes(reader.u8())
    const attribute = { kind, name, value: reader.bytes(reader.varint(maxAttributesBytes)) }
    const before = list.at(-1)
    if (!fits(attribute) || (before && compareAttributes(before, attribute) >= 0)) reader.fail('has attributes that are out of order or impossible')
    list.push(attribute)
  }
  return list
}

function fits({ kind, name, value }: Attribute): boolean {
  if (kind < 1 || kind > 255 || name.length > maxAttributeNameBytes || name.includes(0)) return false
  return kind !== attributeKinds.extended || (name.length > 0 && value.length <= maxExtendedValueBytes)
}

function encodedBytes(attributes: readonly Attribute[]): number {
  return attributes.reduce((sum, { name, value }) => sum + 2 + name.length + varintBytes(value.length) + value.length, varintBytes(attributes.length))
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : 1 + varintBytes(Math.floor(value / 0x80))
}
