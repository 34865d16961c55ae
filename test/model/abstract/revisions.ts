import { at, replaced } from './bits.ts'
import type { System } from './explore.ts'

/**
 * What machines remember of a job's revisions (rule R11), on a storage that may be put back to a copy of itself. Blobs and packs do not
 * matter here. Every request is one step; a machine may die at any step and begin again with what it has on its disk.
 */
export interface RevisionScenario {
  readonly name: string
  readonly arbiter: 'cas' | 'flags'
  /** Runs per machine. */
  readonly runs: readonly number[]
  readonly rollbacks: number
  readonly forgets: number
  readonly expiries: number
  readonly deaths: number
  readonly breaks?: BrokenMemory
}

export type BrokenMemory =
  | 'X7 counts from the listing alone' | 'X8 does not ask for what it knows' | 'X9 takes a forgotten snapshot for one that is gone'
  | 'X10 counts no flags' | 'X11 remembers a revision only after its commit'

/** Nothing; a decision that no session made; or a session's manifest or tombstone. */
const none = 0
const expired = 1
const manifestOf = (session: number): number => 2 + 2 * session
const tombstoneOf = (session: number): number => 3 + 2 * session
const isManifest = (decision: number): boolean => decision >= 2 && decision % 2 === 0

/** Per session (its revision is 0 until it announces itself) what the storage holds; in cas mode a revision has one session at most. */
interface Store {
  /** Per session: its revision while its intent is there. */
  readonly intents: readonly number[]
  /** Per session: revision and decision of the snapshot object. In cas mode also those of a session that a prune expired. */
  readonly revisions: readonly number[]
  readonly decisions: readonly number[]
  /** Flags mode, per session: its revision, once the flag is there. */
  readonly deleted: readonly number[]
  readonly expired: readonly number[]
}

interface Machine {
  readonly at: 'rest' | 'ask' | 'list' | 'announce' | 'look' | 'commit' | 'check flag' | 'keep' | 'refused'
  readonly runs: number
  readonly session: number
  readonly revision: number
  /** On its disk: the session whose snapshot it saw last and that one's revision, and the highest revision that it ever gave out. */
  readonly known: number
  readonly knownRevision: number
  readonly floor: number
  /** Ghosts: what its next revision must be above; whether the storage lacked what it knows when it went on. */
  readonly above: number
  readonly wasFooled: boolean
}

interface State {
  readonly store: Store
  /** What the storage may be put back to. */
  readonly copy: Store | undefined
  readonly rollbacks: number
  readonly forgets: number
  readonly expiries: number
  readonly deaths: number
  readonly machines: readonly Machine[]
  /** Ghosts: whether it was put back; per machine the highest revision it ever had or saw; the highest that was ever committed. */
  readonly isRolledBack: boolean
  readonly had: readonly number[]
  readonly committed: number
}

type Emit = (state: State, label: () => string, violation?: string) => void

/** U: no revision is given out that its machine knows, or that anybody committed before on an honest storage. F: no false alarm. R: none is missed. */
export function revisionSystem(scenario: RevisionScenario): System<State> {
  const initial = initialState(scenario)
  return {
    initial,
    key: (state) => JSON.stringify(state),
    problem: () => undefined,
    next: (state, emit) => {
      for (const index of state.machines.keys()) {
        new Turn(scenario, state, index, emit).step()
        die(state, index, emit)
      }
      forget(scenario, state, emit)
      expire(scenario, state, emit)
      putBack(state, emit)
    },
  }
}

function initialState({ runs, rollbacks, forgets, expiries, deaths }: RevisionScenario): State {
  const zeros = (): readonly number[] => Array.from({ length: runs.reduce((sum, count) => sum + count, 0) }, () => 0)
  const store: Store = { intents: zeros(), revisions: zeros(), decisions: zeros(), deleted: zeros(), expired: zeros() }
  const machine = { at: 'rest', session: 0, revision: 0, known: -1, knownRevision: 0, floor: 0, above: 0, wasFooled: false } as const
  return {
    store, copy: undefined, rollbacks, forgets, expiries, deaths, machines: runs.map((count) => ({ ...machine, runs: count })), isRolledBack: false,
    had: runs.map(() => 0), committed: 0,
  }
}

/** One machine's next request. */
class Turn {
  readonly #scenario: RevisionScenario
  readonly #state: State
  readonly #index: number
  readonly #emit: Emit
  readonly #own: Machine

  constructor(scenario: RevisionScenario, state: State, index: number, emit: Emit) {
    this.#scenario = scenario
    this.#state = state
    this.#index = index
    this.#emit = emit
    this.#own = at(state.machines, index)
  }

  step(): void {
    switch (this.#own.at) {
      case 'rest': return this.#begin()
      case 'ask': return this.#ask()
      case 'list': return this.#list()
      case 'announce': return this.#announce()
      case 'look': return this.#look()
      case 'commit': return this.#commit()
      case 'check flag': return this.#checkFlag()
      case 'keep': return this.#go('writes down its snapshot', { at: 'rest', known: this.#own.session, knownRevision: this.#own.revision })
      case 'refused': return this.#go('is told to accept what is there', { at: 'list', known: -1, knownRevision: 0 })
    }
  }

  #go(label: string, own: Partial<Machine>, rest: Partial<State> = {}, violation?: string): void {
    const machines = replaced(this.#state.machines, this.#index, { ...this.#own, ...own })
    this.#emit({ ...this.#state, ...rest, machines }, () => `M${this.#index + 1} ${label}`, violation)
  }

  #begin(): void {
    const { runs } = this.#own
    if (runs === 0) return
    const first = this.#scenario.runs.slice(0, this.#index).reduce((sum, count) => sum + count, 0)
    this.#go('begins', { at: 'ask', runs: runs - 1, session: first + runs - 1, revision: 0, wasFooled: false })
  }

  /** GET of the snapshot it knows, by name. */
  #ask(): void {
    const { known } = this.#own
    const isGone = known >= 0 && this.#isGone(known)
    const isWrong = known >= 0 && !this.#stands(known)
    if (this.#scenario.breaks === 'X8 does not ask for what it knows') return this.#go('begins', { at: 'list', wasFooled: isWrong })
    if (!isGone) return this.#go('finds what it knows', { at: 'list', wasFooled: isWrong })
    this.#go('misses what it knows', { at: 'refused' }, {}, this.#state.isRolledBack ? undefined : 'F: nothing was put back, and a machine refuses')
  }

  #isGone(session: number): boolean {
    const { decisions, deleted, expired: flags } = this.#state.store
    const decision = at(decisions, session)
    if (this.#scenario.breaks === 'X9 takes a forgotten snapshot for one that is gone') return !isManifest(decision)
    return decision === none && at(deleted, session) === 0 && at(flags, session) === 0
  }

  /** Truth, for the ghost: the session's snapshot is there, or what became of it. */
  #stands(session: number): boolean {
    const { decisions, deleted, expired: flags } = this.#state.store
    return at(decisions, session) !== none || at(deleted, session) !== 0 || at(flags, session) !== 0
  }

  #list(): void {
    const { store, isRolledBack, committed, had } = this.#state
    const { breaks, arbiter } = this.#scenario
    const flags = arbiter === 'flags' && breaks !== 'X10 counts no flags' ? [...store.deleted, ...store.expired] : []
    const floor = breaks === 'X7 counts from the listing alone' ? 0 : this.#own.floor
    const revision = 1 + Math.max(floor, ...store.revisions, ...store.intents, ...flags)
    this.#go('LIST', { at: 'announce', revision, above: Math.max(at(had, this.#index), isRolledBack ? 0 : committed) })
  }

  #announce(): void {
    const { store, had } = this.#state
    const { session, revision, above, floor } = this.#own
    if (this.#scenario.arbiter === 'cas' && store.intents.includes(revision)) return this.#go('PUT-if-absent intent: 412', { revision: revision + 1 })
    const intents = replaced(store.intents, session, revision)
    const raised = this.#scenario.breaks === 'X11 remembers a revision only after its commit' ? floor : Math.max(floor, revision)
    const violation = revision <= above ? `U: revision ${revision} is given out again` : undefined
    const rest = { store: { ...store, intents }, had: replaced(had, this.#index, Math.max(at(had, this.#index), revision)) }
    this.#go(`PUT intent ${revision}`, { at: 'look', floor: raised }, rest, violation)
  }

  #look(): void {
    const { store } = this.#state
    const isTaken = this.#scenario.arbiter === 'cas' && store.revisions.includes(this.#own.revision)
    this.#go(isTaken ? 'HEAD snapshot: decided already' : 'HEAD snapshot: none', isTaken ? { at: 'announce', revision: this.#own.revision + 1 } : { at: 'commit' })
  }

  #commit(): void {
    const { store } = this.#state
    const { session, revision } = this.#own
    if (this.#scenario.arbiter === 'cas' && store.revisions.includes(revision)) return this.#go('PUT-if-absent snapshot: 412, expired', { at: 'rest' }, this.#closed(store))
    const written = { ...store, revisions: replaced(store.revisions, session, revision), decisions: replaced(store.decisions, session, manifestOf(session)) }
    if (this.#scenario.arbiter === 'flags') return this.#go('PUT snapshot', { at: 'check flag' }, { store: written })
    this.#committed(written)
  }

  #checkFlag(): void {
    const { store } = this.#state
    const { session } = this.#own
    if (at(store.expired, session) === 0) return this.#committed(store)
    this.#go('withdraws its snapshot', { at: 'rest' }, this.#closed({ ...store, revisions: replaced(store.revisions, session, 0), decisions: replaced(store.decisions, session, none) }))
  }

  #committed(store: Store): void {
    const { revision, wasFooled, floor } = this.#own
    const violation = wasFooled ? 'R: a machine goes on with a storage that lacks what it knows' : undefined
    const rest = { ...this.#closed(store), committed: Math.max(this.#state.committed, revision) }
    this.#go(`commits ${revision}`, { at: 'keep', floor: Math.max(floor, this.#scenario.breaks === 'X11 remembers a revision only after its commit' ? 0 : revision) }, rest, violation)
  }

  #closed(store: Store): Pick<State, 'store'> {
    return { store: { ...store, intents: replaced(store.intents, this.#own.session, 0) } }
  }
}

function die(state: State, index: number, emit: Emit): void {
  const own = at(state.machines, index)
  if (state.deaths === 0 || own.at === 'rest') return
  emit({ ...state, deaths: state.deaths - 1, machines: replaced(state.machines, index, { ...own, at: 'rest' }) }, () => `M${index + 1} dies`)
}

function forget({ arbiter }: RevisionScenario, state: State, emit: Emit): void {
  const { store } = state
  for (const [session, decision] of state.forgets > 0 ? store.decisions.entries() : []) {
    if (!isManifest(decision)) continue
    const revision = at(store.revisions, session)
    const after = arbiter === 'cas'
      ? { ...store, decisions: replaced(store.decisions, session, tombstoneOf(session)) }
      : { ...store, deleted: replaced(store.deleted, session, revision), decisions: replaced(store.decisions, session, none), revisions: replaced(store.revisions, session, 0) }
    emit({ ...state, forgets: state.forgets - 1, store: after }, () => `F forgets ${revision}`)
  }
}

/** A prune gives an undecided session up, and takes the intent away. */
function expire({ arbiter }: RevisionScenario, state: State, emit: Emit): void {
  const { store } = state
  for (const [session, revision] of state.expiries > 0 ? store.intents.entries() : []) {
    if (revision === 0 || store.decisions[session] !== none) continue
    const intents = replaced(store.intents, session, 0)
    const after = arbiter === 'cas'
      ? { ...store, intents, revisions: replaced(store.revisions, session, revision), decisions: replaced(store.decisions, session, expired) }
      : { ...store, intents, expired: replaced(store.expired, session, revision) }
    emit({ ...state, expiries: state.expiries - 1, store: after }, () => `G expires ${revision}`)
  }
}

function putBack(state: State, emit: Emit): void {
  if (state.rollbacks === 0) return
  const { copy } = state
  if (!copy) return emit({ ...state, copy: state.store }, () => 'somebody copies the storage')
  emit({ ...state, store: copy, rollbacks: state.rollbacks - 1, isRolledBack: true }, () => 'the storage is put back')
}

const small = { runs: [2, 1], rollbacks: 1, forgets: 1, expiries: 1, deaths: 0 } as const

/** All of them together take a few seconds. */
export const quickRevisionScenarios: readonly RevisionScenario[] = [
  { ...small, expiries: 0, name: 'M1 two machines, put back once, retention', arbiter: 'cas' },
  { ...small, expiries: 0, name: 'M2 the same in flags mode', arbiter: 'flags' },
  { ...small, runs: [3], deaths: 1, name: 'M3 one machine that may die, an expiry', arbiter: 'cas' },
  { ...small, runs: [3], deaths: 1, name: 'M4 the same in flags mode', arbiter: 'flags' },
  { ...small, rollbacks: 0, name: 'M5 an honest storage', arbiter: 'cas' },
  { ...small, rollbacks: 0, name: 'M6 an honest storage in flags mode', arbiter: 'flags' },
]

/** For `npm run model`. */
export const largeRevisionScenarios: readonly RevisionScenario[] = [
  { ...small, name: 'M1b two machines, put back once, retention, an expiry', arbiter: 'cas' },
  { ...small, name: 'M2b the same in flags mode', arbiter: 'flags' },
  { ...small, runs: [2, 2], rollbacks: 0, forgets: 2, expiries: 2, deaths: 1, name: 'M5b an honest storage', arbiter: 'cas' },
  { ...small, runs: [2, 2], rollbacks: 0, forgets: 2, expiries: 2, deaths: 1, name: 'M6b an honest storage in flags mode', arbiter: 'flags' },
]

/** Each breaks one part of rule R11; what it leads to begins with `finds`. */
export const brokenRevisionScenarios: readonly (RevisionScenario & { readonly breaks: BrokenMemory, readonly finds: string })[] = [
  { ...small, name: 'X7', arbiter: 'cas', breaks: 'X7 counts from the listing alone', finds: 'U' },
  { ...small, name: 'X8', arbiter: 'cas', breaks: 'X8 does not ask for what it knows', finds: 'R' },
  { ...small, name: 'X9', arbiter: 'cas', breaks: 'X9 takes a forgotten snapshot for one that is gone', finds: 'F' },
  { ...small, name: 'X9 flags', arbiter: 'flags', breaks: 'X9 takes a forgotten snapshot for one that is gone', finds: 'F' },
  { ...small, name: 'X10', arbiter: 'flags', breaks: 'X10 counts no flags', finds: 'U' },
  { ...small, name: 'X11', runs: [3], deaths: 1, arbiter: 'cas', breaks: 'X11 remembers a revision only after its commit', finds: 'U' },
]
