import { guarded } from './database.ts'
import type { Database } from './database.ts'

const prefix = 'probed '

/** When this machine last saw a storage bear the repository, by the storage's address. */
export class ProbeMemory {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Undefined where it was never seen. */
  lastMs(address: string): number | undefined {
    const value = guarded(() => this.#database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(prefix + address))
    return value === undefined ? undefined : Number(value)
  }

  /** Of several addresses only the last is kept. */
  set(address: string, nowMs: number): void {
    guarded(() => this.#database.transaction(() => {
      this.#database.prepare('DELETE FROM meta WHERE key GLOB ?').run(`${prefix}*`)
      this.#database.prepare('INSERT INTO meta VALUES (?, ?)').run(prefix + address, String(nowMs))
    })())
  }
}
