import { bits } from './bits.ts'
import type { State, World } from './world.ts'

/** What a plan retires: packs that nothing needs, partly used ones if the world repacks, and of two copies the later. */
export function candidatesOf(world: World, state: State, available: number, live: number): number {
  let chosen = 0
  for (const pack of bits(available)) {
    const contents = world.contentsOf(state, pack)
    const isPartlyUsed = world.scenario.repacks === true && (contents & ~live) !== 0
    if ((contents & live) === 0 || isPartlyUsed) chosen |= 1 << pack
  }
  for (const pack of [...bits(available & ~chosen)].reverse()) {
    const elsewhere = world.blobsIn(state, available & ~chosen & ~(1 << pack))
    if ((world.contentsOf(state, pack) & live & ~elsewhere) === 0) chosen |= 1 << pack
  }
  return chosen
}
