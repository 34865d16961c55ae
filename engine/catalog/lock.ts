import SqliteDatabase from 'better-sqlite3'
import { join } from 'node:path'
import { HoldfastError } from '../base/errors.ts'
import { makePrivateFile, makePrivateFolder } from '../base/private-folder.ts'
import { catalogError } from './database.ts'
import { catalogFolder } from './paths.ts'

/**
 * Keeps a second run of the same job off this machine (D6), whatever starts it. The kernel releases the lock when the process
 * ends in any way, so there is nothing stale to clean. Errors: `busy`, `full`, `denied`, `arguments` (a folder is in its place).
 */
export function lockJob(home: string, repositoryId: string, jobKey: string): Disposable {
  const folder = catalogFolder(home, repositoryId)
  makePrivateFolder(folder)
  return lockFile(join(folder, `${jobKey}.lock`), 'This job is already running on this machine.')
}

/** Keeps other processes out that lock the same file. Errors: as lockJob; `busy` says `words`. */
export function lockFile(file: string, words: string): Disposable {
  makePrivateFile(file)
  let database: SqliteDatabase.Database | undefined
  try {
    database = new SqliteDatabase(file, { timeout: 0 })
    database.pragma('journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new HoldfastError('busy', words, { cause: error })
    }
    throw catalogError(error, file)
  }
  const held = database
  return { [Symbol.dispose]: () => { held.close() } }
}
