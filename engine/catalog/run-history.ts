import * as v from 'valibot'
import type { RunSummary } from '../protocol/progress.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

const kept = 200

const stored = v.looseObject({ operation: v.string(), outcome: v.string(), startedMs: v.number(), finishedMs: v.number() })

/** One run as it is listed; the whole summary stays in its JSON. */
export type RunRecord = v.InferOutput<typeof stored>

/** The last 200 runs on this machine, newest first. */
export class RunHistory {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  add(summary: RunSummary): void {
    guarded(() => this.#database.transaction(() => {
      this.#database.prepare('INSERT INTO history(summary) VALUES (?)').run(JSON.stringify(summary))
      this.#database.prepare('DELETE FROM history WHERE number <= (SELECT max(number) FROM history) - ?').run(kept)
    })())
  }

  list(limit: number): readonly RunRecord[] {
    const rows = this.#database.prepare<[number], string>('SELECT summary FROM history ORDER BY number DESC LIMIT ?').pluck().all(limit)
    return rows.map((row) => v.safeParse(stored, JSON.parse(row))).filter((parsed) => parsed.success).map((parsed) => parsed.output)
  }
}
