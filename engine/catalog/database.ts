import SqliteDatabase from 'better-sqlite3'
import type BetterSqlite3 from 'better-sqlite3'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HoldfastError } from '../base/errors.ts'

export type Database = BetterSqlite3.Database

/** Page cache of one connection; with the WAL it is all that SQLite holds in memory. */
const cacheKiB = 16 * 1024

/** How long a writer waits for another process (a restore beside a rebuild) before SQLite gives up. */
const busyTimeoutMs = 10_000

/**
 * Opens or makes a database file with the schema, 0600 in a 0700 folder. A file of another schema version, or one that SQLite
 * finds damaged, is moved aside to `<file>.damaged` and made anew: everything in a catalog can be had again from the repository.
 * Errors: `full`, `denied`, `catalog`.
 */
export function openDatabase(file: string, schema: string, version: number): { database: Database; recreated: boolean } {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
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
    throw catalogError(error)
  } finally {
    database?.close()
  }
}

function tryOpen(file: string, schema: string, version: number): Database | undefined {
  let database: Database | undefined
  try {
    database = new SqliteDatabase(file, { timeout: busyTimeoutMs })
    database.pragma('journal_mode = WAL')
    // NORMAL: a power cut may take the newest transactions, never the consistency; the repository tells the rest.
    database.pragma('synchronous = NORMAL')
    database.pragma(`cache_size = -${cacheKiB}`)
    database.pragma('temp_store = FILE')
    const found = Number(database.pragma('user_version', { simple: true }))
    if (found === 0) database.transaction(() => database?.exec(`${schema}; PRAGMA user_version = ${version}`)).immediate()
    else if (found !== version) return closed(database)
    return database
  } catch (error) {
    closed(database)
    if (isDamage(error)) return undefined
    throw catalogError(error)
  }
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
function catalogError(error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === '') return error
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new HoldfastError('full', 'The disk that holds the local catalog is full or failing.', { cause: error, data: { place: 'home' } })
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM') {
    return new HoldfastError('denied', 'The folder of the local catalog cannot be written.', { cause: error, data: { place: 'home' } })
  }
  return new HoldfastError('catalog', `The local catalog failed: ${code}.`, { cause: error })
}

/** Runs `work` and turns SQLite's errors into Holdfast's. */
export function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw catalogError(error)
  }
}
