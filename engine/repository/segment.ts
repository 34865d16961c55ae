import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import type { BlobHasher } from './blob-id.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { maxBlobBytes } from './config.ts'
import { sealOverhead, sealParts, unseal, type SealedParts } from './crypto.ts'
import { compress, decompress, formatVersion, objectHeader } from './sealed.ts'

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

/** Below this a segment is always given to zstd: probing costs as much. */
const probeFrom = 16 * 1024
const probeStretch = 512
const probeCount = 16

/**
 * Compresses (where it helps) and seals a stretch of one or more blobs.
 * @param level zstd level; 0: never compress.
 */
export function sealSegment(packsKey: Uint8Array, kind: BlobKind, raw: Uint8Array, blobCount: number, level: number): SealedSegment {
  const compressed = level > 0 && mayShrink(raw) ? compress(raw, level) : raw
  const compression = compressed.length < raw.length ? 'zstd' : 'none'
  const shape = { rawLength: raw.length, compression, blobCount } as const
  const parts = sealParts(packsKey, additionalData(kind, shape), compression === 'zstd' ? compressed : raw)
  if (compressed !== raw) freeBuffer(compressed)
  return { ...shape, parts, storedLength: parts.ciphertext.length + sealOverhead }
}

/**
 * The raw bytes of a segment. Ids are not checked here, see takeBlob.
 * @throws damaged, before memory is taken for lengths that no segment has
 */
export function openSegment(packsKey: Uint8Array, kind: BlobKind, shape: SegmentShape, stored: Uint8Array, what: string): Uint8Array {
  if (shape.rawLength > maxBlobBytes || stored.length > shape.rawLength + sealOverhead) throw new HoldfastError('damaged', `${what} is damaged: its lengths contradict each other.`)
  const plain = unseal(packsKey, additionalData(kind, shape), stored, what)
  if (shape.compression === 'zstd') {
    const raw = decompress(plain, shape.rawLength, what)
    freeBuffer(plain)
    return raw
  }
  if (plain.length !== shape.rawLength) throw new HoldfastError('damaged', `${what} is damaged: its lengths contradict each other.`)
  return plain
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
