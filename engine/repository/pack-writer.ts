import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { hasErrno } from '../base/errno.ts'
import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import { maxBlobBytes } from './config.ts'
import { sealOverhead, systemRandom, type Random } from './crypto.ts'
import { encodeFooter, maxPackBlobs } from './footer.ts'
import { footerBytes, sealPackEnd, trailerBytes } from './pack-end.ts'
import type { PackBlob, PackSegment, SealedPack } from './pack-info.ts'
import { packPadding, paddedLength } from './padding.ts'
import { objectHeader } from './sealed.ts'
import { sealPadding, sealSegment, sharedBlobBytes, type SealedSegment } from './segment.ts'

export interface BlobBytes {
  readonly id: BlobId
  readonly bytes: Uint8Array
}

/** Raw size up to which blobs share a segment. */
export const sharedSegmentBytes = 1024 * 1024
/** Blobs that share a segment at most, so that whoever keeps as much `blobRoom` can always append one more. */
export const sharedSegmentBlobs = 16_384

/**
 * Packs of a kind that whoever makes packs fills at a time, choosing one by chance for each segment: so nobody can tell from the size of a
 * pack which stretch of a known file is in it. (restic fills two since 0.18, against Truong, Merz, Scarlata, Günther, Paterson: "Breaking and Fixing
 * Content-Defined Chunking", eprint 2025/558.)
 */
export const packsAtOnce = 2

const blockBytes = 512 * 1024
/** What the padding's own entry adds to a table at most. */
const paddingEntryBytes = 16

/**
 * Writes one pack into a new local file. Everything is synchronous: it runs in worker threads. Its memory is one block of 512 KiB and the
 * list of what was written. Not durable until whoever moves or sends the file has seen to it.
 */
export class PackWriter {
  readonly path: string
  readonly kind: BlobKind
  readonly #key: Uint8Array
  readonly #level: number
  readonly #random: Random
  readonly #segments: PackSegment[] = []
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  #blockLength = 0
  #descriptor: number | undefined
  #size = 0
  #crc32 = 0
  #blobCount = 0

  /**
   * @param path must not exist yet.
   * @param packsKey `RepositoryKeys.packs`
   * @param options `random` decides how much padding there is; only tests take another one.
   */
  constructor(path: string, packsKey: Uint8Array, kind: BlobKind, options: { readonly level: number; readonly random?: Random }) {
    this.path = path
    this.kind = kind
    this.#key = packsKey
    this.#level = options.level
    this.#random = options.random ?? systemRandom
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
    if (blobs.length === 0 || blobs.length > this.blobRoom) throw new HoldfastError('internal', `${blobs.length} blobs do not fit the pack.`)
    const rawLength = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (rawLength > maxBlobBytes) throw new HoldfastError('internal', `A segment of ${rawLength} bytes is too large.`)
    const sealed = sealSegment(this.#key, this.kind, blobs.map(({ bytes }) => bytes), this.#level)
    this.#append(sealed, blobs.map(({ id, bytes }) => ({ id, length: bytes.length })))
  }

  /**
   * Takes over all segments of a smaller finished pack of the same kind and keys, as they are: a segment is sealed under a key of its
   * own that does not depend on its place. Its padding is left behind. The other file stays.
   */
  absorb(other: SealedPack): void {
    const incoming = other.contents.segments.reduce((sum, segment) => sum + segment.blobs.length, 0)
    if (other.contents.kind !== this.kind || incoming > this.blobRoom) throw new HoldfastError('internal', 'The pack cannot be absorbed.')
    const descriptor = local(() => openSync(other.path, 'r'))
    try {
      for (const segment of other.contents.segments) {
        if (segment.blobs.length === 0) continue
        const offset = this.#size
        this.#copy(descriptor, segment)
        this.#add({ ...segment, offset })
      }
    } finally {
      closeSync(descriptor)
    }
  }

  /** Fills the pack up to a length that tells little, writes the footer and closes the file. */
  finish(): SealedPack {
    const contents = { kind: this.kind, segments: this.#segments }
    const footer = footerBytes(encodeFooter(contents).length + paddingEntryBytes)
    const least = this.#size + sealOverhead + footer + trailerBytes
    this.#append(sealPadding(this.#key, this.kind, paddedLength(least, packPadding, this.#random) - least), [])
    this.#write(sealPackEnd(this.#key, contents, footer))
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

  #copy(descriptor: number, { offset, storedLength }: PackSegment): void {
    const bytes = Buffer.allocUnsafe(storedLength)
    for (let done = 0; done < storedLength; ) {
      const count = local(() => readSync(descriptor, bytes, done, storedLength - done, offset + done))
      if (count === 0) throw new HoldfastError('damaged', 'A spooled pack ends too early.')
      done += count
    }
    this.#write(bytes)
  }

  #append({ parts, storedLength, rawLength, compression }: SealedSegment, blobs: readonly PackBlob[]): void {
    const offset = this.#size
    this.#write(parts.salt)
    this.#write(parts.ciphertext)
    this.#write(parts.tag)
    freeBuffer(parts.ciphertext)
    this.#add({ offset, storedLength, rawLength, compression, blobs })
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
    const data = { place: 'spool' }
    if (hasErrno(error, 'ENOSPC', 'EDQUOT')) throw new HoldfastError('full', 'No space is left where packs are made.', { cause: error, data })
    if (hasErrno(error, 'ENOENT', 'EIO', 'ENODEV', 'ENXIO', 'ESTALE')) throw new HoldfastError('offline', 'The disk on which packs are made is gone.', { cause: error, data })
    if (hasErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw new HoldfastError('denied', 'Packs cannot be written where they are made.', { cause: error, data })
    throw error
  }
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

