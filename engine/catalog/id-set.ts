import type BetterSqlite3 from 'better-sqlite3'
import type { BlobId } from '../snapshot/node.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

/** A set of blob ids of any size for the time of one run: a temporary table, which SQLite keeps in a file of its own. */
export class BlobIdSet implements Disposable {
  readonly #database: Database
  readonly #table: string
  readonly #insert: BetterSqlite3.Statement<[Uint8Array]>
  readonly #find: BetterSqlite3.Statement<[Uint8Array]>

  /** @param table a name that no other set of this connection has */
  constructor(database: Database, table: string) {
    this.#database = database
    this.#table = table
    database.exec(`CREATE TEMP TABLE ${table}(id BLOB PRIMARY KEY) WITHOUT ROWID`)
    this.#insert = database.prepare(`INSERT OR IGNORE INTO ${table} VALUES (?)`)
    this.#find = database.prepare(`SELECT 1 FROM ${table} WHERE id = ?`)
  }

  add(id: BlobId): void {
    guarded(() => this.#insert.run(id))
  }

  has(id: BlobId): boolean {
    return guarded(() => this.#find.get(id)) !== undefined
  }

  delete(id: BlobId): void {
    guarded(() => this.#database.prepare(`DELETE FROM ${this.#table} WHERE id = ?`).run(id))
  }

  [Symbol.dispose](): void {
    this.#database.exec(`DROP TABLE ${this.#table}`)
  }
}
