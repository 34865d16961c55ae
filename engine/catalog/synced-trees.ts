import type BetterSqlite3 from 'better-sqlite3'
import type { BlobId } from '../snapshot/node.ts'
import { guarded, type Database } from './database.ts'

/**
 * Folders of the source of which everything is at the destination, in packs that the closure of this catalog's last snapshot names (rule R3 at the
 * price of one set comparison). What a run adds counts for the run at once, for later ones only from `keep` on.
 */
export class SyncedTrees {
  readonly #database: Database
  readonly #find: BetterSqlite3.Statement<[Uint8Array, Uint8Array]>
  readonly #insert: BetterSqlite3.Statement<[Uint8Array]>

  constructor(database: Database) {
    this.#database = database
    database.exec('CREATE TABLE IF NOT EXISTS synced_trees(id BLOB PRIMARY KEY) WITHOUT ROWID; CREATE TEMP TABLE fresh_trees(id BLOB PRIMARY KEY) WITHOUT ROWID')
    this.#find = database.prepare('SELECT 1 FROM fresh_trees WHERE id = ? UNION ALL SELECT 1 FROM synced_trees WHERE id = ?')
    this.#insert = database.prepare('INSERT OR IGNORE INTO fresh_trees VALUES (?)')
  }

  has(tree: BlobId): boolean {
    return guarded(() => this.#find.get(tree, tree)) !== undefined
  }

  add(tree: BlobId): void {
    guarded(() => this.#insert.run(tree))
  }

  /** Their snapshot is committed. Call inside the transaction that records its closure. */
  keep(): void {
    guarded(() => this.#database.exec('INSERT OR IGNORE INTO synced_trees SELECT id FROM fresh_trees; DELETE FROM fresh_trees'))
  }

  /** What this run has added may not have arrived. */
  forgetFresh(): void {
    guarded(() => this.#database.exec('DELETE FROM fresh_trees'))
  }

  /** A pack that they rest on is no longer usable. */
  clear(): void {
    guarded(() => this.#database.exec('DELETE FROM fresh_trees; DELETE FROM synced_trees'))
  }
}
