import type { UploadJournal } from '../backend/backend.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

/** Unfinished uploads of a backend, by object name, so that a later process continues them. */
export function createUploadJournal(database: Database): UploadJournal {
  const get = database.prepare<[string], string>('SELECT state FROM uploads WHERE name = ?').pluck()
  const set = database.prepare('INSERT OR REPLACE INTO uploads VALUES (?, ?)')
  const remove = database.prepare('DELETE FROM uploads WHERE name = ?')
  return {
    get: (name) => guarded(() => get.get(name)),
    set: (name, state) => { guarded(() => set.run(name, state)) },
    delete: (name) => { guarded(() => remove.run(name)) },
  }
}
