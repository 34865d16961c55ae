import type { BlobId, BlobKind } from '../snapshot/node.ts'

/** What a pack holds, in memory: the decoded footer. */
export interface PackContents {
  /** Data and trees go into different packs. */
  readonly kind: BlobKind
  /** In order of offset. */
  readonly segments: readonly PackSegment[]
}

/** One sealed stretch of a pack: one big blob, many small ones back to back, or, as the last, none: padding. */
export interface PackSegment {
  /** Byte offset in the pack. */
  readonly offset: number
  readonly storedLength: number
  readonly rawLength: number
  readonly compression: 'none' | 'zstd'
  readonly blobs: readonly PackBlob[]
}

export interface PackBlob {
  readonly id: BlobId
  readonly length: number
}

/** A pack as an index object or the catalog knows it. */
export interface PackInfo {
  /** 32 hex digits; the object is `packs/<first two>/<name>`. */
  readonly name: string
  /** Bytes of the object. */
  readonly size: number
  readonly contents: PackContents
}

/** The same with its table as bytes, as a footer has it: a tenth of the memory. */
export interface EncodedPackInfo extends Omit<PackInfo, 'contents'> {
  readonly footer: Uint8Array
}

/** A finished pack in a local file, not sent yet. */
export interface SealedPack {
  readonly path: string
  readonly size: number
  readonly crc32: number
  readonly contents: PackContents
}

/** All that is needed to read one blob with one ranged read. */
export interface BlobLocation {
  readonly pack: string
  readonly kind: BlobKind
  readonly segmentOffset: number
  readonly storedLength: number
  readonly rawLength: number
  readonly compression: 'none' | 'zstd'
  readonly blobCount: number
  readonly offsetInSegment: number
  readonly length: number
}

/** Knows where blobs are; the catalog implements it. */
export interface BlobLocator {
  locate(id: BlobId): BlobLocation | undefined
}
