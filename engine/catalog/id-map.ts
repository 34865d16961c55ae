import type BetterSqlite3 from 'better-sqlite3'
import { join } from 'node:path'
import type { BlobId } from '../snapshot/node.ts'
import { guarded, openDatabase, type Database } from './database.ts'
import { catalogFolder } from './paths.ts'

/** What a sync has found out, so that it need not read the blob again: which id of the destination a blob of the source has. */
export interface KnownIds {
  get(source: BlobId): BlobId | undefined
  set(source: BlobId, destination: BlobId): void
  /** What was set outlives this process, however it ends. */
  flush(): void
}

/** Where both repositories name blobs alike. */
export const sameIds: KnownIds = { get: (source) => source, set: () => undefined, flush: () => undefined }

const schema = 'CREATE TABLE ids(source BLOB PRIMARY KEY, destination BLOB NOT NULL) WITHOUT ROWID;'
/** Entries that wait to be written together. */
const batch = 4096

/**
 * Ids of the source and what the same blobs are called at the destination; only what was read and verified is in it. What is lost is
 * read again: it is written down with each pack that is sealed. In a file of its own for each pair of repositories.
 */
export class IdMap implements KnownIds, Disposable {
  readonly #database: Database
  readonly #find: BetterSqlite3.Statement<[Uint8Array], Buffer>
  readonly #insert: BetterSqlite3.Statement<[Uint8Array, Uint8Array]>
  readonly #waiting = new Map<string, BlobId>()

  constructor(database: Database) {
    this.#database = database
    this.#find = database.prepare<[Uint8Array], Buffer>('SELECT destination FROM ids WHERE source = ?').pluck()
    this.#insert = database.prepare('INSERT OR REPLACE INTO ids VALUES (?, ?)')
  }

  get(source: BlobId): BlobId | undefined {
    return this.#waiting.get(keyOf(source)) ?? guarded(() => this.#find.get(source))
  }

  set(source: BlobId, destination: BlobId): void {
    this.#waiting.set(keyOf(source), Uint8Array.from(destination))
    if (this.#waiting.size >= batch) this.flush()
  }

  flush(): void {
    if (this.#waiting.size === 0) return
    guarded(() => this.#database.transaction(() => {
      for (const [source, destination] of this.#waiting) this.#insert.run(Buffer.from(source, 'latin1'), destination)
    })())
    this.#waiting.clear()
  }

  [Symbol.dispose](): void {
    try {
      this.flush()
    } finally {
      this.#database.close()
    }
  }
}

/** Errors: those of openDatabase. */
export function openIdMap(home: string, destinationId: string, sourceId: string): IdMap {
  return new IdMap(openDatabase(join(catalogFolder(home, destinationId), `sync-${sourceId}-ids.db`), schema, 1).database)
}

function keyOf(id: BlobId): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1')
}
