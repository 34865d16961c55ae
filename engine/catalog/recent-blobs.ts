import type { PackContents, PackSegment } from '../repository/pack-info.ts'

/** A row of `blobs`, with SQLite's column names. */
export interface BlobRow {
  readonly id: Uint8Array
  readonly pack: number
  readonly kind: number
  readonly segment_offset: number
  readonly stored_length: number
  readonly raw_length: number
  readonly compression: number
  readonly blob_count: number
  readonly offset_in_segment: number
  readonly length: number
}

interface Place {
  readonly pack: number
  readonly kind: number
  readonly segment: PackSegment
  readonly offset: number
  readonly length: number
  readonly id: Uint8Array
  /** The same blob in an earlier pack. */
  readonly other: Place | undefined
}

const none: readonly BlobRow[] = []

/** Entries kept before they go to SQLite: about 200 bytes each, so 8 MB. */
const capacity = 40_000

/** Blobs of packs that are not in SQLite's `blobs` yet, by id as a latin1 string. */
export class RecentBlobs {
  readonly #places = new Map<string, Place>()

  get isFull(): boolean {
    return this.#places.size >= capacity
  }

  add(pack: number, contents: PackContents): void {
    const kind = contents.kind === 'data' ? 0 : 1
    for (const segment of contents.segments) {
      let offset = 0
      for (const { id, length } of segment.blobs) {
        const key = Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')
        const other = this.#places.get(key)
        if (other?.pack !== pack) this.#places.set(key, { pack, kind, segment, offset, length, id, other })
        offset += length
      }
    }
  }

  /** Numbers of the packs that hold the blob. */
  packs(key: string): readonly number[] {
    return placesOf(this.#places.get(key)).map((place) => place.pack)
  }

  rows(key: string): readonly BlobRow[] {
    const place = this.#places.get(key)
    return place ? placesOf(place).map(toRow) : none
  }

  clear(): void {
    this.#places.clear()
  }

  /** All rows in order of id, and forgets them. */
  *drainSorted(): Generator<BlobRow> {
    const keys = [...this.#places.keys()].sort()
    for (const key of keys) yield* this.rows(key)
    this.#places.clear()
  }
}

function placesOf(place: Place | undefined): Place[] {
  if (place === undefined) return []
  const found: Place[] = []
  for (let each: Place | undefined = place; each !== undefined; each = each.other) found.push(each)
  return found
}

function toRow(place: Place): BlobRow {
  return {
    id: place.id, pack: place.pack, kind: place.kind, segment_offset: place.segment.offset, stored_length: place.segment.storedLength,
    raw_length: place.segment.rawLength, compression: place.segment.compression === 'none' ? 0 : 1, blob_count: place.segment.blobs.length,
    offset_in_segment: place.offset, length: place.length,
  }
}
