import type { StorageBackend } from '../../engine/backend/backend.ts'
import { IndexedPacks, Revisions, committed, lostBlob } from './invariants.ts'
import { nowMs, tagOf } from './repository.ts'
import { soloProblem } from './solo.ts'
import { ModelStore, shortHash } from './store.ts'
import { World } from './world.ts'
import type { AtOnce, Fault, Footprint, Request } from './world.ts'

// Stacks of errors that are part of the game cost half the time.
Error.stackTraceLimit = 0

export type Arbiter = 'cas' | 'flags'

/** One client of the repository. `plan` runs the part of its work that is only a hint: in one go, unless the scenario is fine-grained. */
export type Actor = (backend: StorageBackend, arbiter: Arbiter, plan: AtOnce) => Promise<ActorReport>

/** A small world: what is stored at first and who acts on it at once. */
export interface Scenario {
  readonly name: string
  readonly arbiter?: Arbiter
  readonly prepare: (store: ModelStore) => void
  /** Started in this order. An actor gives the names of snapshots it reports as committed. */
  readonly actors: Readonly<Record<string, Actor>>
  /** Replies that may be lost, and creations that may be answered by 409, in one run. */
  readonly lost?: number
  readonly conflicts?: number
  /** Reads of objects are yield points too. */
  readonly fine?: boolean
  /** Names on one page of a listing. Default: all. */
  readonly page?: number
  /** Letters that a fresh backup may need. */
  readonly letters: string
  /** A few thousand states: the quick tests explore them all. */
  readonly small?: boolean
  /** Only S1 and S2: for worlds whose actors break other rules on purpose, and for speed. */
  readonly noSolo?: boolean
  /** What else is wrong, by what is stored and what the actors that ended report; asked after each request. */
  readonly check?: (store: ModelStore, reports: readonly ActorReport[]) => string | undefined
  /** Does not look at what actors say they committed: for mutants whose damage shows there first and in S1 later. */
  readonly ignoreReports?: boolean
  /** An actor that fails just ends: mutants may fall over their own feet first. */
  readonly mayFail?: boolean
}

export interface ActorReport {
  /** Objects of snapshots that the actor says are committed. */
  readonly committed: readonly string[]
  /** Codes of errors that are a legal end. */
  readonly ended?: string
}

export interface Choice {
  readonly request: Request
  readonly fault: Fault
}

export class Violation extends Error {
  readonly schedule: readonly string[]

  constructor(what: string, schedule: readonly string[]) {
    super(`${what}\n${schedule.map((line, index) => `  ${index + 1}. ${line}`).join('\n')}`)
    this.schedule = schedule
  }
}

/** One run of a scenario, a request at a time; throws a Violation as soon as an invariant fails. */
export class Run {
  readonly world: World
  readonly schedule: string[] = []
  readonly #scenario: Scenario
  readonly #revisions = new Revisions()
  readonly #indexed = new IndexedPacks()
  readonly #crashed = new Set<string>()
  readonly #initial: ReadonlySet<string>
  #lost = 0
  #conflicts = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    const store = new ModelStore(tagOf)
    scenario.prepare(store)
    this.#revisions.check(store)
    this.#initial = new Set(store.names('snapshots/'))
    this.world = new World(store, {
      immediate: scenario.fine ? 'none' : 'reads',
      ...(scenario.page === undefined ? {} : { page: scenario.page }),
      nowMs: () => nowMs,
      afterChange: () => { this.#check() },
    })
    for (const [name, run] of Object.entries(scenario.actors)) this.world.start(name, (backend, atOnce) => run(backend, scenario.arbiter ?? 'cas', scenario.fine ? (work) => work() : atOnce))
  }

  async start(): Promise<this> {
    await this.world.settle()
    return this
  }

  choices(): readonly Choice[] {
    const { lost = 0, conflicts = 0 } = this.#scenario
    return this.world.pending().filter((request) => !this.#crashed.has(request.actor)).flatMap((request) => {
      const choices: Choice[] = [{ request, fault: 'none' }]
      const changes = request.operation === 'put' || request.operation === 'create' || request.operation === 'remove'
      if (changes && this.#lost < lost) choices.push({ request, fault: 'lost' })
      if (request.operation === 'create' && this.#conflicts < conflicts) choices.push({ request, fault: 'conflict' })
      return choices
    })
  }

  async serve({ request, fault }: Choice): Promise<Footprint> {
    if (fault === 'lost') this.#lost++
    if (fault === 'conflict') this.#conflicts++
    this.schedule.push(`${request.actor} ${request.operation} ${request.name}${fault === 'none' ? '' : ` (${fault})`}`)
    const footprint = await this.world.serve(request, fault)
    if (this.world.violation) throw new Violation(this.world.violation.message, this.schedule)
    this.#checkReports()
    return footprint
  }

  /** The actor never runs again. */
  crash(actor: string): void {
    this.#crashed.add(actor)
    this.schedule.push(`${actor} dies`)
  }

  fingerprint(): string {
    return shortHash(`${this.world.fingerprint()} ${this.#lost} ${this.#conflicts}`)
  }

  storeFingerprint(): string {
    return shortHash(this.world.store.fingerprint())
  }

  /** At the end of a run in which nobody died: every commit was noticed by whoever made it. */
  checkEnd(): void {
    if (this.#crashed.size > 0 || this.#scenario.ignoreReports || this.world.actors.some(({ result }) => result.type === 'failed')) return
    const reported = this.#reported()
    const silent = committed(this.world.store).find(({ name, confirmed }) => confirmed && !reported.has(name) && !this.#initial.has(name))
    if (silent) throw new Violation(`S2: ${silent.name} was committed, and its backup does not know`, this.schedule)
  }

  /** Everybody dies here: a fresh backup adopts all, a fresh prune leaves nothing behind. */
  async checkSolo(): Promise<void> {
    const problem = await soloProblem(this.world.store, this.#scenario.arbiter ?? 'cas', this.#scenario.letters)
    if (problem !== undefined) throw new Violation(problem, this.schedule)
  }

  #check(): void {
    const problem = lostBlob(this.world.store, this.#reported()) ?? this.#revisions.check(this.world.store) ?? this.#indexed.check(this.world.store)
    if (problem !== undefined) throw new Error(problem)
  }

  #reported(): ReadonlySet<string> {
    return new Set(this.world.actors.flatMap((actor) => (actor.result.type === 'done' ? reportOf(actor.result.value).committed : [])))
  }

  /** Who reports success has exactly the one snapshot that it reports; who fails, fails for a reason that the scenario knows. */
  #checkReports(): void {
    const names = new Set(committed(this.world.store).map((snapshot) => snapshot.name))
    const problem = this.#scenario.check?.(this.world.store, this.world.actors.flatMap(({ result }) => (result.type === 'done' ? reportOf(result.value) : [])))
    if (problem !== undefined) throw new Violation(problem, this.schedule)
    for (const actor of this.world.actors) {
      if (actor.result.type === 'failed' && !this.#scenario.mayFail) throw new Violation(`${actor.name} failed: ${String(actor.result.error)}`, this.schedule)
      if (actor.result.type !== 'done' || this.#scenario.ignoreReports) continue
      for (const name of reportOf(actor.result.value).committed) {
        const stored = this.world.store.find(name)
        const deleted = this.world.store.names('deleted/').some((flag) => name.endsWith(flag.slice(flag.lastIndexOf('/'))))
        if (!names.has(name) && stored === undefined && !deleted) throw new Violation(`S2: ${actor.name} reports ${name}, which is not there`, this.schedule)
        if (stored?.tag.includes('"expired"')) throw new Violation(`S2: ${actor.name} reports ${name}, which is expired`, this.schedule)
      }
    }
  }
}

function reportOf(value: unknown): ActorReport {
  const report = value as ActorReport | undefined
  return report ?? { committed: [] }
}

/** An actor's requests are served until one that begins like this (`list packs/`), or until it ends. An empty text: until it ends. */
export type Step = readonly [actor: string, until: string, fault?: Fault]

/** One run along a schedule; then everybody runs to an end, and everybody dies. @returns the requests served. */
export async function runSchedule(scenario: Scenario, steps: readonly Step[]): Promise<readonly string[]> {
  const run = await new Run(scenario).start()
  const serveUntil = async (actor: string, until: string, fault: Fault): Promise<void> => {
    for (let choice = find(run, actor); choice; choice = find(run, actor)) {
      const found = until !== '' && `${choice.request.operation} ${choice.request.name}`.startsWith(until)
      await run.serve({ request: choice.request, fault: found ? fault : 'none' })
      if (found) return
    }
  }
  for (const [actor, until, fault = 'none'] of steps) await serveUntil(actor, until, fault)
  for (const actor of Object.keys(scenario.actors)) await serveUntil(actor, '', 'none')
  run.checkEnd()
  if (!scenario.noSolo) await run.checkSolo()
  return run.schedule
}

function find(run: Run, actor: string): Choice | undefined {
  return run.choices().find((choice) => choice.request.actor === actor && choice.fault === 'none')
}

/** Runs with seeds from `from` on until one finds a violation. */
export async function findAtRandom(scenario: Scenario, from: number, runs: number): Promise<{ readonly runs: number, readonly violation: Violation | undefined }> {
  for (let seed = from; seed < from + runs; seed++) {
    try {
      await runAtRandom(scenario, seed, 0)
    } catch (error) {
      if (error instanceof Violation) return { runs: seed - from + 1, violation: error }
      throw error
    }
  }
  return { runs, violation: undefined }
}

/** One run with choices made at random: bursts of one actor, faults as the scenario allows, deaths. @returns requests served. */
export async function runAtRandom(scenario: Scenario, seed: number, deathsPerRequest = 0.005): Promise<number> {
  const random = mulberry32(seed)
  const run = await new Run(scenario).start()
  let favourite = ''
  for (let served = 0; ; served++) {
    const choices = run.choices()
    if (choices.length === 0) {
      run.checkEnd()
      if (!scenario.noSolo) await run.checkSolo()
      return served
    }
    if (random() < 0.3) favourite = choices[Math.floor(random() * choices.length)]?.request.actor ?? ''
    const faulty = random() < 0.1
    const wanted = choices.filter((choice) => (faulty || choice.fault === 'none') && choice.request.actor === favourite)
    const pool = wanted.length > 0 ? wanted : choices.filter((choice) => choice.fault === 'none')
    const choice = pool[Math.floor(random() * pool.length)]
    if (!choice) return served
    if (random() < deathsPerRequest) run.crash(choice.request.actor)
    else await run.serve(choice)
  }
}

/** Small seeded generator, 0 ≤ x < 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
