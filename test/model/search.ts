import { Run, Violation } from './scheduler.ts'
import type { Choice, Scenario } from './scheduler.ts'
import { areIndependent } from './world.ts'
import type { Footprint } from './world.ts'

export interface Exploration {
  readonly states: number
  readonly transitions: number
  readonly executions: number
  readonly soloChecks: number
  readonly complete: boolean
  readonly violation: Violation | undefined
}

export interface ExploreOptions {
  readonly limitMs?: number
  readonly limitStates?: number
  /** Every how many distinct stores everybody dies once. Default 1. */
  readonly soloEvery?: number
  /** Serves every request in every state, also where another order came to the same. To show that leaving those out leaves out no state. */
  readonly everyOrder?: boolean
}

/**
 * Every state that an interleaving of the scenario's requests can reach, by depth-first search. States (storage and what each actor was
 * told) that were seen are not entered again, and of two requests that come to the same in either order one order is enough (sleep sets,
 * after Godefroid: they leave out transitions, never states). Stops at the first violation or at a limit.
 */
export async function explore(scenario: Scenario, options: ExploreOptions): Promise<Exploration> {
  const search = new Search(scenario, options)
  let violation: Violation | undefined
  try {
    while (await search.descend()) if (search.isLate()) break
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
  }
  return { ...search.counts, complete: search.isComplete(), violation }
}

/** Choices that need not be made here, since their every consequence is looked at elsewhere, with what they touch. */
type Sleeping = ReadonlyMap<string, Footprint>

interface Branch {
  readonly sleeping: Map<string, Footprint>
  readonly left: string[]
  chosen: string
  /** What the chosen one touched. */
  touched: Footprint
}

/** Tells a choice from the others that there are in the same state. */
function nameOf({ request, fault }: Choice, index: number, all: readonly Choice[]): string {
  const isSame = (other: Choice): boolean => other.request.actor === request.actor && other.request.operation === request.operation && other.request.name === request.name && other.fault === fault
  return `${request.actor} ${fault} ${request.operation} ${request.name} ${all.slice(0, index).filter(isSame).length}`
}

/** Of two actors; and not two faults, of which there may be one too few for both. */
function mayBeSwapped(one: string, other: string): boolean {
  const [actor, fault] = one.split(' ')
  const [otherActor, otherFault] = other.split(' ')
  return actor !== otherActor && (fault === 'none' || otherFault === 'none')
}

async function serve(run: Run, name: string): Promise<Footprint> {
  const choice = run.choices().find((each, index, all) => nameOf(each, index, all) === name)
  if (!choice) throw new Error('a replay went another way: something in the world is not deterministic')
  return run.serve(choice)
}

class Search {
  readonly counts = { states: 0, transitions: 0, executions: 0, soloChecks: 0 }
  readonly #scenario: Scenario
  readonly #options: ExploreOptions
  readonly #started = performance.now()
  /** State → the choices that nobody has made there yet. */
  readonly #seen = new Map<string, readonly string[]>()
  readonly #stores = new Set<string>()
  readonly #path: Branch[] = []
  #done = false

  constructor(scenario: Scenario, options: ExploreOptions) {
    this.#scenario = scenario
    this.#options = options
  }

  isLate(): boolean {
    const { limitMs = Infinity, limitStates = Infinity } = this.#options
    return performance.now() - this.#started > limitMs || this.counts.states >= limitStates
  }

  isComplete(): boolean {
    return this.#done
  }

  /** One run: replays the path, goes on to an end or to a state that was seen, and sets the path to the next branch. */
  async descend(): Promise<boolean> {
    this.counts.executions++
    const run = await new Run(this.#scenario).start()
    for (const branch of this.#path) branch.touched = await serve(run, branch.chosen)
    for (let branch = await this.#enter(run); branch; branch = await this.#enter(run)) {
      this.#path.push(branch)
      this.counts.transitions++
      branch.touched = await serve(run, branch.chosen)
    }
    return this.#nextBranch()
  }

  /** What need not be done below the path's end. */
  #sleeping(): Sleeping {
    const last = this.#path.at(-1)
    if (!last || this.#options.everyOrder) return new Map()
    return new Map([...last.sleeping].filter(([choice, touched]) => mayBeSwapped(choice, last.chosen) && areIndependent(touched, last.touched)))
  }

  /** @returns the choices to make in the state that the run is in; undefined: none. */
  async #enter(run: Run): Promise<Branch | undefined> {
    const sleeping = this.#sleeping()
    const state = run.fingerprint()
    const before = this.#seen.get(state)
    if (!before) await this.#enterNew(run)
    const enabled = before ?? run.choices().map(nameOf)
    if (!before && enabled.length === 0) run.checkEnd()
    const left = enabled.filter((choice) => !sleeping.has(choice))
    const kept = enabled.filter((choice) => sleeping.has(choice))
    this.#seen.set(state, kept)
    const chosen = left.shift()
    if (chosen === undefined) return undefined
    return { left, chosen, touched: [], sleeping: new Map([...sleeping].filter(([choice]) => kept.includes(choice))) }
  }

  async #enterNew(run: Run): Promise<void> {
    this.counts.states++
    const store = run.storeFingerprint()
    if (this.#scenario.noSolo || this.#stores.has(store)) return
    this.#stores.add(store)
    if (this.#stores.size % (this.#options.soloEvery ?? 1) !== 0) return
    this.counts.soloChecks++
    await run.checkSolo()
  }

  #nextBranch(): boolean {
    for (let last = this.#path.at(-1); last; last = this.#path.at(-1)) {
      const next = last.left.shift()
      if (next !== undefined) {
        last.sleeping.set(last.chosen, last.touched)
        last.chosen = next
        this.counts.transitions++
        return true
      }
      this.#path.pop()
    }
    this.#done = true
    return false
  }
}
