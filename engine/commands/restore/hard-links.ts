import Database from 'better-sqlite3'
import type BetterSqlite3 from 'better-sqlite3'
import type { ByteString } from '../../base/byte-string.ts'
import type { FileNode } from '../../snapshot/node.ts'

export interface FilePlace {
  readonly folder: ByteString
  readonly name: ByteString
}

/**
 * Where the first name of each shared file was restored. On disk, because a mail store has millions of them: an SQLite file that
 * has no name and is gone with its connection. Made when the first shared file comes.
 */
export class HardLinks implements Disposable {
  #database: BetterSqlite3.Database | undefined

  /** The place of the same file's first name, or undefined when this is the first. */
  first(node: FileNode, place: FilePlace): FilePlace | undefined {
    this.#database ??= createTable()
    const key = `${String(node.device)} ${String(node.inode)}`
    const known: unknown = this.#database.prepare('SELECT path FROM links WHERE key = ?').pluck().get(key)
    if (typeof known === 'string') {
      const cut = known.lastIndexOf('/')
      return { folder: cut < 0 ? '' : known.slice(0, cut), name: known.slice(cut + 1) }
    }
    this.#database.prepare('INSERT INTO links VALUES (?, ?)').run(key, place.folder === '' ? place.name : `${place.folder}/${place.name}`)
    return undefined
  }

  [Symbol.dispose](): void {
    this.#database?.close()
  }
}

function createTable(): BetterSqlite3.Database {
  const database = new Database('')
  database.pragma('cache_size = -4096')
  database.exec('CREATE TABLE links(key TEXT PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID')
  return database
}
