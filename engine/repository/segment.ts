import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import type { BlobHasher } from './blob-id.ts'
import { asBuffer, ByteReader, ByteWriter, equalBytes, toHex } from '../base/bytes.ts'
import { maxBlobBytes } from './config.ts'
import { sealOverhead, sealParts, unseal, type SealedParts } from './crypto.ts'
import { isZero } from './padding.ts'
import { formatVersion, objectHeader } from './sealed.ts'
import { compress, decompress, frameBound, frameCoder } from './zstd.ts'

/** Blobs up to this size share segments; bigger ones have their own. */
export const sharedBlobBytes = 64 * 1024

/** What of a segment is authenticated beside its bytes, and needed to open it. */
export interface SegmentShape {
  readonly rawLength: number
  readonly compression: 'none' | 'zstd'
  readonly blobCount: number
}

export interface SealedSegment extends SegmentShape {
  readonly parts: SealedParts
  readonly storedLength: number
}

/** Blobs below this are always given to zstd: probing costs as much. */
const probeFrom = 16 * 1024
const probeStretch = 512
const probeCount = 16

/** Shorter blobs than this gain nothing. */
const compressFrom = 32

/**
 * Compresses (where it helps) and seals one or more blobs. Each is compressed by itself: were they compressed together, the length would
 * tell whoever can have a file of his own stored beside a secret one how much the two have in common.
 * @param level zstd level; 0: never compress.
 */
export function sealSegment(packsKey: Uint8Array, kind: BlobKind, blobs: readonly Uint8Array[], level: number): SealedSegment {
  const rawLength = blobs.reduce((sum, blob) => sum + blob.length, 0)
  const frames = level > 0 ? framesOf(blobs, rawLength, level) : undefined
  const shape = { rawLength, compression: frames ? 'zstd' : 'none', blobCount: blobs.length } as const
  const parts = sealParts(packsKey, additionalData(kind, shape), frames ?? joined(blobs, rawLength))
  if (frames && blobs.length === 1) freeBuffer(frames)
  return { ...shape, parts, storedLength: parts.ciphertext.length + sealOverhead }
}

/** A stretch that no blob lies in, for a pack's length to tell less. */
export function sealPadding(packsKey: Uint8Array, kind: BlobKind, rawLength: number): SealedSegment {
  const shape = { rawLength, compression: 'none', blobCount: 0 } as const
  const parts = sealParts(packsKey, additionalData(kind, shape), new Uint8Array(rawLength))
  return { ...shape, parts, storedLength: rawLength + sealOverhead }
}

/**
 * The raw bytes of a segment. Ids are not checked here, see takeBlob.
 * @throws damaged, before memory is taken for lengths that no segment has
 */
export function openSegment(packsKey: Uint8Array, kind: BlobKind, shape: SegmentShape, stored: Uint8Array, what: string): Uint8Array {
  if (shape.rawLength > maxBlobBytes || stored.length > shape.rawLength + sealOverhead) throw contradicting(what)
  const plain = unseal(packsKey, additionalData(kind, shape), stored, what)
  if (shape.compression === 'zstd') {
    const raw = shape.blobCount === 1 ? decompress(plain, shape.rawLength, what) : openFrames(plain, shape, what)
    freeBuffer(plain)
    return raw
  }
  if (plain.length !== shape.rawLength || (shape.blobCount === 0 && !isZero(plain))) throw contradicting(what)
  return plain
}

function contradicting(what: string): HoldfastError {
  return new HoldfastError('damaged', `${what} is damaged: its lengths contradict each other.`)
}

/** What is sealed of blobs that shrink; undefined where they do not. Of several blobs, memory that the next call writes over. */
function framesOf(blobs: readonly Uint8Array[], rawLength: number, level: number): Uint8Array | undefined {
  const [only] = blobs
  if (!only) return undefined
  const frames = blobs.length > 1 ? joinedFrames(blobs, rawLength, level) : mayShrink(only) ? compress(only, level) : only
  return frames.length < rawLength ? frames : undefined
}

/** For each blob twice its stored length, plus 1 where it is a frame, as varints; then the frames, or blobs as they are. */
function joinedFrames(blobs: readonly Uint8Array[], rawLength: number, level: number): Uint8Array {
  const coder = frameCoder()
  const lengths = new ByteWriter(blobs.length * 3)
  const longest = blobs.reduce((most, blob) => Math.max(most, blob.length), 0)
  const body = scratch(rawLength + frameBound(longest) + blobs.length * maxVarintBytes)
  const start = blobs.length * maxVarintBytes
  let end = start
  for (const blob of blobs) {
    const length = blob.length >= compressFrom && mayShrink(blob) ? coder.compress(blob, level, body.subarray(end)) : blob.length
    const packed = length < blob.length
    if (!packed) body.set(blob, end)
    lengths.varint(packed ? length * 2 + 1 : blob.length * 2)
    end += packed ? length : blob.length
  }
  body.set(lengths.written(), start - lengths.length)
  return body.subarray(start - lengths.length, end)
}

/** A varint of twice the length of the largest blob. */
const maxVarintBytes = 4

function openFrames(plain: Uint8Array, { rawLength, blobCount }: SegmentShape, what: string): Uint8Array {
  const coder = frameCoder()
  const reader = new ByteReader(plain, what)
  const lengths: number[] = []
  for (let index = 0; index < blobCount; index++) lengths.push(reader.varint(2 * plain.length + 1))
  const raw = Buffer.allocUnsafeSlow(rawLength + 1)
  let end = 0
  for (const length of lengths) {
    const piece = asBuffer(reader.bytes(length >>> 1))
    if (length % 2 === 1) end += coder.decompress(piece, raw.subarray(end)) ?? reader.fail('is damaged: its content does not unpack')
    else end += piece.length <= rawLength - end ? piece.copy(raw, end) : reader.fail('holds lengths that contradict each other')
  }
  reader.end()
  if (end !== rawLength) throw contradicting(what)
  return raw.subarray(0, rawLength)
}

function joined(blobs: readonly Uint8Array[], rawLength: number): Uint8Array {
  const [only] = blobs
  if (only && blobs.length === 1) return only
  const bytes = scratch(rawLength).subarray(0, rawLength)
  let at = 0
  for (const blob of blobs) {
    bytes.set(blob, at)
    at += blob.length
  }
  return bytes
}

let scratchBytes = new Uint8Array(0)

/** At least so much memory of this thread, good until the next call: segments are put together there and sealed at once. */
function scratch(length: number): Uint8Array {
  if (scratchBytes.length < length) scratchBytes = new Uint8Array(length)
  return scratchBytes
}

/** A blob out of its segment's raw bytes (a view), with its id checked. @throws damaged */
export function takeBlob(hasher: BlobHasher, raw: Uint8Array, offset: number, length: number, id: BlobId, what: string): Uint8Array {
  const found = offset + length <= raw.length ? hasher.id(raw, offset, offset + length) : undefined
  if (!found || !equalBytes(found, id)) throw new HoldfastError('damaged', `${what} is damaged: blob ${toHex(id)} is not what its id says.`, { data: { blob: toHex(id) } })
  return raw.subarray(offset, offset + length)
}

/** Format version, kind and shape, so that none of them can be changed or mistaken. */
function additionalData(kind: BlobKind, { rawLength, compression, blobCount }: SegmentShape): Uint8Array {
  const data = Buffer.alloc(16)
  data.set(objectHeader(kind === 'data' ? 'data-pack' : 'tree-pack'), 0)
  data[4] = formatVersion
  data[5] = compression === 'zstd' ? 1 : 0
  data.writeUInt32LE(blobCount, 8)
  data.writeUInt32LE(rawLength, 12)
  return data
}

const histogram = new Uint16Array(256)

/**
 * Whether zstd is worth trying: a few µs for samples instead of 0.3 ms a MiB. Compares how often two random bytes of the samples
 * are equal with what uniformly random bytes give (1): encrypted and compressed data stay below 1.1, text and programs above 4.
 */
function mayShrink(raw: Uint8Array): boolean {
  if (raw.length < probeFrom) return true
  histogram.fill(0)
  const step = Math.floor((raw.length - probeStretch) / (probeCount - 1))
  for (let sample = 0; sample < probeCount; sample++) {
    const from = sample * step
    for (let at = from; at < from + probeStretch; at++) {
      const byte = raw[at] ?? 0
      histogram[byte] = (histogram[byte] ?? 0) + 1
    }
  }
  let pairs = 0
  for (const count of histogram) pairs += count * (count - 1)
  const total = probeCount * probeStretch
  return (pairs * 256) / (total * (total - 1)) > 1.15
}
