import { restore } from './reader.ts'
import { backupActor, eachPack, forgetActor, honest, indexed, merging, needA, packed, pruneActor, snapshotted } from './scenarios.ts'
import type { NamedSchedule } from './scenarios.ts'
import type { Actor, Scenario } from './scheduler.ts'
import type { ModelStore } from './store.ts'

const p0 = (store: ModelStore): void => { packed(store, '1', ['t:a', 'a']) }
const repacked = (store: ModelStore): void => {
  packed(store, '1', ['t:a', 'a', 'b'])
  indexed(store, '1', ['t:a', 'a', 'b'])
  snapshotted(store, 'j', 1, 'a')
}
function restoreActor(saboteur = honest): Actor {
  return async (backend, arbiter) => {
    await restore(saboteur(backend), 'a', arbiter)
    return { committed: [] }
  }
}

/** A restore that knows the packs of before a repack: it finds them gone, learns the index anew and goes on. */
export const oldIndex = (saboteur = honest): Scenario => ({
  name: 'T9 restore by an index that is older than a repack', letters: 'ab', fine: true, noSolo: true, prepare: repacked, actors: { R: restoreActor(saboteur), G: pruneActor('G') },
})

/** Listings of one name per page, with changes between the pages. */
export const pagedScenarios: readonly Scenario[] = [
  { name: 'T11 one backup, one prune', letters: 'a', page: 1, prepare: p0, actors: { B: backupActor('B', needA), G: pruneActor('G') } },
  { name: 'T11 duplicate packs, any candidates, one backup, two prunes', letters: 'a', page: 1,
    prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['t:a', 'a']); snapshotted(store, 'k', 1, 'a') },
    actors: { G: pruneActor('G', eachPack('1')), H: pruneActor('H', eachPack('2')), B: backupActor('B', needA) } },
  { name: 'T11 repack, one backup, one prune, retention', letters: 'ab', page: 1,
    prepare: (store) => { packed(store, '1', ['t:b', 'a', 'b']); snapshotted(store, 'j', 1, 'b') },
    actors: { B: backupActor('B', needA), G: pruneActor('G'), F: forgetActor() } },
  { name: 'T11 flags: one backup, two prunes', letters: 'a', arbiter: 'flags', page: 1, prepare: p0, actors: { B: backupActor('B', needA), G: pruneActor('G'), H: pruneActor('H') } },
  { name: 'T11 index objects', letters: 'abc', page: 1, ...merging(honest) },
]

/**
 * A tree goes from the last page to the first while its listing is between the two: the listing shows it nowhere. The prune that lists
 * flagged the tree's snapshot a moment after it was committed, so it may not take the tree for one that never came.
 */
export const movedBetweenPages: NamedSchedule = {
  scenario: {
    name: 'T11 flags: a tree moves between the pages of a listing', letters: 'ab', page: 1, arbiter: 'flags',
    prepare: (store) => { packed(store, '2', ['a']); packed(store, '9'.repeat(32), ['b']); packed(store, 'f'.repeat(32), ['t:a']) },
    actors: { B: backupActor('B', needA), G: pruneActor('G', eachPack('2')), H: pruneActor('H', eachPack('f'.repeat(32))) },
  },
  steps: [
    ['B', 'list packs/'], ['B', 'list packs/'], ['B', 'list packs/'], ['B', 'list packs/'], ['H', 'put gc/'], ['H', 'list gc/'], ['H', 'list gc/'], ['G', 'put gc/'],
    ['G', 'stat expired/'], ['B', ''], ['G', 'put expired/'], ['G', 'list packs/'], ['G', 'list packs/'], ['H', 'remove packs/'], ['G', ''],
  ],
}
