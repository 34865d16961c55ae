import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chain, describeOddTree, makeOddTree, oddEntryNames, removeIfThere } from '../../../fixtures/odd-tree.ts'
import { describeSnapshot } from '../../../fixtures/snapshot.ts'
import { World } from '../../../fixtures/world.ts'

let world: World
let tree: string
let restored: string

beforeEach(() => {
  world = new World()
  tree = join(world.folder, 'tree')
  restored = join(world.folder, 'restored')
})
afterEach(() => {
  removeIfThere(tree)
  removeIfThere(restored)
  world[Symbol.dispose]()
})

test('what a backup stores of the oddest tree is what is there, and comes back as it was; nothing of it counts as changed after', async () => {
  makeOddTree(tree)
  const there = describeOddTree(tree)
  expect(there.length).toBeGreaterThan(8000)
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'success', problems: 0, firstProblems: [] })
  expect(await describeSnapshot(world)).toEqual(there)
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'unchanged', files: { uploaded: 0 } })
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
  expect(await world.restore(restored)).toMatchObject({ outcome: 'success', problems: 0, firstProblems: [] })
  expect(describeOddTree(join(restored, 'tree'))).toEqual(there)
  expect(there.filter((line) => line.startsWith('/names/')).length).toBeGreaterThanOrEqual(oddEntryNames.length)
}, 300_000)

test('3000 folders inside each other with one file at the bottom complete in a loop', async () => {
  mkdirSync(tree)
  chain(tree, Array.from({ length: 3000 }, () => 'd'), false)
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'success', problems: 0, files: { found: 1, uploaded: 1 } })
  expect(await describeSnapshot(world)).toEqual(describeOddTree(tree))
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'unchanged' })
  expect(await world.restore(restored)).toMatchObject({ outcome: 'success', problems: 0 })
  expect(describeOddTree(join(restored, 'tree'))).toEqual(describeOddTree(tree))
}, 120_000)
