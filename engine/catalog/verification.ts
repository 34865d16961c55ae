import * as v from 'valibot'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

const dayMs = 24 * 60 * 60_000

/** Key in the catalog's table of single values. */
const key = 'verification'

const stored = v.object({
  /** When the day began whose bytes are counted: with the first byte that was read back. */
  dayMs: v.number(),
  bytes: v.pipe(v.number(), v.minValue(0)),
  /** A pack of which only the segments before `offset` were read back yet. */
  part: v.exactOptional(v.object({ pack: v.string(), offset: v.pipe(v.number(), v.minValue(0)) })),
})

type Stored = v.InferOutput<typeof stored>

/** How much sample verification has read back today, and how far it is in a pack that it has begun. */
export class VerificationLedger {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Bytes read back since the day began; undefined where it is over, or a clock that was set back says nothing about it. */
  todayBytes(nowMs: number): number | undefined {
    const { dayMs: beganMs, bytes } = this.#load()
    return nowMs >= beganMs && nowMs < beganMs + dayMs ? bytes : undefined
  }

  /** Adds to the day's bytes, or begins a day with them. */
  spend(bytes: number, nowMs: number): void {
    const before = this.#load()
    const today = this.todayBytes(nowMs)
    this.#save(today === undefined ? { ...before, dayMs: nowMs, bytes } : { ...before, bytes: today + bytes })
  }

  /** Where to go on in the pack; 0 for any other than the one begun. */
  reached(pack: string): number {
    const { part } = this.#load()
    return part?.pack === pack ? part.offset : 0
  }

  /** @param offset of the next segment; undefined: the pack is done. */
  setReached(pack: string, offset: number | undefined): void {
    const { part: _, ...rest } = this.#load()
    this.#save(offset === undefined ? rest : { ...rest, part: { pack, offset } })
  }

  /** What cannot be read begins anew: it only spares work. */
  #load(): Stored {
    const text = guarded(() => this.#database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(key))
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stored), text)
    return parsed.success ? parsed.output : { dayMs: -Infinity, bytes: 0 }
  }

  #save(value: Stored): void {
    guarded(() => { this.#database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, JSON.stringify({ ...value, dayMs: Math.max(0, value.dayMs) })) })
  }
}
