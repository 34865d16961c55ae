import * as v from 'valibot'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

const dayMs = 24 * 60 * 60_000

/** Key in the catalog's table of single values. */
const key = 'care'

const amount = v.pipe(v.number(), v.minValue(0))

const stored = v.object({
  /** When the day began whose work is counted: with the first of it. */
  dayMs: v.number(),
  bytes: amount,
  ms: amount,
  prunedMs: v.exactOptional(v.number()),
  checkedMs: v.exactOptional(v.number()),
  drilledMs: v.exactOptional(v.number()),
  /** Something was forgotten since the last prune that came to its end. */
  wantsPrune: v.exactOptional(v.boolean()),
})

type Stored = v.InferOutput<typeof stored>

const lastKeys = { prune: 'prunedMs', check: 'checkedMs', drill: 'drilledMs' } as const

/** Work of a day: bytes over the network, in both directions, and time. */
export interface CareWork {
  readonly bytes: number
  readonly ms: number
}

/** What care has done today, and when it did last what is not done every day. A lost one costs work done twice. */
export class CareLedger {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** What may still be done of a day's budget. Whole pieces of work may go beyond: that is below zero, and taken from the next days. */
  left(budget: CareWork, nowMs: number): CareWork {
    const { bytes, ms } = this.#today(budget, nowMs)
    return { bytes: budget.bytes - bytes, ms: budget.ms - ms }
  }

  spend(work: CareWork, budget: CareWork, nowMs: number): void {
    const today = this.#today(budget, nowMs)
    this.#save({ ...this.#load(), dayMs: today.dayMs, bytes: today.bytes + work.bytes, ms: today.ms + work.ms })
  }

  /** Undefined: never, as far as is known, or at a time that a clock which was set back has not reached. */
  last(what: keyof typeof lastKeys, nowMs: number): number | undefined {
    const last = this.#load()[lastKeys[what]]
    return last !== undefined && last <= nowMs ? last : undefined
  }

  setLast(what: keyof typeof lastKeys, nowMs: number): void {
    this.#save({ ...this.#load(), [lastKeys[what]]: nowMs })
  }

  get wantsPrune(): boolean {
    return this.#load().wantsPrune === true
  }

  set wantsPrune(wants: boolean) {
    this.#save({ ...this.#load(), wantsPrune: wants })
  }

  /** What the days before did beyond their budget counts for this one. */
  #today({ bytes: byteBudget, ms: msBudget }: CareWork, nowMs: number): Pick<Stored, 'dayMs' | 'bytes' | 'ms'> {
    const { dayMs: beganMs, bytes, ms } = this.#load()
    const days = Math.floor((nowMs - beganMs) / dayMs)
    if (days === 0) return { dayMs: beganMs, bytes, ms }
    if (!(days > 0)) return { dayMs: nowMs, bytes: 0, ms: 0 }
    return { dayMs: nowMs, bytes: Math.max(0, bytes - days * byteBudget), ms: Math.max(0, ms - days * msBudget) }
  }

  /** What cannot be read begins anew. */
  #load(): Stored {
    const text = guarded(() => this.#database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(key))
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), stored), text)
    return parsed.success ? parsed.output : { dayMs: 0, bytes: 0, ms: 0 }
  }

  #save(value: Stored): void {
    guarded(() => { this.#database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, JSON.stringify(value)) })
  }
}
