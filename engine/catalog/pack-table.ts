import type BetterSqlite3 from 'better-sqlite3'
import { decodeFooter, encodeFooter } from '../repository/footer.ts'
import type { EncodedPackInfo, PackContents, PackInfo } from '../repository/pack-info.ts'
import type { BlobIndex } from './blob-index.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'
import type { PackUsage } from './pack-usage.ts'
import type { Transactions } from './transactions.ts'

/** Listed names are applied this many at a time, in one transaction each. */
const listingBatch = 1000

/** Packs that are gone are swept out of the blob table when they are at least this many and a fifth of all. */
const sweepMinimum = 64

export interface KnownPack {
  readonly name: string
  readonly size: number
}

export interface VerificationDates {
  readonly packs: number
  /** Never verified, as far as this catalog knows. */
  readonly unreadPacks: number
  /** ms since 1970; absent where a pack was never verified, or there is none. */
  readonly oldestVerifiedMs?: number
}

interface ListedRow {
  readonly number: number
  readonly name: Buffer
  readonly size: number
  /** 0: never. */
  readonly verified_ms: number
}

/** A pack without a size is one that only a retire record has told of, perhaps to an earlier run: there is nothing of it to be read. */
const listedRows = 'SELECT number, name, size, verified_ms FROM packs WHERE size > 0'

interface PackRow {
  readonly number: number
  readonly size: number
  readonly known: number
}

/** Which packs there are, what they hold, and which index objects have been read. */
export class PackTable {
  readonly #database: Database
  readonly #transactions: Transactions
  readonly #usage: PackUsage
  readonly #blobs: BlobIndex
  readonly #find: BetterSqlite3.Statement<[Uint8Array], number>
  readonly #row: BetterSqlite3.Statement<[Uint8Array], PackRow>
  readonly #insert: BetterSqlite3.Statement<[Uint8Array, number]>
  readonly #setSize: BetterSqlite3.Statement<[number, number]>
  readonly #setKnown: BetterSqlite3.Statement<[number, number]>
  readonly #setContents: BetterSqlite3.Statement<[number, Uint8Array, number]>
  readonly #setIndexed: BetterSqlite3.Statement<[number]>
  #listing: KnownPack[] = []

  constructor(database: Database, transactions: Transactions, usage: PackUsage, blobs: BlobIndex) {
    this.#database = database
    this.#transactions = transactions
    this.#usage = usage
    this.#blobs = blobs
    this.#find = database.prepare<[Uint8Array], number>('SELECT number FROM packs WHERE name = ?').pluck()
    this.#row = database.prepare('SELECT number, size, known FROM packs WHERE name = ?')
    this.#insert = database.prepare('INSERT INTO packs(name, size) VALUES (?, ?)')
    this.#setSize = database.prepare('UPDATE packs SET size = ? WHERE number = ?')
    this.#setKnown = database.prepare('UPDATE packs SET known = 1, size = ? WHERE number = ?')
    this.#setContents = database.prepare('INSERT OR REPLACE INTO contents(pack, body, settled, indexed) VALUES (?, ?, 0, ?)')
    this.#setIndexed = database.prepare('UPDATE contents SET indexed = 1 WHERE pack = ?')
    this.#loadUnsettled()
    transactions.onRollback(() => { this.#loadUnsettled() })
  }

  /** Starts a session's listing: from here on only packs named by markUsable are built upon (rule R2). */
  beginUsable(): void {
    this.#listing = []
    this.#usage.restrict()
  }

  markUsable(name: string, size: number): void {
    this.#listing.push({ name, size })
    if (this.#listing.length >= listingBatch) this.#applyListing()
  }

  /** The pack is in a retire record: never built upon again, whatever a listing says. One that was not known gets no size. */
  markRetired(name: string): void {
    guarded(() => { this.#usage.retire(this.#numberOf(name, 0)) })
  }

  /** Ends the listing; packs that are known but not listed are gone, and are swept out when they are many. */
  endUsable(): void {
    this.#applyListing()
    this.#sweepGone()
  }

  isUsable(name: string): boolean {
    const number = this.#find.get(nameBytes(name))
    return number !== undefined && this.#usage.isUsable(number)
  }

  /** Whether the newest listing showed the pack, retired or not. */
  isListed(name: string): boolean {
    const number = this.#find.get(nameBytes(name))
    return number !== undefined && this.#usage.isListed(number)
  }

  /**
   * Usable packs whose contents no index object has told: their footers have to be read (adoption of an interrupted run). Page by page,
   * so that contents may be added in between.
   */
  unknownPacks(): Iterable<KnownPack> {
    return this.#known('AND known = 0', (number) => this.#usage.isListed(number))
  }

  /** Bytes of all known packs. */
  totalBytes(): number {
    return this.#database.prepare<[], number | null>('SELECT sum(size) FROM packs').pluck().get() ?? 0
  }

  /** At most how many packs unknownPacks gives. */
  unknownCount(): number {
    return this.#database.prepare<[], number>('SELECT count(*) FROM packs WHERE known = 0').pluck().get() ?? 0
  }

  /** Contents of a pack, from its footer. Repeating is harmless. The pack is in no index object yet as far as is known. */
  addPack(pack: PackInfo): void {
    this.#transactions.run(() => { this.#add(pack, false) })
  }

  /** A pack that this run has sent: known, usable and part of the closure. */
  addSent(pack: PackInfo): void {
    this.#transactions.run(() => {
      const number = this.#add(pack, false)
      this.#usage.list(number)
      this.#usage.use(number)
    })
  }

  /** Contents of a pack while it is in no index object as far as is known. */
  unindexedContents(name: string): PackContents | undefined {
    const body = this.#database.prepare<[Uint8Array], Buffer>('SELECT body FROM contents JOIN packs ON number = pack WHERE name = ?').pluck().get(nameBytes(name))
    return body && decodeFooter(body)
  }

  /** Forgets all contents, trees and index objects, but neither packs nor when they were verified: a check reads everything anew. */
  forgetContents(): void {
    this.#transactions.run(() => {
      this.#database.exec('DELETE FROM blobs; DELETE FROM contents; DELETE FROM indexes; DELETE FROM trees; UPDATE packs SET known = 0')
      this.#loadUnsettled()
    })
  }

  hasPack(name: string): boolean {
    return this.#database.prepare('SELECT 1 FROM packs WHERE name = ? AND known = 1').get(nameBytes(name)) !== undefined
  }

  hasIndex(name: string): boolean {
    return this.#database.prepare('SELECT 1 FROM indexes WHERE name = ?').get(nameBytes(name)) !== undefined
  }

  /** Takes in a whole index object in one transaction; repeating is harmless. */
  addIndex(name: string, packs: Iterable<PackInfo>): void {
    this.#transactions.run(() => {
      for (const pack of packs) this.#add(pack, true)
      this.#blobs.settle()
      this.#database.prepare('INSERT OR IGNORE INTO indexes VALUES (?)').run(nameBytes(name))
    })
  }

  /** This run wrote the index object over these packs. */
  markIndexed(name: string, packs: readonly string[]): void {
    this.#transactions.run(() => {
      for (const pack of packs) this.#setIndexed.run(this.#numberOf(pack, 0))
      this.#database.prepare('INSERT OR IGNORE INTO indexes VALUES (?)').run(nameBytes(name))
      this.#database.exec('DELETE FROM contents WHERE settled = 1 AND indexed = 1')
    })
  }

  /** Names of the index objects read so far. */
  indexNames(): readonly string[] {
    return this.#database.prepare<[], Buffer>('SELECT name FROM indexes').pluck().all().map((name) => name.toString('hex'))
  }

  forgetIndex(name: string): void {
    this.#database.prepare('DELETE FROM indexes WHERE name = ?').run(nameBytes(name))
  }

  /** Usable packs that are in no index object: written by this run, or adopted. As many as have footers of `maxBytes`; one at least. */
  unindexedPacks(maxBytes: number): readonly EncodedPackInfo[] {
    const next = this.#database.prepare<[number], { number: number; name: Buffer; size: number; body: Buffer }>(
      'SELECT number, name, size, body FROM contents JOIN packs ON number = pack WHERE indexed = 0 AND pack > ? ORDER BY pack LIMIT 1')
    const found: EncodedPackInfo[] = []
    let bytes = 0
    for (let row = next.get(0); row && bytes < maxBytes; row = next.get(row.number)) {
      if (!this.#usage.isUsable(row.number)) continue
      found.push({ name: row.name.toString('hex'), size: row.size, footer: row.body })
      bytes += row.body.length
    }
    return found
  }

  /** Usable packs last verified before `beforeMs`, the longest unverified first; page by page, so that they may be verified in between. */
  *leastRecentlyVerified(beforeMs: number): Generator<KnownPack> {
    const page = this.#database.prepare<[number, number, number], ListedRow>(`${listedRows} AND (verified_ms, number) > (?, ?) AND verified_ms < ? ORDER BY verified_ms, number LIMIT 1000`)
    let last = { verified_ms: -1, number: 0 }
    for (let rows = page.all(-1, 0, beforeMs); rows.length > 0; rows = page.all(last.verified_ms, last.number, beforeMs)) {
      last = rows.at(-1) ?? last
      for (const row of rows) if (this.#usage.isUsable(row.number)) yield toKnownPack(row)
    }
  }

  /** How many usable packs there are, how many were never verified, and when the one was that was not verified for the longest time. */
  verificationDates(): VerificationDates {
    let packs = 0
    let unreadPacks = 0
    let oldestVerifiedMs = Infinity
    for (const { verified_ms: verifiedMs } of this.#usable('')) {
      packs++
      if (verifiedMs === 0) unreadPacks++
      oldestVerifiedMs = Math.min(oldestVerifiedMs, verifiedMs)
    }
    return { packs, unreadPacks, ...(packs > 0 && unreadPacks === 0 ? { oldestVerifiedMs } : {}) }
  }

  /** Usable packs, page by page in order of discovery, so that writes may come in between. */
  usablePacks(): Iterable<KnownPack> {
    return this.#known('', () => true)
  }

  setVerified(name: string, timeMs: number): void {
    guarded(() => { this.#database.prepare('UPDATE packs SET verified_ms = ? WHERE name = ?').run(timeMs, nameBytes(name)) })
  }

  /** Somebody verified these packs then; what is known already and newer stays. Unknown packs are passed over. */
  noteVerified(dates: Iterable<readonly [string, number]>): void {
    guarded(() => {
      const update = this.#database.prepare('UPDATE packs SET verified_ms = ? WHERE name = ? AND verified_ms < ?')
      for (const [name, timeMs] of dates) update.run(timeMs, nameBytes(name), timeMs)
    })
  }

  /** Usable packs that were verified, with when, in ms since 1970; page by page. */
  *verified(): Generator<readonly [string, number]> {
    for (const { name, verified_ms: verifiedMs } of this.#usable('AND verified_ms > 0')) yield [name.toString('hex'), verifiedMs]
  }

  #add(pack: PackInfo, indexed: boolean): number {
    const known = this.hasPack(pack.name)
    const number = this.#numberOf(pack.name, pack.size)
    if (known) {
      if (indexed) this.#setIndexed.run(number)
      return number
    }
    if (this.#usage.isListed(number) && this.#row.get(nameBytes(pack.name))?.size !== pack.size) this.#usage.retire(number)
    this.#setKnown.run(pack.size, number)
    // An indexed pack's contents are settled by the end of its transaction, so only the others need to be kept.
    if (!indexed) this.#setContents.run(number, encodeFooter(pack.contents), 0)
    this.#blobs.add(number, pack.contents)
    return number
  }

  #numberOf(name: string, size: number): number {
    const bytes = nameBytes(name)
    return this.#find.get(bytes) ?? Number(this.#insert.run(bytes, size).lastInsertRowid)
  }

  #applyListing(): void {
    const batch = this.#listing
    this.#listing = []
    this.#transactions.run(() => {
      for (const { name, size } of batch) this.#list(name, size)
    })
  }

  *#known(condition: string, wanted: (number: number) => boolean): Generator<KnownPack> {
    for (const row of this.#usable(condition)) if (wanted(row.number)) yield toKnownPack(row)
  }

  /** Page by page in order of discovery, so that writes may come in between. */
  *#usable(condition: string): Generator<ListedRow> {
    const page = this.#database.prepare<[number], ListedRow>(`${listedRows} AND number > ? ${condition} ORDER BY number LIMIT 1000`)
    for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.number ?? 0)) {
      for (const row of rows) if (this.#usage.isUsable(row.number)) yield row
    }
  }

  /** A pack whose size is not what its footer or index says was cut off or replaced: it is never built upon. */
  #list(name: string, size: number): void {
    const row = this.#row.get(nameBytes(name))
    const number = row?.number ?? this.#numberOf(name, size)
    this.#usage.list(number)
    if (row?.known === 1 && row.size !== size) this.#usage.retire(number)
    if (row?.known === 0 && row.size !== size) this.#setSize.run(size, number)
  }

  #sweepGone(): void {
    const total = this.#database.prepare<[], number>('SELECT count(*) FROM packs').pluck().get() ?? 0
    const gone = total - this.#usage.listedCount
    if (gone < sweepMinimum || gone < total / 5) return
    this.#transactions.run(() => {
      this.#blobs.settle()
      const names = this.#database.prepare<[], number>('SELECT number FROM packs').pluck().all().filter((number) => !this.#usage.isListed(number))
      this.#database.exec('CREATE TEMP TABLE gone(number INTEGER PRIMARY KEY)')
      const insert = this.#database.prepare('INSERT INTO gone VALUES (?)')
      for (const number of names) insert.run(number)
      for (const [table, column] of [['blobs', 'pack'], ['contents', 'pack'], ['packs', 'number']] as const) {
        this.#database.exec(`DELETE FROM ${table} WHERE ${column} IN (SELECT number FROM gone)`)
      }
      this.#database.exec('DROP TABLE gone')
    })
  }

  /** Packs whose blobs stay in memory, as the rows say. More than fit there go to SQLite at once. */
  #loadUnsettled(): void {
    this.#blobs.forgetRecent()
    const rows = this.#database.prepare<[], { pack: number; body: Buffer }>('SELECT pack, body FROM contents WHERE settled = 0').all()
    this.#transactions.run(() => {
      for (const row of rows) this.#blobs.add(row.pack, decodeFooter(row.body))
      if (this.#blobs.hasSettled) this.#blobs.settle()
    })
  }
}

function toKnownPack(row: ListedRow): KnownPack {
  return { name: row.name.toString('hex'), size: row.size }
}

function nameBytes(name: string): Uint8Array {
  return Buffer.from(name, 'hex')
}
