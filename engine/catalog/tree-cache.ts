import type BetterSqlite3 from 'better-sqlite3'
import type { BlobId } from '../snapshot/node.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

/**
 * Tree blobs of the job's newest snapshots in plain, one row a directory instead of one a file: the next run compares with them and
 * the window browses them without asking the storage.
 */
export class TreeCache {
  readonly #database: Database
  readonly #get: BetterSqlite3.Statement<[Uint8Array], Buffer>
  readonly #put: BetterSqlite3.Statement<[Uint8Array, Uint8Array, number]>
  readonly #mark: BetterSqlite3.Statement<[number, Uint8Array]>
  #generation: number
  #sweeping = false

  constructor(database: Database) {
    this.#database = database
    this.#get = database.prepare<[Uint8Array], Buffer>('SELECT body FROM trees WHERE id = ?').pluck()
    this.#put = database.prepare('INSERT INTO trees(id, body, generation) VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET generation = excluded.generation')
    this.#mark = database.prepare('UPDATE trees SET generation = ? WHERE id = ?')
    this.#generation = database.prepare<[], number>('SELECT max(generation) FROM trees').pluck().get() ?? 0
  }

  get(id: BlobId): Uint8Array | undefined {
    return guarded(() => {
      const body = this.#get.get(id)
      if (body !== undefined && this.#sweeping) this.#mark.run(this.#generation, id)
      return body
    })
  }

  put(id: BlobId, body: Uint8Array): void {
    guarded(() => { this.#put.run(id, body, this.#generation) })
  }

  /**
   * Starts a backup. Where the cache has grown to more than twice what the last sweep left, this run marks the trees that it meets,
   * so that endRun can drop the others; marking every tree on every run would double its writes.
   */
  beginRun(): void {
    const rows = this.#count()
    const kept = Number(this.#meta() ?? 0)
    this.#generation++
    this.#sweeping = rows > 1000 && rows > kept * 2
  }

  /** Ends a backup whose walk met every tree of the new snapshot. */
  endRun(): void {
    guarded(() => this.#database.transaction(() => {
      if (this.#sweeping) this.#database.prepare('DELETE FROM trees WHERE generation < ?').run(this.#generation)
      if (this.#sweeping || this.#meta() === undefined) {
        this.#database.prepare("INSERT OR REPLACE INTO meta VALUES ('trees-kept', ?)").run(String(this.#count()))
      }
      this.#sweeping = false
    })())
  }

  #count(): number {
    return this.#database.prepare<[], number>('SELECT count(*) FROM trees').pluck().get() ?? 0
  }

  #meta(): string | undefined {
    return this.#database.prepare<[], string>("SELECT value FROM meta WHERE key = 'trees-kept'").pluck().get()
  }
}
