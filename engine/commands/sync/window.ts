import { copyOf, toHex } from '../../base/bytes.ts'
import type { BlobLocation } from '../../repository/pack-info.ts'
import { planRanges } from '../../repository/ranges.ts'
import type { BlobId } from '../../snapshot/node.ts'

/** Blobs planned at a time, so that those of one pack come together. About 10 MB of memory when full. */
const mostBlobs = 32_768
/** Stored bytes: enough for every connection to have several ranges. */
const mostBytes = 256 * 1024 * 1024

export interface WantedBlob {
  /** Of the source. */
  readonly id: BlobId
  readonly offset: number
  readonly length: number
}

/** A segment of a source's pack, and what is wanted of it. */
export interface WantedSegment {
  readonly location: BlobLocation
  readonly blobs: readonly WantedBlob[]
}

/** One request. */
export interface WantedRange {
  readonly pack: string
  readonly offset: number
  readonly length: number
  readonly segments: readonly WantedSegment[]
}

interface GatheredSegment {
  readonly location: BlobLocation
  /** By id. */
  readonly blobs: Map<string, WantedBlob>
}

/** What is to be read of the source, in the order of the tree; gives it in the order of the packs, each blob once. */
export class SyncWindow {
  readonly #packs = new Map<string, Map<number, GatheredSegment>>()
  #blobs = 0
  #bytes = 0

  get full(): boolean {
    return this.#blobs >= mostBlobs || this.#bytes >= mostBytes
  }

  add(id: BlobId, location: BlobLocation): void {
    let pack = this.#packs.get(location.pack)
    if (!pack) this.#packs.set(location.pack, (pack = new Map<number, GatheredSegment>()))
    let segment = pack.get(location.segmentOffset)
    if (!segment) {
      pack.set(location.segmentOffset, (segment = { location, blobs: new Map() }))
      this.#bytes += location.storedLength
    }
    const key = toHex(id)
    if (segment.blobs.has(key)) return
    // The id is a view of a whole tree; a copy lets the tree go.
    segment.blobs.set(key, { id: copyOf(id), offset: location.offsetInSegment, length: location.length })
    this.#blobs++
  }

  /** Neighbours with one request of up to so many bytes. */
  *ranges(rangeBytes: number): Generator<WantedRange> {
    for (const [pack, segments] of this.#packs) {
      const wanted = [...segments.values()].map(({ location }) => ({
        offset: location.segmentOffset, storedLength: location.storedLength, rawLength: location.rawLength, compression: location.compression, blobs: [],
      }))
      for (const { offset, length, segments: neighbours } of planRanges(wanted, rangeBytes)) {
        yield { pack, offset, length, segments: neighbours.flatMap((each) => {
          const segment = segments.get(each.offset)
          return segment ? [{ location: segment.location, blobs: [...segment.blobs.values()] }] : []
        }) }
      }
    }
  }
}

/** Segments of a range that fit a slab together. Errors: none; a segment larger than a slab stands alone. */
export function* slabfuls(segments: readonly WantedSegment[], slabBytes: number): Generator<readonly WantedSegment[]> {
  let together: WantedSegment[] = []
  let bytes = 0
  for (const segment of segments) {
    const size = segment.blobs.reduce((sum, { length }) => sum + length, 0)
    if (together.length > 0 && bytes + size > slabBytes) {
      yield together
      together = []
      bytes = 0
    }
    together.push(segment)
    bytes += size
  }
  if (together.length > 0) yield together
}
