import { at, has, lettersOf, replaced } from './bits.ts'
import { backupSteps, cellOf, firstSession, newBackup } from './backup.ts'
import { aftermathProblem } from './aftermath.ts'
import type { System } from './explore.ts'
import { pruneSteps } from './prune.ts'
import { World, isManifest, manifestOf, newPrune, sessionOf, tombstoneOf } from './world.ts'
import type { AbstractScenario, BackupState, PruneState, State } from './world.ts'

/** The protocol in a small world: every request of every actor is one step, and nobody ever waits for anybody. */
export function repositorySystem(scenario: AbstractScenario): System<State> {
  const world = new World(scenario)
  const initial = initialState(world)
  const quiet = scenario.noAftermath === true
  return {
    initial, key: keys(),
    next: (state, emit) => { nextStates(world, state, emit) },
    problem: (state) => problemOf(world, state),
    ...(quiet ? {} : { storeKey, aftermath: (state: State) => aftermathProblem(world, state, (each) => problemOf(world, each)) }),
  }
}

function initialState(world: World): State {
  const { scenario } = world
  const snapshots = Array.from({ length: world.cells }, () => 0)
  const revisions = new Map<number, number>()
  for (const [session, { job = 0 }] of (scenario.snapshots ?? []).entries()) {
    const revision = revisions.get(job) ?? 0
    revisions.set(job, revision + 1)
    snapshots[world.flags ? session : job * world.revisions + revision] = manifestOf(session)
  }
  const zeros = (length: number): readonly number[] => Array.from({ length }, () => 0)
  const empty: State = {
    packs: world.initialPacks, copied: zeros(world.packCount - world.firstCopy), intents: zeros(world.cells), snapshots, flags: 0, records: zeros(scenario.prunes + 1),
    acknowledged: zeros(scenario.prunes + 1), forgets: scenario.forgets ?? 0, backups: [], prunes: Array.from({ length: scenario.prunes }, () => newPrune),
  }
  return { ...empty, backups: (scenario.backups ?? []).map((_, index) => newBackup(world, index, empty)) }
}

function nextStates(world: World, state: State, emit: (state: State, label: () => string, violation?: string) => void): void {
  const checked = (next: State, label: () => string): void => { emit(next, label, overwritten(world, state, next)) }
  for (const [index, own] of state.backups.entries()) {
    let steps = 0
    backupSteps(world, state, index, (next, label) => {
      steps++
      checked(next, label)
    })
    if (steps === 0 && own.at !== 'done' && own.at !== 'failed') emit(state, () => `B${index + 1} is stuck`, `L1: B${index + 1} has to wait`)
  }
  for (const index of state.prunes.keys()) pruneSteps(world, state, index, false, checked)
  if (state.forgets > 0) forget(world, state, checked)
}

function forget(world: World, state: State, emit: (state: State, label: () => string) => void): void {
  for (const [cell, decision] of state.snapshots.entries()) {
    if (!isManifest(decision)) continue
    const after = world.breaks('N17 forgets by removing') ? 0 : tombstoneOf(sessionOf(decision))
    emit({ ...state, forgets: state.forgets - 1, snapshots: replaced(state.snapshots, cell, after) }, () => `F forgets the snapshot of cell ${cell}`)
  }
}

/** S2: what was committed only ever becomes its own tombstone. */
function overwritten(world: World, before: State, after: State): string | undefined {
  if (before.snapshots === after.snapshots || world.breaks('N17 forgets by removing')) return undefined
  for (const [cell, was] of before.snapshots.entries()) {
    const is = at(after.snapshots, cell)
    if (was < 2 || was === is || (isManifest(was) && is === was + 1) || (world.flags && is === 0)) continue
    return `S2: the snapshot of cell ${cell} was overwritten`
  }
  return undefined
}

/** S1: what is committed is stored. S2: who reports success has committed. */
function problemOf(world: World, state: State): string | undefined {
  const stored = world.blobsIn(state, state.packs)
  for (const [cell, decision] of state.snapshots.entries()) {
    if (!isManifest(decision) || (world.flags && has(state.flags, sessionOf(decision)))) continue
    const lost = world.closure(at(world.needs, sessionOf(decision))) & ~stored
    if (lost !== 0) return `S1: the snapshot of cell ${cell} needs ${lettersOf(lost)}, in no pack`
  }
  for (const [index, own] of state.backups.entries()) {
    const problem = own.at === 'done' ? reportProblem(world, state, index, own, stored) : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

function reportProblem(world: World, state: State, index: number, own: BackupState, stored: number): string | undefined {
  const session = firstSession(world, index) + own.session
  const decision = at(state.snapshots, cellOf(world, state, index))
  const isForgotten = decision === tombstoneOf(session) || world.breaks('N17 forgets by removing')
  if (decision !== manifestOf(session) && !isForgotten) return `S2: B${index + 1} reports success, and its revision holds something else`
  const lost = world.closure(at(world.needs, session)) & ~stored
  if (decision === manifestOf(session) && lost !== 0) return `S1: B${index + 1} reports success, and ${lettersOf(lost)} is in no pack`
  return undefined
}

const backupPlaces = ['upload early', 'announce', 'check revision', 'list records', 'list packs', 'upload', 'acknowledge', 'commit', 'put blindly', 'check flag', 'withdraw', 'close', 'done', 'failed']
const prunePlaces = [
  'plan', 'list packs early', 'publish', 'list records', 'list sessions', 'settle', 'list for declared', 'read declared', 'expire', 'remove intent', 'list snapshots', 'list packs',
  'read trees', 'list packs once more', 'list records again', 'read copy', 'put copy', 'delete', 'list again', 'remove record', 'remove tombstones', 'done',
]
const backupCode = new Map(backupPlaces.map((place, code) => [place, code]))
const pruneCode = new Map(prunePlaces.map((place, code) => [place, code]))

function storeKey(state: State): string {
  return code([...wide(state.packs), ...state.copied, ...state.intents, ...state.snapshots, state.flags, ...state.records.flatMap(wide), ...state.acknowledged])
}

/** Exact, and short: what recurs (a storage's contents, what one actor knows) is numbered. */
function keys(): (state: State) => string {
  const stores = new Numbers()
  const actors = new Numbers()
  return (state) => code([
    stores.of(storeKey(state)), state.forgets, ...state.backups.map((own) => actors.of(backupKey(own))), ...state.prunes.map((own) => actors.of(pruneKey(own))),
  ].flatMap(wide))
}

class Numbers {
  readonly #numbers = new Map<string, number>()

  of(key: string): number {
    const number = this.#numbers.get(key) ?? this.#numbers.size
    if (number === this.#numbers.size) this.#numbers.set(key, number)
    return number
  }
}

function backupKey(own: BackupState): string {
  return code([
    (backupCode.get(own.at) ?? 0) << 8 | own.session << 5 | own.revision << 1 | own.again, own.missing, own.page << 8 | own.records, ...wide(own.retired), ...wide(own.listed),
  ])
}

function pruneKey(own: PruneState): string {
  return code([
    (pruneCode.get(own.at) ?? 0) << 8 | own.copied << 1 | own.first, own.records, own.required << 6 | own.optional, own.live << 6 | own.copy, own.page, ...wide(own.sessions),
    ...wide(own.retired), ...wide(own.listed), ...wide(own.listedBefore), ...wide(own.doomed),
  ])
}

/** A set of more than sixteen as two numbers. */
function wide(set: number): readonly [number, number] {
  return [set & 0xffff, set >>> 16]
}

function code(numbers: readonly number[]): string {
  return String.fromCharCode(...numbers)
}

