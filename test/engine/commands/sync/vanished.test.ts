import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listSnapshots, snapshotId } from '../../../../engine/repository/protocol/snapshots.ts'
import type { World } from '../../../fixtures/world.ts'
import { copiedOf, detailsOf, Pair } from './pair.ts'

const modes = [{ arbiter: 'cas' }, { arbiter: 'flags' }] as const

async function idsAt(pair: Pair, world: World): Promise<string[]> {
  const repository = await pair.open(world)
  const ids: string[] = []
  for await (const entry of listSnapshots(repository, {}, new AbortController().signal)) if (entry.type === 'snapshot') ids.push(snapshotId(entry.manifest, entry.ref))
  return ids
}

describe.each(modes)('in mode $arbiter', ({ arbiter }) => {
  test('what was forgotten at the source is forgotten at the destination only when that is asked for, and never comes again', async () => {
    using pair = await Pair.make({ source: arbiter, destination: arbiter })
    const [first, second] = [await pair.backup({ a: '1' }), await pair.backup({ a: '2' })]
    await pair.sync()
    const [one, two] = await idsAt(pair, pair.destination)
    await pair.forget(pair.source, first)
    expect(await pair.sync()).toMatchObject({ outcome: 'unchanged' })
    expect(detailsOf(await pair.sync({ removeVanished: true, dryRun: true }))).toMatchObject({ plan: [{ copy: [], remove: [one] }], done: [] })
    const summary = await pair.sync({ removeVanished: true })
    expect(detailsOf(summary).done).toMatchObject([{ group: 'desk/photos', copied: [], removed: [one] }])
    expect(await idsAt(pair, pair.destination)).toEqual([two])
    expect(await pair.sync({ removeVanished: true })).toMatchObject({ outcome: 'unchanged' })
    await pair.forget(pair.source, second)
    await pair.sync({ removeVanished: true, groups: ['other/*'] })
    expect(await idsAt(pair, pair.destination)).toEqual([two])
    const kept = await pair.sync({ removeVanished: true, groups: ['desk/*'] })
    expect(kept).toMatchObject({ outcome: 'warnings', problems: 1, details: { plan: [{ remove: [], stays: [{ id: two, because: 'gone' }] }] } })
    expect(await idsAt(pair, pair.destination)).toEqual([two])
    expect(await pair.sync({ removeVanished: true, groups: ['desk/photos'] })).toMatchObject({ outcome: 'success', details: { done: [{ removed: [two] }] } })
    expect(await idsAt(pair, pair.destination)).toEqual([])
  })

  test('what was forgotten at the destination is not brought again', async () => {
    using pair = await Pair.make({ source: arbiter, destination: arbiter })
    await pair.backup({ a: '1' })
    await pair.sync()
    await pair.forget(pair.destination, ...await idsAt(pair, pair.destination))
    expect(detailsOf(await pair.sync())).toMatchObject({ plan: [{ copy: [], skipped: { forgotten: 1 } }] })
    const third = await pair.backup({ a: '3' })
    expect(copiedOf(await pair.sync())).toEqual({ 'desk/photos': [third] })
  })
})

/** The storage of the source no longer shows the revision: a late listing, or an older copy of it. */
function withhold(world: World, revision: number): void {
  const folder = join(world.repository, 'snapshots')
  for (const jobKey of readdirSync(folder)) rmSync(join(folder, jobKey, '0', String(revision)), { force: true })
}

test('a snapshot that the source does not list and does not call forgotten stays, and that is told', async () => {
  using pair = await Pair.make()
  await pair.backup({ a: '1' })
  await pair.backup({ a: '2' })
  await pair.sync()
  // The newest is what a machine remembers, so this one is missed by nobody.
  withhold(pair.source, 1)
  const ids = await idsAt(pair, pair.destination)
  expect(await pair.sync({ removeVanished: true })).toMatchObject({ outcome: 'unchanged' })
  expect(await idsAt(pair, pair.destination)).toEqual(ids)
  expect(pair.destination.lines.map(({ message }) => message).join('\n')).toContain(`${ids[0] ?? ''} stays`)
})

test('a source that is older than this machine knows is refused, and removes nothing even where that is accepted', async () => {
  using pair = await Pair.make()
  await pair.backup({ a: '1' })
  await pair.backup({ a: '2' })
  await pair.sync()
  withhold(pair.source, 2)
  const ids = await idsAt(pair, pair.destination)
  await expect(pair.sync({ removeVanished: true })).rejects.toMatchObject({ code: 'rolled-back', data: { side: 'source' } })
  await expect(pair.sync({ removeVanished: true, acceptOlderSource: true })).rejects.toMatchObject({ code: 'arguments' })
  expect(await pair.sync({ acceptOlderSource: true })).toMatchObject({ outcome: 'unchanged' })
  expect(await idsAt(pair, pair.destination)).toEqual(ids)
})

test('what came from a third repository stays with it: it goes on with its origin, and is never taken back to where it was made', async () => {
  using near = await Pair.make()
  using far = await Pair.make()
  const id = await near.backup({ a: '1' })
  await near.sync()
  // From near's destination on to far's, and back to near's source.
  const onward = new Pair(near.destination, far.destination)
  const back = new Pair(near.destination, near.source)
  const [, synced] = [id, (await idsAt(near, near.destination))[0] ?? '']
  expect(copiedOf(await onward.sync())).toEqual({ 'desk/photos': [synced] })
  expect(detailsOf(await back.sync())).toMatchObject({ plan: [{ copy: [], skipped: { own: 1 } }] })
  expect(await idsAt(far, far.destination)).toEqual([synced])
  // Straight from where it was made it is there already.
  expect(await new Pair(near.source, far.destination).sync()).toMatchObject({ outcome: 'unchanged' })
})
