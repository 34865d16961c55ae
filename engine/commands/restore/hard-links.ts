import { hash } from 'node:crypto'
import Database from 'better-sqlite3'
import type BetterSqlite3 from 'better-sqlite3'
import type { FileNode } from '../../snapshot/node.ts'
import type { EntryPlace } from '../../target/folders.ts'

/** Names of one file share a key. */
export type LinkKey = string

/**
 * Where the first name of each shared file was restored. On disk, because a mail store has millions of them: an SQLite file that
 * has no name and is gone with its connection. Made when the first shared file comes.
 */
export class HardLinks implements Disposable {
  #database: BetterSqlite3.Database | undefined

  /** The place of the same file's first name; undefined when none was restored. */
  find(key: LinkKey): EntryPlace | undefined {
    const known: unknown = this.#database?.prepare('SELECT place FROM links WHERE key = ?').pluck().get(key)
    return typeof known === 'string' ? parsePlace(known) : undefined
  }

  /** The place holds, or will hold, this file as the snapshot has it. */
  add(key: LinkKey, { folder, name }: EntryPlace): void {
    this.#database ??= createTable()
    const { path, device, inode, owners } = folder
    const place = `${[device, inode, ...owners].join(' ')} ${path}/${name}`
    this.#database.prepare('INSERT OR REPLACE INTO links VALUES (?, ?)').run(key, place)
  }

  /** The file could not be restored there after all. */
  remove(key: LinkKey): void {
    this.#database?.prepare('DELETE FROM links WHERE key = ?').run(key)
  }

  [Symbol.dispose](): void {
    this.#database?.close()
  }
}

/**
 * Device and inode alone do not make two names one file: two disks may swap their numbers from one run to the next, and a folder that
 * was not read again keeps those of the run before. What is one file has one size, one content and one time of change, too.
 * Undefined for a file with one name.
 */
export function linkKey(node: FileNode): LinkKey | undefined {
  if (node.linkCount <= 1) return undefined
  const { device, inode, size, mtimeNs, ctimeNs, content } = node
  const facts = [device, inode, size, mtimeNs, ctimeNs, content.depth].join(' ')
  return hash('sha256', Buffer.concat([Buffer.from(facts), Buffer.of(0), ...content.ids]), 'base64')
}

function parsePlace(text: string): EntryPlace | undefined {
  const [, device, inode, owner, finalOwner, path, name] = /^(\d+) (\d+) (\d+) (\d+) (.*)\/([^/]+)$/s.exec(text) ?? []
  if (device === undefined || inode === undefined || path === undefined || name === undefined) return undefined
  return { folder: { path, device: BigInt(device), inode: BigInt(inode), owners: [Number(owner), Number(finalOwner)] }, name }
}

function createTable(): BetterSqlite3.Database {
  const database = new Database('')
  database.pragma('cache_size = -4096')
  database.exec('CREATE TABLE links(key TEXT PRIMARY KEY, place TEXT NOT NULL) WITHOUT ROWID')
  return database
}
