/** A system whose every reachable state is to be looked at. Labels are made only where somebody reads them. */
export interface System<State> {
  readonly initial: State
  /** Two states are the same if this is. Nothing is hashed away. */
  key(state: State): string
  /** One request of one actor, in every way it can go. `violation`: a transition that is itself wrong. */
  next(state: State, emit: (state: State, label: () => string, violation?: string) => void): void
  /** What is wrong in a state. */
  problem(state: State): string | undefined
  /** What is wrong when everybody dies in a state; asked once for each `storeKey`. */
  aftermath?(state: State): string | undefined
  storeKey?(state: State): string
}

export interface Outcome {
  readonly states: number
  readonly transitions: number
  /** Requests on the longest of the shortest ways to a state. */
  readonly depth: number
  readonly aftermaths: number
  readonly complete: boolean
  readonly violation: string | undefined
  /** The shortest way to the violation; empty unless asked for. */
  readonly trace: readonly string[]
  readonly seconds: number
}

export interface Limits {
  readonly seconds?: number
  readonly trace?: boolean
}

/** Breadth-first search through all interleavings, until a violation or a limit. */
export function exploreAll<State>(system: System<State>, limits: Limits = {}): Outcome {
  const search = new BreadthFirst(system, limits)
  return search.run()
}

interface Step {
  readonly from: Step | undefined
  readonly label: () => string
}

class BreadthFirst<State> {
  readonly #system: System<State>
  readonly #limits: Limits
  readonly #started = performance.now()
  readonly #seen = new SeenKeys()
  readonly #stores = new Set<string>()
  #states = 0
  #transitions = 0
  #depth = 0
  #violation: string | undefined
  #trace: readonly string[] = []

  constructor(system: System<State>, limits: Limits) {
    this.#system = system
    this.#limits = limits
  }

  run(): Outcome {
    let front = this.#enter(this.#system.initial, undefined)
    while (front.length > 0 && this.#violation === undefined && !this.#isLate()) {
      const next: Found<State>[] = []
      for (const found of front) {
        this.#expand(found, next)
        if (this.#violation !== undefined || this.#isLate()) break
      }
      if (next.length > 0) this.#depth++
      front = next
    }
    const complete = front.length === 0 && this.#violation === undefined
    return {
      states: this.#states, transitions: this.#transitions, depth: this.#depth, aftermaths: this.#stores.size, complete, violation: this.#violation,
      trace: this.#trace, seconds: (performance.now() - this.#started) / 1000,
    }
  }

  #isLate(): boolean {
    return this.#limits.seconds !== undefined && (this.#transitions & 1023) < 32 && performance.now() - this.#started > this.#limits.seconds * 1000
  }

  #expand(found: Found<State>, next: Found<State>[]): void {
    this.#checkAftermath(found)
    this.#system.next(found.state, (state, label, violation) => {
      this.#transitions++
      if (this.#violation !== undefined) return
      const step = this.#limits.trace ? { from: found.step, label } : undefined
      if (violation !== undefined) this.#fail(violation, step)
      else for (const entered of this.#enter(state, step)) next.push(entered)
    })
  }

  /** @returns the state, if it is new. */
  #enter(state: State, step: Step | undefined): Found<State>[] {
    if (!this.#seen.add(this.#system.key(state))) return []
    this.#states++
    const problem = this.#system.problem(state)
    if (problem !== undefined) this.#fail(problem, step)
    return [{ state, step }]
  }

  #checkAftermath({ state, step }: Found<State>): void {
    if (!this.#system.aftermath || !this.#system.storeKey) return
    const store = this.#system.storeKey(state)
    if (this.#stores.has(store)) return
    this.#stores.add(store)
    const problem = this.#system.aftermath(state)
    if (problem !== undefined) this.#fail(problem, step)
  }

  #fail(problem: string, step: Step | undefined): void {
    if (this.#violation !== undefined) return
    this.#violation = problem
    const trace: string[] = []
    for (let each = step; each; each = each.from) trace.push(each.label())
    this.#trace = trace.reverse()
  }
}

interface Found<State> {
  readonly state: State
  readonly step: Step | undefined
}

/** A set of more strings than one Set holds. */
class SeenKeys {
  readonly #parts = Array.from({ length: 32 }, () => new Set<string>())

  /** @returns whether it was new. */
  add(key: string): boolean {
    let hash = 0
    for (let index = 0; index < key.length; index += 3) hash = Math.imul(hash, 31) + key.charCodeAt(index) | 0
    const part = this.#parts[hash >>> 7 & 31]
    if (!part || part.has(key)) return false
    part.add(key)
    return true
  }
}
