import { decodeFooter, encodeFooter } from '../repository/footer.ts'
import type { PackInfo, SealedPack } from '../repository/pack-info.ts'
import type { BlobIndex } from './blob-index.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'
import type { PackTable } from './pack-table.ts'
import type { Transactions } from './transactions.ts'

export interface SpoolEntry extends SealedPack {
  readonly number: number
  /** Name of the newest upload attempt: 32 hex digits. */
  readonly name: string
}

interface SpoolRow {
  readonly number: number
  readonly path: string
  readonly size: number
  readonly crc32: number
  readonly name: string
  readonly contents: Buffer
}

/**
 * Sealed packs on their way to the storage, recorded before the first byte is sent (C3). What an interrupted run leaves here is sent
 * by the next one without reading the source again; its blobs count as claimed from the start.
 */
export class Spool {
  readonly #database: Database
  readonly #transactions: Transactions
  readonly #packs: PackTable

  constructor(database: Database, transactions: Transactions, packs: PackTable, blobs: BlobIndex) {
    this.#database = database
    this.#transactions = transactions
    this.#packs = packs
    for (const entry of this.entries()) blobs.claimContents(entry.contents)
  }

  /** Returns once the entry is committed. */
  add(pack: SealedPack, name: string): SpoolEntry {
    const added = guarded(() => this.#database.prepare('INSERT INTO spool(path, size, crc32, name, contents) VALUES (?, ?, ?, ?, ?)')
      .run(pack.path, pack.size, pack.crc32, name, encodeFooter(pack.contents)))
    return { ...pack, number: Number(added.lastInsertRowid), name }
  }

  entries(): readonly SpoolEntry[] {
    const rows = this.#database.prepare<[], SpoolRow>('SELECT * FROM spool ORDER BY number').all()
    return rows.map((row) => ({ ...row, contents: decodeFooter(row.contents) }))
  }

  /** A new attempt goes under a new name (rule R5). */
  rename(number: number, name: string): void {
    guarded(() => { this.#database.prepare('UPDATE spool SET name = ? WHERE number = ?').run(name, number) })
  }

  /** The pack is durable under its name: it leaves the spool and its blobs become findable, in one transaction. */
  uploaded(number: number, pack: PackInfo): void {
    this.#transactions.run(() => {
      this.#packs.addSent(pack)
      this.remove(number)
    })
  }

  /** Forgets an entry whose file is gone or was given up. The caller takes its claims back. */
  remove(number: number): void {
    guarded(() => { this.#database.prepare('DELETE FROM spool WHERE number = ?').run(number) })
  }
}
