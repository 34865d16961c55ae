import type { ByteString } from '../../base/byte-string.ts'
import { copyOf } from '../../base/bytes.ts'
import type { BlobLocation } from '../../repository/pack-info.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { FileSpec } from '../../target/file-spec.ts'
import type { LinkKey } from './hard-links.ts'

/** Files and chunks planned at a time: bounds the memory of a restore at any number of files. About 5 MB when full. */
const maxFiles = 4096
const maxChunks = 16_384
/** Of long paths and attributes. */
const maxBytes = 8 * 1024 * 1024

/** A file on its way. It may span windows; then `planned` comes in a later one. */
export interface RestoringFile {
  readonly spec: FileSpec
  /** Chunks that are planned and not written yet. */
  left: number
  /** All chunks are planned. */
  planned: boolean
  /** The one chunk planned is the whole file: whoever writes it finishes the file. */
  whole: boolean
  /** Of a file with several names. */
  readonly link: LinkKey | undefined
  /** Its path in the snapshot; in the target it may have another name. */
  readonly source: ByteString
  failure?: { readonly code: string; readonly message: string }
}

/** A wanted segment and where its blobs go. */
export interface SegmentWork {
  readonly location: BlobLocation
  /** By offset in the segment. */
  readonly blobs: Map<number, BlobWork>
}

interface BlobWork {
  readonly id: BlobId
  readonly length: number
  readonly writes: { readonly file: RestoringFile; readonly offset: number }[]
}

/** A stretch of a restore in the order of the tree, planned in memory and then fetched in the order of the packs. */
export class RestoreWindow {
  /** Pack → segment offset → work. */
  readonly packs = new Map<string, Map<number, SegmentWork>>()
  /** Files that need no chunk (any more): empty ones, and half-written ones that turned out to be complete. */
  readonly complete: RestoringFile[] = []
  #files = 0
  #chunks = 0
  #bytes = 0

  get full(): boolean {
    return this.#files >= maxFiles || this.#chunks >= maxChunks || this.#bytes >= maxBytes
  }

  /** @param bytes of its path and attributes. */
  countFile(bytes: number): void {
    this.#files += 1
    this.#bytes += bytes
  }

  add(file: RestoringFile, offset: number, id: BlobId, location: BlobLocation): void {
    const segment = this.#segment(location)
    const known = segment.blobs.get(location.offsetInSegment)
    if (known) known.writes.push({ file, offset })
    // The id is a view of a whole tree; a copy lets the tree go.
    else segment.blobs.set(location.offsetInSegment, { id: copyOf(id), length: location.length, writes: [{ file, offset }] })
    file.left += 1
    this.#chunks += 1
  }

  #segment(location: BlobLocation): SegmentWork {
    let pack = this.packs.get(location.pack)
    if (!pack) this.packs.set(location.pack, (pack = new Map<number, SegmentWork>()))
    let segment = pack.get(location.segmentOffset)
    if (!segment) pack.set(location.segmentOffset, (segment = { location, blobs: new Map<number, BlobWork>() }))
    return segment
  }
}
