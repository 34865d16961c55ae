import SqliteDatabase from 'better-sqlite3'
import type BetterSqlite3 from 'better-sqlite3'
import { existsSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hasCode, HoldfastError } from '../base/errors.ts'
import { diskError } from '../base/disk-error.ts'
import { makePrivateFile, makePrivateFolder } from '../base/private-folder.ts'

export type Database = BetterSqlite3.Database

/** Page cache of one connection; with the WAL it is all that SQLite holds in memory. */
const cacheKiB = 16 * 1024

/** How long a writer waits for another process (a restore beside a rebuild) before SQLite gives up. */
const busyTimeoutMs = 10_000

/**
 * Opens or makes a database file with the schema, 0600 in a 0700 folder. A file of another schema version, or one that SQLite
 * finds damaged, is moved aside to `<file>.damaged` and made anew: everything in a catalog can be had again from the repository.
 * Errors: `full`, `denied`, `busy`, `arguments` (a folder is in its place), `version` (a newer program made it), `catalog`.
 */
export function openDatabase(file: string, schema: string, version: number): { database: Database; recreated: boolean } {
  // HOLDFAST_HOME itself may hold other things: it is closed or not where it is prepared.
  if (!existsSync(dirname(file))) makePrivateFolder(dirname(file))
  const first = isSuspect(file) ? undefined : tryOpen(file, schema, version)
  if (first !== undefined) return { database: first, recreated: false }
  setAside(file)
  const second = tryOpen(file, schema, version)
  if (second === undefined) throw new HoldfastError('catalog', `The local catalog ${file} cannot be used or made anew.`)
  return { database: second, recreated: true }
}

const suspectSuffix = '.suspect'

/**
 * Every catalog below the folder is looked through when it is opened next, and made anew where it is damaged: for damage that shows only
 * while a run goes on.
 */
export function suspectDatabases(folder: string): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) if (name.endsWith('.db')) writeFileSync(join(folder, name + suspectSuffix), '')
}

/** Whether a file that was under suspicion is damaged. The suspicion is over when this has an answer. */
function isSuspect(file: string): boolean {
  if (!existsSync(file + suspectSuffix)) return false
  const damaged = existsSync(file) && !isSound(file)
  rmSync(file + suspectSuffix, { force: true })
  return damaged
}

function isSound(file: string): boolean {
  let database: Database | undefined
  try {
    database = new SqliteDatabase(file, { timeout: busyTimeoutMs, fileMustExist: true })
    return database.pragma('quick_check(1)', { simple: true }) === 'ok'
  } catch (error) {
    if (isDamage(error)) return false
    throw catalogError(error, file)
  } finally {
    database?.close()
  }
}

/** A file that another process has just made, or is about to let go, is refused at once, however long SQLite would wait: it is tried again for as long. */
function tryOpen(file: string, schema: string, version: number): Database | undefined {
  const untilMs = performance.now() + busyTimeoutMs
  for (;;) {
    try {
      return openOnce(file, schema, version)
    } catch (error) {
      if (!hasCode(error, 'busy') || performance.now() > untilMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 15)
    }
  }
}

function openOnce(file: string, schema: string, version: number): Database | undefined {
  let database: Database | undefined
  try {
    // SQLite gives its journals the mode of the file.
    makePrivateFile(file)
    database = new SqliteDatabase(file, { timeout: busyTimeoutMs })
    database.pragma('journal_mode = WAL')
    // NORMAL: a power cut may take the newest transactions, never the consistency; the repository tells the rest.
    database.pragma('synchronous = NORMAL')
    database.pragma(`cache_size = -${cacheKiB}`)
    database.pragma('temp_store = FILE')
    if (versionOf(database) === 0) makeTables(database, schema, version)
    const found = versionOf(database)
    if (found > version) throw new HoldfastError('version', `The local catalog ${file} was made by a newer Holdfast.`, { data: { reason: 'catalog' } })
    if (found !== version) return closed(database)
    return database
  } catch (error) {
    closed(database)
    if (isDamage(error)) return undefined
    throw catalogError(error, file)
  }
}

/** Of several processes that find a new file at once, one makes its tables. */
function makeTables(database: Database, schema: string, version: number): void {
  database.transaction(() => {
    if (versionOf(database) === 0) database.exec(`${schema}; PRAGMA user_version = ${version}`)
  }).immediate()
}

function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}

function closed(database: Database | undefined): undefined {
  database?.close()
  return undefined
}

function setAside(file: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
  renameSync(file, `${file}.damaged`)
}

function sqliteCode(error: unknown): string {
  return error instanceof SqliteDatabase.SqliteError ? error.code : ''
}

function isDamage(error: unknown): boolean {
  const code = sqliteCode(error)
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
}

/** Whether an error comes from a damaged catalog file, however deep. */
export function isCatalogDamage(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) if (isDamage(cause)) return true
  return false
}

/** An SQLite failure in Holdfast's words: a full disk, a refusal, or a damaged catalog. Other errors pass unchanged. */
export function catalogError(error: unknown, file = ''): unknown {
  const code = sqliteCode(error)
  if (code === '') return file === '' ? error : diskError(error, file)
  const data = { place: 'home', reason: code }
  if (code === 'SQLITE_FULL') return new HoldfastError('full', 'The disk that holds the local catalog is full.', { cause: error, data })
  if (code.startsWith('SQLITE_IOERR')) {
    // A full disk shows as this too, where SQLite makes room for its journal.
    if (file !== '' && hasRoom(dirname(file))) return new HoldfastError('denied', 'The disk that holds the local catalog answers with errors and may be failing.', { cause: error, data })
    return new HoldfastError('full', 'The disk that holds the local catalog is full or failing.', { cause: error, data })
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM') {
    return new HoldfastError('denied', 'The local catalog cannot be written: its folder or file is read-only, or this user may not.', { cause: error, data })
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return new HoldfastError('busy', 'Another run of Holdfast uses the local catalog.', { cause: error, data })
  return new HoldfastError('catalog', `The local catalog failed: ${code}.`, { cause: error, data })
}

/** With less than this a new catalog and its journal may not fit. */
const leastBytes = 1024 * 1024

function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= leastBytes
  } catch {
    return true
  }
}

/** Runs `work` and turns SQLite's errors into Holdfast's. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw catalogError(error)
  }
}
