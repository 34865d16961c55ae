import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acknowledge } from '../../../../engine/commands/acknowledge.ts'
import { annotateSnapshot } from '../../../../engine/repository/protocol/annotations.ts'
import { systemRandom } from '../../../../engine/repository/crypto.ts'
import { listSnapshots, snapshotId } from '../../../../engine/repository/protocol/snapshots.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import type { World } from '../../../fixtures/world.ts'
import { Household } from '../../../fixtures/household.ts'
import { detailsOf, MomentGate, Pair } from './pair.ts'

const never = new AbortController().signal

let pair: Pair

beforeEach(async () => { pair = await Pair.make() })
afterEach(() => { pair[Symbol.dispose]() })

async function idsAt(world: World): Promise<string[]> {
  const ids: string[] = []
  for await (const entry of listSnapshots(await pair.open(world), {}, never)) if (entry.type === 'snapshot') ids.push(snapshotId(entry.manifest, entry.ref))
  return ids.sort()
}

async function pin(world: World, id: string, pinned = true): Promise<void> {
  const repository = await pair.open(world)
  for await (const entry of listSnapshots(repository, {}, never)) {
    if (entry.type === 'snapshot' && snapshotId(entry.manifest, entry.ref) === id) await annotateSnapshot(repository, entry.ref, { pinned }, systemRandom, never)
  }
}

/** Asks first what would be done, and sees that the same is done. */
async function removeVanished(options: Parameters<Pair['sync']>[0] = {}): Promise<RunSummary> {
  const before = await idsAt(pair.destination)
  const dry = await pair.sync({ ...options, removeVanished: true, dryRun: true })
  expect(await idsAt(pair.destination)).toEqual(before)
  const summary = await pair.sync({ ...options, removeVanished: true })
  expect([dry.outcome, dry.problems, detailsOf(dry).plan, detailsOf(dry).held]).toEqual([summary.outcome, summary.problems, detailsOf(summary).plan, detailsOf(summary).held])
  return summary
}

test('what is pinned at the destination stays, also where that is said while the sync is at work; unpinned it goes', async () => {
  const [first, second] = [await pair.backup({ a: '1' }), await pair.backup({ a: '2' })]
  await pair.backup({ a: '3' })
  await pair.sync()
  const [one = '', two = '', three = ''] = await idsAt(pair.destination)
  await pin(pair.destination, one)
  await pair.forget(pair.source, first, second)
  // It pins as soon as the sync asks whether it is paused: all that is planned is the removal.
  const meanwhile = await pair.sync({ removeVanished: true }, { gate: new MomentGate(1, () => pin(pair.destination, two)) })
  expect(meanwhile).toMatchObject({ details: { plan: [{ remove: [two], stays: [{ id: one, because: 'pinned' }] }], done: [{ removed: [], stayed: [{ id: two, because: 'pinned' }] }] } })
  expect(await pair.sync({ removeVanished: true })).toMatchObject({ outcome: 'unchanged', problems: 0, details: { plan: [{ remove: [], stays: [{ because: 'pinned' }, { because: 'pinned' }] }] } })
  expect(await idsAt(pair.destination)).toEqual([one, two, three])
  await pin(pair.destination, one, false)
  expect(await pair.sync({ removeVanished: true })).toMatchObject({ outcome: 'success', details: { done: [{ removed: [one], stayed: [] }] } })
  expect(await idsAt(pair.destination)).toEqual([two, three])
})

describe('a group with an unusual backup', () => {
  let one = ''

  beforeEach(async () => {
    const home = new Household(pair.source.source, 0.1)
    const first = await pair.backup({})
    await pair.backup({ more: '1' })
    await pair.sync()
    one = (await idsAt(pair.destination))[0] ?? ''
    home.encrypt(home.files())
    await pair.backup({})
    await pair.backup({ other: '1' }, { name: 'other' })
    await pair.sync({ groups: ['desk/other'] })
    // By name they go whatever is held; whoever has the machine can do so.
    await pair.forget(pair.source, first)
  })

  const byHold = (because: string): object => ({ outcome: 'warnings', problems: 1, details: { plan: [{ group: 'desk/other' }, { group: 'desk/photos', remove: [], stays: [{ id: one, because }] }] } })

  test('that is held at the source keeps what vanished there, while the rest goes on', async () => {
    const before = await idsAt(pair.destination)
    const summary = await removeVanished()
    expect(summary).toMatchObject(byHold('held-at-source'))
    expect(detailsOf(summary)).toMatchObject({ held: [{ at: 'source', job: 'photos', host: 'desk', since: 'photos@3' }], done: [{ group: 'desk/photos', copied: [{ source: 'photos@3' }] }] })
    expect((await idsAt(pair.destination)).length).toBe(before.length + 1)
    expect(await pair.sync({ removeVanished: true, groups: ['desk/other'] })).toMatchObject({ outcome: 'unchanged' })
  })

  test('is held at the destination for itself: it goes only where it is acknowledged on both sides, and is named or not', async () => {
    await pair.sync()
    await acknowledge(pair.source.common, { job: 'photos', host: 'desk' }, pair.source.context())
    const summary = await removeVanished()
    expect(summary).toMatchObject(byHold('held'))
    expect(detailsOf(summary)).toMatchObject({ held: [{ at: 'destination', job: 'photos', host: 'desk', since: expect.stringMatching(/^photos~.*@3$/) as string }] })
    expect(await pair.sync({ removeVanished: true, groups: ['desk/photos'] })).toMatchObject({ outcome: 'warnings' })
    await acknowledge(pair.destination.common, { job: 'photos', host: 'desk' }, pair.destination.context())
    const after = await pair.sync({ removeVanished: true })
    expect(after).toMatchObject({ outcome: 'success', problems: 0, details: { done: [{ removed: [one] }] } })
    expect(detailsOf(after)).not.toHaveProperty('held')
  })

  test('goes a sync after it was acknowledged at the source, where both sides are one person\'s', async () => {
    await pair.sync()
    await acknowledge(pair.source.common, { job: 'photos', host: 'desk' }, pair.source.context())
    await pair.sync({ removeVanished: true, carryFine: true })
    expect(await pair.sync({ removeVanished: true, carryFine: true })).toMatchObject({ outcome: 'success', problems: 0, details: { done: [{ removed: [one] }] } })
  })
})

test('where a snapshot of a group cannot be copied nothing of the group is forgotten', async () => {
  const first = await pair.backup({ a: '1' })
  await pair.backup({ a: '2' })
  await pair.sync()
  await pair.backup({ 'folder/b': 'another' })
  await pair.forget(pair.source, first)
  rmSync(join(pair.source.repository, 'packs'), { recursive: true })
  const [one] = await idsAt(pair.destination)
  const summary = await pair.sync({ removeVanished: true })
  expect(summary).toMatchObject({ outcome: 'warnings', details: { done: [{ failed: ['photos@3'], removed: [], stayed: [{ id: one, because: 'not-copied' }] }] } })
})
