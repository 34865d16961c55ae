import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../../engine/commands/browse.ts'
import { treeState } from '../tree-state.ts'
import { copiedOf, detailsOf, Pair } from './pair.ts'

test('snapshots arrive as they are, oldest first, keep job, machine and times, and a second sync has nothing to do', async () => {
  using pair = await Pair.make()
  const big = randomBytes(3_000_000)
  const first = await pair.backup({ 'letters/a.txt': 'a', 'letters/empty': '', big })
  const before = treeState(pair.source.source)
  const second = await pair.backup({ 'letters/b.txt': 'b' })
  rmSync(join(pair.source.source, 'letters/a.txt'))
  const summary = await pair.sync()
  expect(summary).toMatchObject({ operation: 'sync', outcome: 'success', problems: 0, files: { found: 7, uploaded: 7, waiting: 0 } })
  expect(copiedOf(summary)).toEqual({ 'desk/photos': [first, second] })
  const { readBytes, sentBytes } = detailsOf(summary)
  expect(readBytes).toBeGreaterThan(big.length)
  expect(sentBytes).toBeGreaterThan(big.length)
  expect(sentBytes).toBeLessThan(big.length * 1.3)

  await using browser = await openBrowser({ ...pair.destination.common, type: 'browse' }, pair.destination.context())
  const answer = await browser.answer({ type: 'snapshots' })
  if (answer.type !== 'snapshots') throw new Error(answer.type)
  await using there = await openBrowser({ ...pair.source.common, type: 'browse' }, pair.source.context())
  const own = await there.answer({ type: 'snapshots' })
  if (own.type !== 'snapshots') throw new Error(own.type)
  const comparable = (views: typeof own.snapshots): unknown => views.map(({ id: _id, ...view }) => view).toSorted((a, b) => a.revision - b.revision)
  expect(comparable(answer.snapshots)).toEqual(comparable(own.snapshots))
  const ids = answer.snapshots.map(({ id }) => id).toSorted()
  expect(ids).toEqual([expect.stringMatching(/^photos~[0-9a-f]{12}@1$/), expect.stringMatching(/^photos~[0-9a-f]{12}@2$/)])

  expect(treeState(await pair.restored(pair.destination, ids[0] ?? ''))).toEqual(before)
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(await pair.restored(pair.source, second)))
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })

  const again = await pair.sync()
  expect(again).toMatchObject({ outcome: 'unchanged' })
  expect(detailsOf(again)).toMatchObject({ sentBytes: 0, plan: [{ group: 'desk/photos', copy: [], skipped: { held: 2 } }], done: [] })
})

test('only what the destination lacks is read', async () => {
  using pair = await Pair.make()
  await pair.backup({ big: randomBytes(4_000_000), other: randomBytes(100_000) })
  await pair.sync()
  writeFileSync(join(pair.source.source, 'new'), randomBytes(200_000))
  await pair.backup({})
  const summary = await pair.sync()
  expect(detailsOf(summary).readBytes).toBeLessThan(700_000)
  expect(detailsOf(summary).sentBytes).toBeLessThan(500_000)
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
})

test('several groups at once, each under its own name; a pattern takes some, and the newest so many of each', async () => {
  using pair = await Pair.make()
  for (const [host, name] of [['desk', 'photos'], ['attic', 'photos'], ['desk', 'photos'], ['desk', 'photos']] as const) await pair.backup({ [host]: randomBytes(20) }, { host, name })
  await pair.backup({}, { host: 'desk', name: 'mail' })
  const some = await pair.sync({ groups: ['desk/*'], last: 2 })
  expect(copiedOf(some)).toEqual({ 'desk/mail': ['mail@1'], 'desk/photos': ['photos@3', 'photos@4'] })
  const rest = await pair.sync({ parallelGroups: 4 })
  expect(copiedOf(rest)).toEqual({ 'attic/photos': ['photos@2'], 'desk/photos': ['photos@1'] })
  // What came late is older all the same.
  const latest = await pair.restored(pair.destination, 'latest:desk/photos')
  expect(treeState(latest)).toEqual(treeState(await pair.restored(pair.source, 'photos@4')))
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test('a dry run says what would be done and does nothing', async () => {
  using pair = await Pair.make()
  const id = await pair.backup({ a: 'a' })
  const summary = await pair.sync({ dryRun: true })
  expect(summary).toMatchObject({ outcome: 'success', uploadedBytes: 0 })
  expect(detailsOf(summary)).toMatchObject({ plan: [{ group: 'desk/photos', copy: [id], remove: [] }], done: [] })
  expect(copiedOf(await pair.sync())).toEqual({ 'desk/photos': [id] })
})

test('the source and the destination are never the same', async () => {
  using pair = await Pair.make()
  pair.source.password = pair.destination.password
  await expect(pair.sync({ from: pair.destination.repository })).rejects.toMatchObject({ code: 'arguments' })
})
