import type BetterSqlite3 from 'better-sqlite3'
import type { BlobLocation, BlobLocator, PackContents } from '../repository/pack-info.ts'
import type { BlobId } from '../snapshot/node.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'
import type { PackUsage } from './pack-usage.ts'
import { RecentBlobs } from './recent-blobs.ts'
import type { BlobRow } from './recent-blobs.ts'

const idLength = 32

/** The columns of a place without its id, which who asks has: SQLite's driver makes an array for less than an object. */
const rawColumns = 'pack, kind, segment_offset, stored_length, raw_length, compression, blob_count, offset_in_segment, length'
type RawRow = readonly [number, number, number, number, number, number, number, number, number]

/** Names of packs by number that are kept at hand: a megabyte. */
const namesKept = 10_000

/**
 * Blob id → place, and the claims of the running backup. Blobs of new packs stay in memory (see RecentBlobs) and go to SQLite sorted
 * and in bulk, since inserting random ids one pack at a time is several times slower.
 */
export class BlobIndex implements BlobLocator {
  readonly #usage: PackUsage
  readonly #recent = new RecentBlobs()
  readonly #claimed = new Set<string>()
  readonly #names = new Map<number, string>()
  readonly #packsOf: BetterSqlite3.Statement<[Uint8Array], number>
  readonly #rowsOf: BetterSqlite3.Statement<[Uint8Array], BlobRow>
  readonly #firstOf: BetterSqlite3.Statement<[Uint8Array], RawRow>
  readonly #nameOf: BetterSqlite3.Statement<[number], Buffer>
  readonly #insert: BetterSqlite3.Statement<[Uint8Array, ...number[]]>
  readonly #settle: BetterSqlite3.Statement<[]>
  #settledAny: boolean
  #settledHere = false

  constructor(database: Database, usage: PackUsage) {
    this.#usage = usage
    this.#packsOf = database.prepare<[Uint8Array], number>('SELECT pack FROM blobs WHERE id = ?').pluck()
    this.#rowsOf = database.prepare('SELECT * FROM blobs WHERE id = ?')
    this.#firstOf = database.prepare<[Uint8Array], RawRow>(`SELECT ${rawColumns} FROM blobs WHERE id = ?`).raw()
    this.#nameOf = database.prepare<[number], Buffer>('SELECT name FROM packs WHERE number = ?').pluck()
    this.#insert = database.prepare('INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#settle = database.prepare('UPDATE contents SET settled = 1 WHERE settled = 0')
    this.#settledAny = database.prepare('SELECT 1 FROM blobs LIMIT 1').get() !== undefined
  }

  /**
   * Decides what must be stored. `ids` are n × 32 bytes; the answer has a byte each: 1, the caller stores the blob and it counts as
   * claimed from now on; 0, it is in a usable pack or claimed already. Packs that answer 0 join the run's closure.
   */
  claim(ids: Uint8Array): Uint8Array {
    return guarded(() => {
      const wanted = new Uint8Array(ids.length / idLength)
      for (let at = 0; at < wanted.length; at++) {
        const id = idAt(ids, at)
        const key = keyOf(id)
        if (this.#claimed.has(key) || this.#use(id, key)) continue
        this.#claimed.add(key)
        wanted[at] = 1
      }
      return wanted
    })
  }

  /** Takes claims back whose blobs will not be stored. Unknown ids are ignored. */
  unclaim(ids: Uint8Array): void {
    for (let at = 0; at < ids.length / idLength; at++) this.#claimed.delete(keyOf(idAt(ids, at)))
  }

  /** Rule R3: true when every blob is in a usable pack or claimed; its packs join the closure. */
  touch(ids: Uint8Array): boolean {
    return guarded(() => {
      for (let at = 0; at < ids.length / idLength; at++) {
        const id = idAt(ids, at)
        const key = keyOf(id)
        if (!this.#claimed.has(key) && !this.#use(id, key)) return false
      }
      return true
    })
  }

  /** Where a blob is: in a usable pack if any, else in any known pack. */
  locate(id: BlobId): BlobLocation | undefined {
    return guarded(() => {
      const first = this.#first(id)
      if (first && this.#usage.isUsable(first.pack)) return this.#location(first)
      const row = this.#rows(id).find((each) => this.#usage.isUsable(each.pack)) ?? first
      return row && this.#location(row)
    })
  }

  /** Every known place of a blob, with whether its pack is usable. */
  places(id: BlobId): readonly { readonly location: BlobLocation; readonly usable: boolean }[] {
    return guarded(() => this.#rows(id).flatMap((row) => {
      const location = this.#location(row)
      return location ? [{ location, usable: this.#usage.isUsable(row.pack) }] : []
    }))
  }

  /** Blobs of a pack become findable; claims on them are settled. Call inside the transaction that stores the pack's contents. */
  add(pack: number, contents: PackContents): void {
    this.#recent.add(pack, contents)
    if (this.#claimed.size > 0) for (const segment of contents.segments) for (const blob of segment.blobs) this.#claimed.delete(keyOf(blob.id))
    if (this.#recent.isFull) this.settle()
  }

  /** Blobs that a spooled pack of an earlier run holds count as claimed: the pack will be sent. */
  claimContents(contents: PackContents): void {
    for (const segment of contents.segments) for (const blob of segment.blobs) this.#claimed.add(keyOf(blob.id))
  }

  /** What is in memory no longer stands for rows: after a rollback. Claims stay, their blobs are still to be stored. */
  forgetRecent(): void {
    this.#recent.clear()
    this.#names.clear()
    this.#settledHere = false
  }

  /** True once recent blobs were moved blobs to SQLite. */
  get hasSettled(): boolean {
    return this.#settledHere
  }

  /** Moves what is in memory into SQLite and marks every pack's contents as settled. */
  settle(): void {
    this.#settledHere = true
    for (const row of this.#recent.drainSorted()) {
      this.#insert.run(row.id, row.pack, row.kind, row.segment_offset, row.stored_length, row.raw_length, row.compression,
        row.blob_count, row.offset_in_segment, row.length)
      this.#settledAny = true
    }
    this.#settle.run()
  }

  /** One row, at a third of the price of all: restores ask for every blob. */
  #first(id: BlobId): BlobRow | undefined {
    const [recent] = this.#recent.rows(keyOf(id))
    if (recent || !this.#settledAny) return recent
    const row = this.#firstOf.get(id)
    return row && rowOf(id, row)
  }

  #rows(id: BlobId): readonly BlobRow[] {
    return [...this.#recent.rows(keyOf(id)), ...(this.#settledAny ? this.#rowsOf.all(id) : [])]
  }

  #packName(number: number): string | undefined {
    const known = this.#names.get(number)
    if (known !== undefined) return known
    const name = this.#nameOf.get(number)?.toString('hex')
    if (this.#names.size >= namesKept) this.#names.clear()
    if (name !== undefined) this.#names.set(number, name)
    return name
  }

  #use(id: Uint8Array, key: string): boolean {
    const recent = this.#recent.packs(key).find((pack) => this.#usage.isUsable(pack))
    const pack = recent ?? (this.#settledAny ? this.#packsOf.all(id).find((each) => this.#usage.isUsable(each)) : undefined)
    if (pack === undefined) return false
    this.#usage.use(pack)
    return true
  }

  #location(row: BlobRow): BlobLocation | undefined {
    const pack = this.#packName(row.pack)
    if (pack === undefined) return undefined
    return {
      pack, kind: row.kind === 0 ? 'data' : 'tree', segmentOffset: row.segment_offset, storedLength: row.stored_length,
      rawLength: row.raw_length, compression: row.compression === 0 ? 'none' : 'zstd', blobCount: row.blob_count,
      offsetInSegment: row.offset_in_segment, length: row.length,
    }
  }
}

function rowOf(id: Uint8Array, row: RawRow): BlobRow {
  const [pack, kind, segmentOffset, storedLength, rawLength, compression, blobCount, offsetInSegment, length] = row
  return {
    id, pack, kind, segment_offset: segmentOffset, stored_length: storedLength, raw_length: rawLength, compression,
    blob_count: blobCount, offset_in_segment: offsetInSegment, length,
  }
}

function idAt(ids: Uint8Array, at: number): Uint8Array {
  return ids.subarray(at * idLength, at * idLength + idLength)
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, idLength).toString('latin1')
}
