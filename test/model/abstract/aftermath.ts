import { at, bits, has } from './bits.ts'
import { backupSteps, newBackup } from './backup.ts'
import { pruneSteps } from './prune.ts'
import { newPrune, retiredIn } from './world.ts'
import type { State, World } from './world.ts'

/** More requests than any actor alone ever makes here. */
const manyRequests = 400

/**
 * Everybody dies. S3: a fresh backup adopts what is stored. L1: a fresh prune leaves neither garbage nor records nor intents, and then a
 * fresh backup adopts the rest. @returns what is not so.
 */
export function aftermathProblem(world: World, state: State, problemOf: (state: State) => string | undefined): string | undefined {
  const usable = state.packs & ~retiredIn(state)
  return adoptProblem(world, state, world.blobsIn(state, usable), problemOf) ?? pruneProblem(world, state, problemOf)
}

function adoptProblem(world: World, dead: State, usable: number, problemOf: (state: State) => string | undefined): string | undefined {
  const index = world.specs.length - 1
  const sleeping = [...dead.backups]
  sleeping[index] = newBackup(world, index, dead)
  const after = alone({ ...dead, backups: sleeping }, (state, emit) => { backupSteps(world, state, index, emit) })
  if (!after) return 'L1: a fresh backup does not end'
  if (at(after.backups, index).at !== 'done') return 'S3: a fresh backup cannot commit'
  if (world.blobsIn(after, after.packs & ~dead.packs) !== (world.everything & ~usable)) return 'S3: a fresh backup uploads what it could adopt'
  const problem = problemOf({ ...after, backups: dead.backups })
  return problem === undefined ? undefined : `S3: after a fresh backup: ${problem}`
}

function pruneProblem(world: World, dead: State, problemOf: (state: State) => string | undefined): string | undefined {
  const index = world.scenario.prunes
  let state = dead
  for (let round = 0; round < 4; round++) {
    const copied = [0, 1, 2, 3].find((copy) => !has(state.packs, world.firstCopy + index * world.copiesOf(0) + copy)) ?? 3
    const prunes = [...state.prunes]
    prunes[index] = { ...newPrune, copied }
    const after = alone({ ...state, prunes }, (each, emit) => { pruneSteps(world, each, index, true, emit) })
    if (!after) return 'L1: a fresh prune does not end'
    const problem = problemOf(after)
    if (problem !== undefined) return `S3: after a fresh prune: ${problem}`
    state = { ...after, prunes: dead.prunes }
  }
  return leftOver(world, state) ?? adoptProblem(world, state, world.blobsIn(state, state.packs), problemOf)
}

function leftOver(world: World, state: State): string | undefined {
  if (retiredIn(state) !== 0) return 'L1: a retire record is left'
  if (state.intents.some((intent) => intent !== 0)) return 'L1: an intent is left'
  const all = world.blobsIn(state, state.packs)
  const { live } = world.visible(world.roots(state, 'confirmed') | world.roots(state, 'unconfirmed'), all)
  for (const pack of bits(state.packs)) {
    const elsewhere = world.blobsIn(state, state.packs & ~(1 << pack))
    if ((world.contentsOf(state, pack) & live & ~elsewhere) === 0) return `L1: pack ${pack} is garbage and stays`
  }
  return world.scenario.repacks === true && (all & ~live) !== 0 ? 'L1: garbage stays in a pack that is partly used' : undefined
}

/** One actor runs to its end. */
function alone(start: State, step: (state: State, emit: (next: State) => void) => void): State | undefined {
  let state = start
  for (let requests = 0; requests < manyRequests; requests++) {
    let next: State | undefined
    step(state, (found) => { next = found })
    if (!next) return state
    state = next
  }
  return undefined
}
