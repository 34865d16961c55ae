import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ForgetDetails } from '../../../../engine/commands/forget.ts'
import { World } from '../../../fixtures/world.ts'
import { treeState } from '../tree-state.ts'
import { copiedOf, detailsOf, MomentGate, Pair } from './pair.ts'

test('a prune at the source that moves what is being read, and a snapshot that is forgotten meanwhile', async () => {
  using pair = await Pair.make()
  const first = await pair.backup({ gone: randomBytes(900_000), stays: randomBytes(900_000) })
  rmSync(join(pair.source.source, 'gone'))
  const second = await pair.backup({ small: 'x' })
  const gate = new MomentGate(1, async () => {
    await pair.forget(pair.source, first)
    await pair.prune(pair.source)
  })
  const summary = await pair.sync({}, { gate })
  expect(gate.asked).toBeGreaterThan(1)
  expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
  expect(detailsOf(summary).done).toMatchObject([{ copied: [{ source: second }], forgotten: [first], failed: [] }])
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test.each([1, 2, 3, 4, 6])('a prune at the destination that ends the session and takes what was stored, at step %i', async (at) => {
  using pair = await Pair.make()
  await pair.backup({ 'a/one': randomBytes(300_000), 'b/two': randomBytes(300_000), three: 'x' })
  using other = new World(pair.destination.repository)
  other.password = pair.destination.password
  const gate = new MomentGate(at, () => pair.prune(other))
  expect(await pair.sync({}, { gate })).toMatchObject({ outcome: 'success', problems: 0 })
  expect(gate.asked).toBeGreaterThanOrEqual(at)
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
  expect(await pair.prune(pair.destination)).toMatchObject({ problems: 0 })
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test('a prune of the destination between two syncs: what it moved or took is looked up again', async () => {
  using pair = await Pair.make()
  const first = await pair.backup({ 'a/one': randomBytes(300_000), 'b/two': randomBytes(300_000) })
  await pair.sync()
  rmSync(join(pair.source.source, 'a'), { recursive: true })
  await pair.backup({ 'b/more': 'x' })
  await pair.sync()
  await pair.forget(pair.source, first)
  await pair.sync({ removeVanished: true })
  await pair.prune(pair.destination)
  const third = await pair.backup({ 'b/more': 'y' })
  const summary = await pair.sync()
  expect(copiedOf(summary)).toEqual({ 'desk/photos': [third] })
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test('two machines that sync to one destination at the same time store each snapshot once', async () => {
  using pair = await Pair.make()
  const ids = [await pair.backup({ a: randomBytes(50_000) }), await pair.backup({ b: randomBytes(50_000) })]
  using other = new World(pair.destination.repository)
  other.password = pair.destination.password
  const twin = new Pair(pair.source, other)
  // The second sync is over before the first has gone on from its first step: that one has a session, and finds its snapshot there.
  const gate = new MomentGate(1, () => twin.sync())
  const summary = await pair.sync({}, { gate })
  expect(detailsOf(summary).done).toMatchObject([{ copied: [], held: ids }])
  expect(detailsOf(await pair.sync())).toMatchObject({ plan: [{ copy: [], skipped: { held: 2 } }] })
  await pair.prune(pair.destination)
  expect(await pair.destination.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test('a second sync from the same source on this machine waits for nobody: it is told that one runs', async () => {
  using pair = await Pair.make()
  await pair.backup({ a: '1' })
  const refused: unknown[] = []
  const gate = new MomentGate(1, async () => { await pair.sync().catch((error: unknown) => { refused.push(error) }) })
  await pair.sync({}, { gate })
  expect(refused).toMatchObject([{ code: 'busy' }])
})

test('the destination’s own backups of the same job and machine stay by themselves', async () => {
  using pair = await Pair.make()
  await pair.backup({ a: '1' })
  await pair.destination.backup({ host: 'desk' })
  await pair.sync()
  await pair.backup({ a: '2' })
  expect(await pair.destination.backup({ host: 'desk' })).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
  await pair.sync()
  const forgotten = await pair.destination.run({ ...pair.destination.common, type: 'forget', snapshots: [], name: 'photos', host: 'desk', policy: { last: 1 }, dryRun: true })
  const plain = ({ forgotten: gone, kept }: ForgetDetails): string[][] => [gone, kept].map((ids) => ids.map((id) => id.replace(/~.*@/, '~@')).toSorted())
  expect(plain(forgotten.details as ForgetDetails)).toEqual([['photos~@1'], ['photos@1', 'photos~@2']])
})
