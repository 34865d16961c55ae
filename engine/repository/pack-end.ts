import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { BlobKind } from '../snapshot/node.ts'
import { seal, sealOverhead, unseal } from './crypto.ts'
import { bodyBytes, decodeFooter, encodeFooter, maxPackBlobs } from './footer.ts'
import type { PackContents } from './pack-info.ts'
import { isZero, padme } from './padding.ts'
import { formatVersion, headerBytes, objectHeader } from './sealed.ts'

/** The last bytes of every pack. */
export const trailerBytes = 8 + sealOverhead

/** Offsets in a pack are of 32 bits. */
export const maxPackBytes = 2 ** 32 - 1

/** Tables up to this length have footers of one length: all packs of large blobs. */
const leastFooterBytes = 1024
const tableLengthBytes = 4
/** 131,072 blobs with ids and lengths, and as many segments. */
const maxTableBytes = maxPackBlobs * (32 + 4 + 10) + 64
const kinds = ['data', 'tree'] as const

/** What a trailer tells. */
export interface FooterPlace {
  readonly kind: BlobKind
  readonly offset: number
  readonly length: number
}

/** Length of the footer with a table of so many bytes: in steps, because a long one is read by itself. */
export function footerBytes(tableLength: number): number {
  return padme(Math.max(leastFooterBytes, tableLengthBytes + tableLength)) + sealOverhead
}

/**
 * Footer and trailer of a pack with these contents.
 * @param length of the footer, when it shall be longer than its table asks for.
 */
export function sealPackEnd(packsKey: Uint8Array, contents: PackContents, length?: number): Uint8Array {
  const offset = bodyBytes(contents)
  const table = encodeFooter(contents)
  const plain = Buffer.alloc((length ?? footerBytes(table.length)) - sealOverhead)
  plain.writeUInt32LE(table.length)
  plain.set(table, tableLengthBytes)
  const footer = seal(packsKey, footerAdditionalData(contents.kind, offset), plain)
  return Buffer.concat([footer, sealTrailer(packsKey, { kind: contents.kind, offset, length: footer.length })])
}

function sealTrailer(packsKey: Uint8Array, { kind, offset, length }: FooterPlace): Uint8Array {
  const writer = new ByteWriter(8)
  writer.u32(kinds.indexOf(kind))
  writer.u32(length)
  return seal(packsKey, trailerAdditionalData(offset + length + trailerBytes), writer.written())
}

/**
 * Where the footer of a pack of `size` bytes is. It must be a length that a pack can have.
 * @throws damaged, before any memory is taken
 */
export function openTrailer(packsKey: Uint8Array, size: number, trailer: Uint8Array, what: string): FooterPlace {
  const reader = new ByteReader(unseal(packsKey, trailerAdditionalData(size), trailer, what), what)
  const kind = kinds[reader.u32()] ?? reader.fail('is of an unknown kind')
  const length = reader.u32()
  reader.end()
  const offset = size - trailerBytes - length
  const possible = length >= sealOverhead + tableLengthBytes && length <= footerBytes(maxTableBytes) && offset >= headerBytes
  if (!possible) reader.fail('has a footer of no possible length')
  return { kind, offset, length }
}

/**
 * The contents out of a footer that stands at its place.
 * @throws damaged
 */
export function openFooter(packsKey: Uint8Array, { kind, offset }: FooterPlace, footer: Uint8Array, what: string): PackContents {
  const reader = new ByteReader(unseal(packsKey, footerAdditionalData(kind, offset), footer, what), what)
  const contents = decodeFooter(reader.bytes(reader.u32()), what)
  const fits = contents.kind === kind && bodyBytes(contents) === offset && isZero(reader.bytes(reader.remaining))
  if (!fits) throw new HoldfastError('damaged', `${what} is damaged: its footer does not fit its size.`)
  return contents
}

/** A footer belongs to a pack of its kind, at its very offset. */
export function footerAdditionalData(kind: BlobKind, offset: number): Uint8Array {
  const data = Buffer.alloc(16)
  data.set(objectHeader(kind === 'data' ? 'data-pack' : 'tree-pack'), 0)
  data[4] = 0xff
  data.writeUInt32LE(offset, 8)
  return data
}

/** A trailer belongs to a pack of this very size, so one that was cut or lengthened has none. */
export function trailerAdditionalData(size: number): Uint8Array {
  const data = Buffer.alloc(16)
  data.set([0x48, 0x46, 0, formatVersion, 0xfe], 0)
  data.writeUInt32LE(size, 8)
  return data
}
