import { planClasses } from '../../main/api/restore-rules.ts'
import type { Bridge, PlaceRef, PlannedEntry, PlanTotals, RestorePart, RestoreTo, WireError } from './bridge.ts'

const pageSize = 200
/** More are counted, and not listed. */
const mostListed = 1000

/** What a restore would meet where it goes; looked at a stretch at a time, so that it can be seen to go on, and given up. */
export class RestorePlan {
  readonly #bridge: Bridge
  readonly #place: PlaceRef
  #turn = 0
  #totals = $state.raw<PlanTotals>(noTotals())
  #entries = $state.raw<readonly PlannedEntry[]>([])
  #state = $state<'idle' | 'looking' | 'done'>('idle')
  #error = $state.raw<WireError>()

  constructor(bridge: Bridge, place: PlaceRef) {
    this.#bridge = bridge
    this.#place = place
  }

  /** So far. */
  get totals(): PlanTotals {
    return this.#totals
  }

  /** The first of those that are there and not the same. */
  get entries(): readonly PlannedEntry[] {
    return this.#entries
  }

  get state(): 'idle' | 'looking' | 'done' {
    return this.#state
  }

  get error(): WireError | undefined {
    return this.#error
  }

  /** Begins anew. Of several targets the last one counts. */
  async look(parts: readonly RestorePart[], target: RestoreTo): Promise<void> {
    this.stop()
    const turn = this.#turn
    this.#state = 'looking'
    for (const part of parts) {
      let next: Uint8Array | undefined
      do {
        const reply = await this.#bridge.invoke('restore.plan', { place: this.#place, ...part, target, limit: pageSize, ...(next && { after: next }) })
        if (turn !== this.#turn) return
        if (!reply.ok) {
          this.#error = reply.error
          this.#state = 'idle'
          return
        }
        this.#totals = sum(this.#totals, reply.value.totals)
        if (this.#entries.length < mostListed) this.#entries = [...this.#entries, ...reply.value.entries].slice(0, mostListed)
        next = reply.value.next
      } while (next)
    }
    this.#state = 'done'
  }

  /** Forgets what was seen; an answer that is under way is ignored. */
  stop(): void {
    this.#turn += 1
    this.#totals = noTotals()
    this.#entries = []
    this.#error = undefined
    this.#state = 'idle'
  }
}

function noTotals(): PlanTotals {
  return Object.fromEntries(planClasses.map((of) => [of, { entries: 0, bytes: 0 }])) as unknown as PlanTotals
}

function sum(a: PlanTotals, b: PlanTotals): PlanTotals {
  return Object.fromEntries(planClasses.map((of) => [of, { entries: a[of].entries + b[of].entries, bytes: a[of].bytes + b[of].bytes }])) as unknown as PlanTotals
}
