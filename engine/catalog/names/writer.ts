import type BetterSqlite3 from 'better-sqlite3'
import { equalBytes } from '../../base/bytes.ts'
import type { BlobId } from '../../snapshot/node.ts'
import { guarded, type Database } from '../database.ts'
import { entryTypes } from './database.ts'
import { foldName } from './fold.ts'

/** An entry as it counts: another type, size or content is another version; a new time of change alone is not. */
export interface EntryState {
  readonly type: (typeof entryTypes)[number]
  readonly size: number
  readonly mtimeMs: number
  /** A number of up to 48 bits that tells contents apart. */
  readonly content: number
}

interface OpenVersion {
  readonly first: number
  readonly until: number | null
  readonly type: number
  readonly size: number
  readonly content: number
}

export interface FolderPass {
  readonly folder: number
  /** Something was in the folder before: what is not met is gone. */
  readonly hadEntries: boolean
}

/** Of gone folders, so many at a time. */
const pageOfFolders = 500

/**
 * Writes one snapshot's names into the index, folder by folder; whoever does holds lockNames. Broken off, it is repeated: what was gone through is passed over.
 */
export class NameWriter {
  readonly #database: Database
  readonly #seq: number
  readonly #line: number
  readonly #statements: ReturnType<typeof prepare>
  #versions: number

  constructor(database: Database, { seq, line }: { readonly seq: number; readonly line: number }) {
    this.#database = database
    this.#seq = seq
    this.#line = line
    database.exec('CREATE TEMP TABLE IF NOT EXISTS met(folder INTEGER NOT NULL, name INTEGER NOT NULL, PRIMARY KEY(folder, name)) WITHOUT ROWID; DELETE FROM met')
    this.#statements = prepare(database)
    this.#versions = countVersions(database)
  }

  /** Rows of versions that there are now, over all lines. */
  get versions(): number {
    return this.#versions
  }

  begin(): void {
    guarded(() => { this.#database.exec('BEGIN IMMEDIATE') })
  }

  commit(): void {
    guarded(() => {
      this.#statements.count.run(this.#versions)
      this.#database.exec('COMMIT')
    })
  }

  /** What was not committed is not there. Without effect outside of a transaction. */
  rollback(): void {
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
  }

  root(): number {
    return this.#folder(0, 0)
  }

  child(folder: number, name: number): number {
    return this.#folder(folder, name)
  }

  isTaken(folder: number, tree: BlobId): boolean {
    const known = this.#statements.tree.get(folder)
    return known !== undefined && known !== null && equalBytes(known, tree)
  }

  enter(folder: number): FolderPass {
    return { folder, hadEntries: this.#statements.anyOpen.get(folder) !== undefined }
  }

  name(bytes: Uint8Array): number {
    const known = this.#statements.nameId.get(bytes)
    if (known !== undefined) return known
    const id = Number(this.#statements.addName.run(bytes).lastInsertRowid)
    this.#statements.addTrigrams.run(id, foldName(bytes))
    return id
  }

  /** Whether a folder stands there in the index that this entry is not: it has to be closed first. */
  replacesFolder({ folder, hadEntries }: FolderPass, name: number, type: EntryState['type']): boolean {
    if (!hadEntries || type === 'directory') return false
    const before = this.#open(folder, name)
    return before !== undefined && entryTypes[before.type] === 'directory'
  }

  meet({ folder, hadEntries }: FolderPass, name: number, state: EntryState): void {
    const type = entryTypes.indexOf(state.type)
    if (hadEntries) {
      this.#statements.meet.run(folder, name)
      const before = this.#open(folder, name)
      if (before?.type === type && before.size === state.size && before.content === state.content) return
      // Met by a pass that was broken off: it is as this snapshot has it.
      if (before?.first === this.#seq) this.#versions -= this.#statements.drop.run(folder, name, this.#seq).changes
      else if (before) this.#statements.close.run(this.#seq, folder, name)
    }
    this.#versions += this.#statements.add.run(folder, name, this.#seq, type, state.size, state.mtimeMs, state.content).changes
  }

  /** Some of the folders that were there before this pass, and were not met; empty: there are no more. Each is closed by closeFolder, and with it out of this list. */
  goneFolders({ folder, hadEntries }: FolderPass): readonly number[] {
    return hadEntries ? this.#statements.goneFolders.all(folder, folder, pageOfFolders) : []
  }

  /** Folders below one that have entries still. */
  foldersBelow(folder: number): readonly number[] {
    return this.#statements.openFolders.all(folder, pageOfFolders)
  }

  /** Everything in a folder is gone, and the folder with it; those below are to be closed first. */
  closeFolder(folder: number): void {
    this.#statements.closeAll.run(this.#seq, folder)
    this.#statements.setTree.run(null, folder)
    this.#statements.closeSelf.run(this.#seq, folder)
  }

  /** All of a folder was met. */
  leave({ folder, hadEntries }: FolderPass, tree: BlobId): void {
    if (hadEntries) {
      this.#statements.closeUnmet.run(this.#seq, folder, folder)
      this.#statements.forgetMet.run(folder)
    }
    this.#statements.setTree.run(tree, folder)
  }

  done(): void {
    this.#statements.done.run(this.#seq)
  }

  #open(folder: number, name: number): OpenVersion | undefined {
    const newest = this.#statements.newest.get(folder, name)
    return newest?.until === null ? newest : undefined
  }

  #folder(parent: number, name: number): number {
    return this.#statements.folderId.get(parent, name, this.#line) ?? Number(this.#statements.addFolder.run(this.#line, parent, name).lastInsertRowid)
  }
}

/** Rows of versions, as the last writer left them. */
export function countVersions(database: Database): number {
  return database.prepare<[], number>("SELECT value FROM counts WHERE key = 'versions'").pluck().get() ?? 0
}

function prepare(database: Database) {
  const number = <Bound extends unknown[]>(sql: string): BetterSqlite3.Statement<Bound, number> => database.prepare<Bound, number>(sql).pluck()
  return {
    count: database.prepare<[number]>("UPDATE counts SET value = ? WHERE key = 'versions'"),
    nameId: number<[Uint8Array]>('SELECT id FROM names WHERE name = ?'),
    addName: database.prepare<[Uint8Array]>('INSERT INTO names(name) VALUES (?)'),
    addTrigrams: database.prepare<[number, string]>('INSERT INTO trigrams(rowid, folded) VALUES (?, ?)'),
    folderId: number<[number, number, number]>('SELECT id FROM folders WHERE parent = ? AND name = ? AND line = ?'),
    addFolder: database.prepare<[number, number, number]>('INSERT INTO folders(line, parent, name) VALUES (?, ?, ?)'),
    tree: database.prepare<[number], Buffer | null>('SELECT tree FROM folders WHERE id = ?').pluck(),
    setTree: database.prepare<[Uint8Array | null, number]>('UPDATE folders SET tree = ? WHERE id = ?'),
    anyOpen: number<[number]>('SELECT 1 FROM versions WHERE folder = ? AND until IS NULL LIMIT 1'),
    newest: database.prepare<[number, number], OpenVersion>('SELECT first, until, type, size, content FROM versions WHERE folder = ? AND name = ? ORDER BY first DESC LIMIT 1'),
    meet: database.prepare<[number, number]>('INSERT OR IGNORE INTO met VALUES (?, ?)'),
    forgetMet: database.prepare<[number]>('DELETE FROM met WHERE folder = ?'),
    add: database.prepare<[number, number, number, number, number, number, number]>('INSERT OR REPLACE INTO versions(folder, name, first, type, size, mtime_ms, content) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    drop: database.prepare<[number, number, number]>('DELETE FROM versions WHERE folder = ? AND name = ? AND first = ?'),
    close: database.prepare<[number, number, number]>('UPDATE versions SET until = ? WHERE folder = ? AND name = ? AND until IS NULL'),
    closeAll: database.prepare<[number, number]>('UPDATE versions SET until = ? WHERE folder = ? AND until IS NULL'),
    closeSelf: database.prepare<[number, number]>('UPDATE versions SET until = ? WHERE until IS NULL AND (folder, name) = (SELECT parent, name FROM folders WHERE id = ?)'),
    closeUnmet: database.prepare<[number, number, number]>('UPDATE versions SET until = ? WHERE folder = ? AND until IS NULL AND name NOT IN (SELECT name FROM met WHERE folder = ?)'),
    goneFolders: number<[number, number, number]>(`SELECT f.id FROM versions v CROSS JOIN folders f ON f.parent = v.folder AND f.name = v.name
      WHERE v.folder = ? AND v.until IS NULL AND v.type = 1 AND v.name NOT IN (SELECT name FROM met WHERE folder = ?) LIMIT ?`),
    openFolders: number<[number, number]>('SELECT f.id FROM versions v CROSS JOIN folders f ON f.parent = v.folder AND f.name = v.name WHERE v.folder = ? AND v.until IS NULL AND v.type = 1 LIMIT ?'),
    done: database.prepare<[number]>('UPDATE snapshots SET done = 1 WHERE seq = ?'),
  }
}
