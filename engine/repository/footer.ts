import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { maxBlobBytes } from './config.ts'
import { sealOverhead } from './crypto.ts'
import type { PackBlob, PackContents, PackSegment } from './pack-info.ts'
import { headerBytes } from './sealed.ts'

/** Blobs in one pack at most, so that a footer stays below 5 MB and a forged one cannot take more. */
export const maxPackBlobs = 131_072

const idBytes = 32
const maxSegmentBytes = maxBlobBytes
const kinds = ['data', 'tree'] as const

/**
 * Plain bytes of a pack's table of contents; also what index objects and the catalog store. See FORMAT.md. Offsets are not in it:
 * segments follow each other from behind the header.
 */
export function encodeFooter(contents: PackContents): Uint8Array {
  const writer = new ByteWriter(64 + contents.segments.length * 48)
  writer.u8(kinds.indexOf(contents.kind))
  writer.varint(contents.segments.length)
  for (const segment of contents.segments) encodeSegment(writer, segment)
  return writer.written()
}

function encodeSegment(writer: ByteWriter, { storedLength, rawLength, compression, blobs }: PackSegment): void {
  writer.varint(storedLength)
  writer.varint(rawLength)
  writer.varint(blobs.length * 2 + (compression === 'zstd' ? 1 : 0))
  for (const blob of blobs) {
    writer.bytes(blob.id)
    if (blobs.length > 1) writer.varint(blob.length)
  }
}

/**
 * The contents that encodeFooter wrote, with ids as views of `bytes`.
 * @throws damaged whenever numbers do not add up or exceed what packs may hold
 */
export function decodeFooter(bytes: Uint8Array, what = 'A table of contents'): PackContents {
  const reader = new ByteReader(bytes, what)
  const kind = kinds[reader.u8()] ?? reader.fail('is of an unknown kind')
  const count = reader.varint(maxPackBlobs)
  const segments: PackSegment[] = []
  let offset = headerBytes
  let left = maxPackBlobs
  for (let index = 0; index < count; index++) {
    const segment = decodeSegment(reader, offset, left)
    if (segment.blobs.length === 0 && index < count - 1) reader.fail('holds padding between its segments')
    segments.push(segment)
    offset += segment.storedLength
    left -= segment.blobs.length
  }
  reader.end()
  return { kind, segments }
}

function decodeSegment(reader: ByteReader, offset: number, maxBlobs: number): PackSegment {
  const storedLength = reader.varint(maxSegmentBytes + sealOverhead)
  const rawLength = reader.varint(maxSegmentBytes)
  const countAndFlag = reader.varint(maxBlobs * 2 + 1)
  const compression = countAndFlag % 2 === 1 ? 'zstd' : 'none'
  const count = (countAndFlag - (countAndFlag % 2)) / 2
  const plainLength = storedLength - sealOverhead
  if ((count === 0 && compression === 'zstd') || plainLength < 0 || (compression === 'none' ? plainLength !== rawLength : plainLength >= rawLength)) reader.fail('holds lengths that contradict each other')
  const blobs: PackBlob[] = new Array<PackBlob>(count)
  let sum = 0
  for (let index = 0; index < count; index++) {
    const id = reader.bytes(idBytes)
    const length = count === 1 ? rawLength : reader.varint(rawLength)
    // No blob is empty; one that were could be repeated without end in a file of any size.
    if (length === 0) reader.fail('holds an empty blob')
    blobs[index] = { id, length }
    sum += length
  }
  if (count > 0 && sum !== rawLength) reader.fail('holds lengths that contradict each other')
  return { offset, storedLength, rawLength, compression, blobs }
}

/** Bytes of a pack with these segments before its footer. @throws damaged for segments that do not follow each other. */
export function bodyBytes(contents: PackContents): number {
  let offset = headerBytes
  for (const segment of contents.segments) {
    if (segment.offset !== offset) throw new HoldfastError('damaged', 'Segments of a pack leave gaps.')
    offset += segment.storedLength
  }
  return offset
}
