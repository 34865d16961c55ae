import SqliteDatabase from 'better-sqlite3'
import type BetterSqlite3 from 'better-sqlite3'
import { asBuffer, equalBytes, toHex } from '../base/bytes.ts'
import { decodeFooter, encodeFooter } from '../repository/footer.ts'
import type { BlobLocation, PackContents, PackInfo } from '../repository/pack-info.ts'
import type { ListedPack } from '../repository/protocol/listing.ts'
import type { LivenessStore, PackUse } from '../repository/protocol/liveness.ts'
import type { BlobId } from '../snapshot/node.ts'
import { guarded } from './database.ts'
import { PackSet } from './pack-set.ts'

const schema = `
CREATE TABLE packs(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size INTEGER, modified_ms INTEGER, known_size INTEGER, listing INTEGER NOT NULL);
CREATE TABLE footers(pack INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE blobs(id BLOB NOT NULL, pack INTEGER NOT NULL, PRIMARY KEY(id, pack)) WITHOUT ROWID;
CREATE TABLE live(id BLOB PRIMARY KEY) WITHOUT ROWID;
`

/** Rows read at a time: SQLite allows no write while a query is open. */
const pageRows = 500
/** Decoded footers kept; each takes up to a few MB. */
const decodedPacks = 8
/** About 20 MB. */
const waitingBlobs = 100_000
const cacheKiB = 32 * 1024

interface PackRow {
  readonly number: number
  readonly name: string
  readonly size: number
  readonly modified_ms: number
  readonly known_size: number | null
}

/**
 * What a prune knows, in a temporary database of SQLite's own that vanishes with the process (in SQLITE_TMPDIR or the system's folder for
 * temporary files). In memory: 32 MiB of pages, 20 MB of blobs on their way in, a few footers, two bits a pack.
 */
export class LivenessDatabase implements LivenessStore {
  readonly #database: BetterSqlite3.Database
  readonly #statements: ReturnType<typeof prepare>
  /** Listed packs whose contents are known. */
  readonly #counting = new PackSet()
  readonly #retired = new PackSet()
  readonly #decoded = new Map<number, DecodedPack>()
  /** Blobs on their way into the database: sorted and in bulk they go in several times faster than in the order of packs. */
  readonly #waiting: { readonly key: string, readonly pack: number }[] = []
  /** Number of the present listing; packs that were never listed carry 0. */
  #listing = 1

  constructor() {
    this.#database = new SqliteDatabase('')
    this.#database.pragma('journal_mode = OFF')
    this.#database.pragma(`cache_size = -${cacheKiB}`)
    this.#database.exec(`${schema}; BEGIN`)
    this.#statements = prepare(this.#database)
  }

  beginListing(): void {
    this.#listing++
    this.#counting.clear()
  }

  listed(pack: ListedPack): void {
    guarded(() => {
      const row = this.#statements.list.get(pack.name, pack.size, pack.modifiedMs, this.#listing)
      if (row?.known_size === pack.size) this.#counting.add(row.number)
    })
  }

  addPack(pack: PackInfo): void {
    guarded(() => {
      const number = this.#statements.numberOf.get(pack.name)
      if (number !== undefined && this.#counting.has(number) && this.listedSize(pack.name) !== pack.size) return
      const row = this.#statements.know.get(pack.name, pack.size)
      if (!row) return
      const footer = encodeFooter(pack.contents)
      const before = this.#statements.footerOf.get(row.number)?.body
      if (before && equalBytes(before, footer)) return this.#count(row, pack.size)
      if (before) this.#forgetContents(row.number, before)
      this.#statements.keepFooter.run(row.number, footer)
      for (const id of idsOf(pack.contents)) this.#waiting.push({ key: asBuffer(id).toString('latin1'), pack: row.number })
      if (this.#waiting.length >= waitingBlobs) this.#settle()
      this.#count(row, pack.size)
    })
  }

  #count(row: PackRow & { readonly listing: number }, size: number): void {
    if (row.listing === this.#listing && row.size === size) this.#counting.add(row.number)
  }

  *unknown(): Generator<ListedPack> {
    for (const row of this.#rows()) if (!this.#counting.has(row.number)) yield listedPack(row)
  }

  contents(pack: string): PackContents | undefined {
    return guarded(() => {
      const number = this.#statements.numberOf.get(pack)
      return number !== undefined && this.#counting.has(number) ? this.#decode(number)?.contents : undefined
    })
  }

  listedSize(pack: string): number | undefined {
    return guarded(() => this.#statements.sizeOf.get(pack, this.#listing))
  }

  retire(pack: string): void {
    guarded(() => {
      const row = this.#statements.know.get(pack, null)
      if (row) this.#retired.add(row.number)
    })
  }

  markLive(id: BlobId): void {
    guarded(() => this.#statements.addLive.run(id))
  }

  isLive(id: BlobId): boolean {
    return guarded(() => this.#statements.isLive.get(id) !== undefined)
  }

  *usage(): Generator<PackUse> {
    for (const row of this.#rows()) {
      const contents = this.#isCopy(row.number) ? this.#decode(row.number)?.contents : undefined
      if (!contents) continue
      const use = { liveBlobs: 0, liveBytes: 0, deadBytes: 0 }
      for (const { id, length } of contents.segments.flatMap((segment) => segment.blobs)) {
        if (this.isLive(id)) {
          use.liveBlobs++
          use.liveBytes += length
        } else use.deadBytes += length
      }
      yield { ...listedPack(row), ...use }
    }
  }

  *withDuplicates(): Generator<ListedPack> {
    const sharing = new PackSet()
    guarded(() => {
      this.#settle()
      for (const number of this.#statements.sharing.all()) sharing.add(number)
    })
    for (const row of this.#rows(true)) if (sharing.has(row.number) && this.#isCopy(row.number)) yield listedPack(row)
  }

  *uncovered(pack: string): Generator<BlobId> {
    const contents = this.contents(pack)
    const own = this.#statements.numberOf.get(pack)
    const seen = new Set<string>()
    for (const { id } of contents?.segments.flatMap((segment) => segment.blobs) ?? []) {
      const key = toHex(id)
      if (seen.has(key) || !this.isLive(id)) continue
      seen.add(key)
      if (!this.#holders(id).some((holder) => holder !== own && this.#isCopy(holder))) yield id
    }
  }

  locate(id: BlobId): BlobLocation | undefined {
    return guarded(() => {
      const holders = this.#holders(id).filter((number) => this.#counting.has(number))
      const number = holders.find((each) => !this.#retired.has(each)) ?? holders[0]
      return number === undefined ? undefined : this.#decode(number)?.locations.get(toHex(id))
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #isCopy(number: number): boolean {
    return this.#counting.has(number) && !this.#retired.has(number)
  }

  #holders(id: BlobId): number[] {
    return guarded(() => {
      this.#settle()
      return this.#statements.holders.all(id)
    })
  }

  /** What an index object said wrongly of a pack must not stay as a copy that does not exist. */
  #forgetContents(number: number, footer: Uint8Array): void {
    this.#settle()
    this.#decoded.delete(number)
    for (const id of idsOf(decodeFooter(footer))) this.#statements.removeBlob.run(id, number)
  }

  #settle(): void {
    if (this.#waiting.length === 0) return
    for (const { key, pack } of this.#waiting.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
      this.#statements.addBlob.run(Buffer.from(key, 'latin1'), pack)
    }
    this.#waiting.length = 0
  }

  /** Listed packs by name, a page at a time. */
  *#rows(lastFirst = false): Generator<PackRow> {
    const statement = lastFirst ? this.#statements.pageDown : this.#statements.pageUp
    let from = lastFirst ? '~' : ''
    for (;;) {
      const rows = guarded(() => statement.all(this.#listing, from, pageRows))
      yield* rows
      from = rows.at(-1)?.name ?? from
      if (rows.length < pageRows) return
    }
  }

  #decode(number: number): DecodedPack | undefined {
    const known = this.#decoded.get(number)
    if (known) return known
    const row = this.#statements.footerOf.get(number)
    if (!row) return undefined
    const contents = decodeFooter(row.body)
    const decoded = { contents, locations: locationsOf(row.name, contents) }
    this.#decoded.set(number, decoded)
    const [oldest] = this.#decoded.keys()
    if (this.#decoded.size > decodedPacks && oldest !== undefined) this.#decoded.delete(oldest)
    return decoded
  }
}

interface DecodedPack {
  readonly contents: PackContents
  readonly locations: ReadonlyMap<string, BlobLocation>
}

function prepare(database: BetterSqlite3.Database) {
  const page = 'SELECT number, name, size, modified_ms, known_size FROM packs WHERE listing = ? AND name'
  return {
    list: database.prepare<[string, number, number, number], PackRow>(`INSERT INTO packs(name, size, modified_ms, listing) VALUES (?, ?, ?, ?)
      ON CONFLICT(name) DO UPDATE SET size = excluded.size, modified_ms = excluded.modified_ms, listing = excluded.listing RETURNING *`),
    know: database.prepare<[string, number | null], PackRow & { readonly listing: number }>(`INSERT INTO packs(name, known_size, listing) VALUES (?, ?, 0)
      ON CONFLICT(name) DO UPDATE SET known_size = coalesce(excluded.known_size, known_size) RETURNING *`),
    keepFooter: database.prepare<[number, Uint8Array]>('INSERT OR REPLACE INTO footers VALUES (?, ?)'),
    addBlob: database.prepare<[Uint8Array, number]>('INSERT OR IGNORE INTO blobs VALUES (?, ?)'),
    removeBlob: database.prepare<[Uint8Array, number]>('DELETE FROM blobs WHERE id = ? AND pack = ?'),
    addLive: database.prepare<[Uint8Array]>('INSERT OR IGNORE INTO live VALUES (?)'),
    isLive: database.prepare<[Uint8Array], number>('SELECT 1 FROM live WHERE id = ?').pluck(),
    numberOf: database.prepare<[string], number>('SELECT number FROM packs WHERE name = ?').pluck(),
    sizeOf: database.prepare<[string, number], number>('SELECT size FROM packs WHERE name = ? AND listing = ?').pluck(),
    holders: database.prepare<[Uint8Array], number>('SELECT pack FROM blobs WHERE id = ?').pluck(),
    sharing: database.prepare<[], number>(`SELECT DISTINCT pack FROM blobs b WHERE EXISTS (SELECT 1 FROM blobs c WHERE c.id = b.id AND c.pack <> b.pack)`).pluck(),
    footerOf: database.prepare<[number], { readonly name: string, readonly body: Buffer }>('SELECT name, body FROM packs JOIN footers ON pack = number WHERE number = ?'),
    pageUp: database.prepare<[number, string, number], PackRow>(`${page} > ? ORDER BY name LIMIT ?`),
    pageDown: database.prepare<[number, string, number], PackRow>(`${page} < ? ORDER BY name DESC LIMIT ?`),
  }
}

function listedPack(row: PackRow): ListedPack {
  return { name: row.name, size: row.size, modifiedMs: row.modified_ms }
}

function idsOf(contents: PackContents): BlobId[] {
  return contents.segments.flatMap((segment) => segment.blobs.map((blob) => blob.id))
}

function locationsOf(pack: string, contents: PackContents): ReadonlyMap<string, BlobLocation> {
  const locations = new Map<string, BlobLocation>()
  for (const { offset, storedLength, rawLength, compression, blobs } of contents.segments) {
    let offsetInSegment = 0
    for (const { id, length } of blobs) {
      locations.set(toHex(id), {
        pack, kind: contents.kind, segmentOffset: offset, storedLength, rawLength, compression, blobCount: blobs.length, offsetInSegment, length,
      })
      offsetInSegment += length
    }
  }
  return locations
}
