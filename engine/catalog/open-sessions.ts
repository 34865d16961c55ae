import type { SnapshotRef } from '../repository/protocol/names.ts'
import { intentName, parseSessionName } from '../repository/protocol/names.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

const prefix = 'session '

/**
 * Sessions that were announced with this catalog and are not known to have ended. Whoever has the catalog's lock knows that nobody works in them any
 * more, but for its own. Losing it costs time only: prunes wait for a dead session until it has been silent for long.
 */
export class OpenSessions {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  all(): readonly SnapshotRef[] {
    const keys = guarded(() => this.#database.prepare<[string], string>('SELECT key FROM meta WHERE key GLOB ? ORDER BY key').pluck().all(`${prefix}*`))
    return keys.map((key) => parseSessionName(key.slice(prefix.length)))
  }

  add(ref: SnapshotRef): void {
    guarded(() => { this.#database.prepare("INSERT OR REPLACE INTO meta VALUES (?, '')").run(prefix + intentName(ref)) })
  }

  remove(ref: SnapshotRef): void {
    guarded(() => { this.#database.prepare('DELETE FROM meta WHERE key = ?').run(prefix + intentName(ref)) })
  }
}
