import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import { maxBlobBytes } from './config.ts'
import { sealParts, type SealedParts } from './crypto.ts'
import { encodeFooter, maxPackBlobs } from './footer.ts'
import type { PackSegment, SealedPack } from './pack-info.ts'
import { objectHeader } from './sealed.ts'
import { sealSegment } from './segment.ts'

export interface BlobBytes {
  readonly id: BlobId
  readonly bytes: Uint8Array
}

/** Blobs up to this size share segments; bigger ones have their own. */
export const sharedBlobBytes = 64 * 1024
/** Raw size up to which blobs share a segment. */
export const sharedSegmentBytes = 1024 * 1024
/** Blobs that share a segment at most, so that whoever keeps as much `blobRoom` can always append one more. */
export const sharedSegmentBlobs = 16_384

const blockBytes = 1024 * 1024
export const footerLengthBytes = 4

/**
 * Writes one pack into a new local file. Everything is synchronous: it runs in worker threads. Its memory is one block of 1 MiB, one
 * shared segment of 1 MiB, and the list of what was written. Not durable until whoever moves or sends the file has seen to it.
 */
export class PackWriter {
  readonly path: string
  readonly kind: BlobKind
  readonly #key: Uint8Array
  readonly #level: number
  readonly #segments: PackSegment[] = []
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  #blockLength = 0
  #shared: Uint8Array | undefined
  #descriptor: number | undefined
  #size = 0
  #crc32 = 0
  #blobCount = 0

  /**
   * @param path must not exist yet.
   * @param packsKey `RepositoryKeys.packs`
   */
  constructor(path: string, packsKey: Uint8Array, kind: BlobKind, options: { readonly level: number }) {
    this.path = path
    this.kind = kind
    this.#key = packsKey
    this.#level = options.level
    this.#descriptor = local(() => openSync(path, 'wx', 0o600))
    this.#write(objectHeader(kind === 'data' ? 'data-pack' : 'tree-pack'))
  }

  /** Size of the pack so far, without its footer. */
  get bytesWritten(): number {
    return this.#size
  }

  get blobCount(): number {
    return this.#blobCount
  }

  /** Room for more blobs: a pack holds at most 131,072, however small they are. */
  get blobRoom(): number {
    return maxPackBlobs - this.#blobCount
  }

  /** Compresses and seals the blobs as one segment. The caller keeps shared segments to about 1 MiB, see groupBlobs. */
  append(blobs: readonly BlobBytes[]): void {
    const only = blobs.length === 1 ? blobs[0] : undefined
    if (blobs.length === 0 || blobs.length > this.blobRoom) throw new HoldfastError('internal', `${blobs.length} blobs do not fit the pack.`)
    const raw = only ? only.bytes : this.#join(blobs)
    if (raw.length > maxBlobBytes) throw new HoldfastError('internal', `A blob of ${raw.length} bytes is too large.`)
    const { parts, storedLength, rawLength, compression } = sealSegment(this.#key, this.kind, raw, blobs.length, this.#level)
    const offset = this.#size
    this.#writeParts(parts)
    this.#add({ offset, storedLength, rawLength, compression, blobs: blobs.map(({ id, bytes }) => ({ id, length: bytes.length })) })
  }

  /**
   * Takes over all segments of a smaller finished pack of the same kind and keys, as they are: a segment is sealed under a key of its
   * own that does not depend on its place. The other file stays.
   */
  absorb(other: SealedPack): void {
    const incoming = other.contents.segments.reduce((sum, segment) => sum + segment.blobs.length, 0)
    if (other.contents.kind !== this.kind || incoming > this.blobRoom) throw new HoldfastError('internal', 'The pack cannot be absorbed.')
    const descriptor = openSync(other.path, 'r')
    try {
      for (const segment of other.contents.segments) {
        const offset = this.#size
        this.#copy(descriptor, segment)
        this.#add({ ...segment, offset })
      }
    } finally {
      closeSync(descriptor)
    }
  }

  /** Writes the footer and closes the file. */
  finish(): SealedPack {
    const contents = { kind: this.kind, segments: this.#segments }
    const parts = sealParts(this.#key, footerAdditionalData(this.kind, this.#size), encodeFooter(contents))
    const from = this.#size
    this.#writeParts(parts)
    const length = Buffer.alloc(footerLengthBytes)
    length.writeUInt32LE(this.#size - from)
    this.#write(length)
    this.#flush()
    this.#close()
    return { path: this.path, size: this.#size, crc32: this.#crc32, contents }
  }

  /** Closes and removes the file, finished or not; repeating is safe. */
  discard(): void {
    this.#close()
    rmSync(this.path, { force: true })
  }

  #add(segment: PackSegment): void {
    this.#segments.push(segment)
    this.#blobCount += segment.blobs.length
  }

  #join(blobs: readonly BlobBytes[]): Uint8Array {
    const length = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (!this.#shared || this.#shared.length < length) this.#shared = new Uint8Array(Math.max(length, sharedSegmentBytes + sharedBlobBytes))
    let at = 0
    for (const { bytes } of blobs) {
      this.#shared.set(bytes, at)
      at += bytes.length
    }
    return this.#shared.subarray(0, length)
  }

  #copy(descriptor: number, { offset, storedLength }: PackSegment): void {
    const bytes = Buffer.allocUnsafe(storedLength)
    for (let done = 0; done < storedLength; ) {
      const count = readSync(descriptor, bytes, done, storedLength - done, offset + done)
      if (count === 0) throw new HoldfastError('damaged', 'A spooled pack ends too early.')
      done += count
    }
    this.#write(bytes)
  }

  #writeParts({ salt, ciphertext, tag }: SealedParts): void {
    this.#write(salt)
    this.#write(ciphertext)
    this.#write(tag)
    freeBuffer(ciphertext)
  }

  /** Gathers small pieces into blocks, so that the file grows in few system calls. */
  #write(bytes: Uint8Array): void {
    this.#crc32 = crc32(bytes, this.#crc32)
    this.#size += bytes.length
    if (this.#blockLength + bytes.length > blockBytes) this.#flush()
    if (bytes.length >= blockBytes / 2) {
      this.#flush()
      this.#writeThrough(bytes)
      return
    }
    this.#block.set(bytes, this.#blockLength)
    this.#blockLength += bytes.length
  }

  #flush(): void {
    this.#writeThrough(this.#block.subarray(0, this.#blockLength))
    this.#blockLength = 0
  }

  #writeThrough(bytes: Uint8Array): void {
    if (this.#descriptor === undefined) throw new HoldfastError('internal', 'The pack is finished already.')
    const descriptor = this.#descriptor
    for (let done = 0; done < bytes.length; ) done += local(() => writeSync(descriptor, bytes, done))
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

/** Errors of the disk that packs are made on, with codes: full, denied, offline. */
function local<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const data = { place: 'spool' }
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new HoldfastError('full', 'No space is left where packs are made.', { cause: error, data })
    if (code === 'ENOENT' || code === 'EIO' || code === 'ENODEV' || code === 'ENXIO' || code === 'ESTALE') throw new HoldfastError('offline', 'The disk on which packs are made is gone.', { cause: error, data })
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') throw new HoldfastError('denied', 'Packs cannot be written where they are made.', { cause: error, data })
    throw error
  }
}

/** A footer belongs to a pack of its kind, at its very offset. */
export function footerAdditionalData(kind: BlobKind, offset: number): Uint8Array {
  const data = Buffer.alloc(16)
  data.set(objectHeader(kind === 'data' ? 'data-pack' : 'tree-pack'), 0)
  data[4] = 0xff
  data.writeUInt32LE(offset, 8)
  return data
}

/** Shares blobs out to segments, in order: small ones together up to 1 MiB (16,384 blobs), each bigger one alone. */
export function* groupBlobs(blobs: Iterable<BlobBytes>): Generator<BlobBytes[]> {
  let group: BlobBytes[] = []
  let size = 0
  for (const blob of blobs) {
    if (blob.bytes.length > sharedBlobBytes) {
      yield [blob]
      continue
    }
    if (group.length === sharedSegmentBlobs || (size + blob.bytes.length > sharedSegmentBytes && group.length > 0)) {
      yield group
      group = []
      size = 0
    }
    group.push(blob)
    size += blob.bytes.length
  }
  if (group.length > 0) yield group
}

