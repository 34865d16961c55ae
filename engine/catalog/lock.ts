import SqliteDatabase from 'better-sqlite3'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../base/errors.ts'
import { catalogFolder } from './paths.ts'

/**
 * Keeps a second run of the same job off this machine (D6), whatever starts it. The kernel releases the lock when the process
 * ends in any way, so there is nothing stale to clean. Errors: `busy`.
 */
export function lockJob(home: string, repositoryId: string, jobKey: string): Disposable {
  const folder = catalogFolder(home, repositoryId)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const database = new SqliteDatabase(join(folder, `${jobKey}.lock`), { timeout: 0 })
  try {
    database.pragma('journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new HoldfastError('busy', 'This job is already running on this machine.', { cause: error })
    }
    throw error
  }
  return { [Symbol.dispose]: () => { database.close() } }
}
