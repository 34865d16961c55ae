import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openBrowser } from '../../../../engine/commands/browse.ts'
import type { AnnotationChange, Annotation } from '../../../../engine/snapshot/annotation.ts'
import type { World } from '../../../fixtures/world.ts'
import { detailsOf, Pair } from './pair.ts'

const modes = [{ arbiter: 'cas' }, { arbiter: 'flags' }] as const

async function say(world: World, snapshot: string, change: AnnotationChange): Promise<void> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  expect(await browser.answer({ type: 'annotate', snapshot, change })).toMatchObject({ type: 'annotated' })
}

/** By id, oldest first. */
async function saidAt(world: World): Promise<(readonly [string, Annotation | undefined])[]> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  return (await browser.snapshots()).map(({ id, annotation }) => [id, annotation] as const).sort(([a], [b]) => (a < b ? -1 : 1))
}

function objectsOf(world: World): string[] {
  const folder = join(world.repository, 'notes')
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name) && name.split('/').length === 3) : []
}

describe.each(modes)('in mode $arbiter', ({ arbiter }) => {
  test('names, notes and pins come along with a copy, and later ones with the next sync', async () => {
    using pair = await Pair.make({ source: arbiter, destination: arbiter })
    const [first, second] = [await pair.backup({ a: '1' }), await pair.backup({ a: '2' })]
    await say(pair.source, first, { name: 'before the trip', note: 'one\ntwo' })
    await pair.sync()
    const [[copy], [other]] = await saidAt(pair.destination) as [[string, unknown], [string, unknown]]
    expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'before the trip', note: 'one\ntwo' }], [other, undefined]])
    expect(await pair.sync()).toMatchObject({ outcome: 'unchanged' })

    await say(pair.source, second, { pinned: true })
    await say(pair.source, first, { name: 'after the trip' })
    const planned = await pair.sync({ dryRun: true })
    expect(detailsOf(planned)).toMatchObject({ plan: [{ copy: [], annotate: [copy, other] }], done: [] })
    expect((await saidAt(pair.destination))[1]).toEqual([other, undefined])
    const summary = await pair.sync()
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    expect(detailsOf(summary).done).toMatchObject([{ copied: [], annotated: [copy, other] }])
    expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'after the trip', note: 'one\ntwo' }], [other, { pinned: true, name: '', note: '' }]])
    expect(await pair.sync()).toMatchObject({ outcome: 'unchanged' })
    expect((await pair.destination.check({ readDataPercent: 100 })).outcome).toBe('success')
  })

  test('what was said later at the destination stays, and is not said anew by each sync', async () => {
    using pair = await Pair.make({ source: arbiter, destination: arbiter })
    const first = await pair.backup({ a: '1' })
    await say(pair.source, first, { name: 'theirs' })
    await pair.sync()
    const [[copy]] = await saidAt(pair.destination) as [[string, unknown]]
    await say(pair.destination, copy, { name: 'ours' })
    expect(await pair.sync()).toMatchObject({ outcome: 'unchanged' })
    expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'ours', note: '' }]])
    expect(objectsOf(pair.destination)).toHaveLength(1)
  })
})

test('whether an unusual run is fine is not carried along', async () => {
  using pair = await Pair.make()
  const first = await pair.backup({ a: '1' })
  await pair.sync()
  await say(pair.source, first, { fine: true })
  expect(await pair.sync()).toMatchObject({ outcome: 'unchanged' })
  expect(objectsOf(pair.destination)).toEqual([])
})

test('whether an unusual run is fine is carried along where both sides are one person\'s, and stays as the destination said it later', async () => {
  using pair = await Pair.make()
  const first = await pair.backup({ a: '1' })
  await say(pair.source, first, { name: 'x', fine: true })
  await pair.sync()
  const [[copy]] = await saidAt(pair.destination) as [[string, unknown]]
  expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'x', note: '' }]])
  await say(pair.source, first, { fine: true })
  expect(await pair.sync({ carryFine: true })).toMatchObject({ outcome: 'success' })
  expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'x', note: '', fine: true }]])
  expect(await pair.sync({ carryFine: true })).toMatchObject({ outcome: 'unchanged' })
  await say(pair.destination, copy, { fine: false })
  expect(await pair.sync({ carryFine: true })).toMatchObject({ outcome: 'unchanged' })
  expect(await saidAt(pair.destination)).toEqual([[copy, { pinned: false, name: 'x', note: '', fine: false }]])
})

test('a note that is damaged at the source is told, and holds up nothing', async () => {
  using pair = await Pair.make()
  const [first, second] = [await pair.backup({ a: '1' }), await pair.backup({ a: '2' })]
  await say(pair.source, first, { name: 'x' })
  const [object = ''] = objectsOf(pair.source)
  await say(pair.source, second, { name: 'y' })
  writeFileSync(join(pair.source.repository, 'notes', object), 'damaged')
  expect(await pair.sync()).toMatchObject({ outcome: 'success' })
  expect((await saidAt(pair.destination)).map(([, annotation]) => annotation?.name)).toEqual([undefined, 'y'])
})

test('only groups that are synced are spoken of', async () => {
  using pair = await Pair.make()
  const first = await pair.backup({ a: '1' })
  await pair.sync()
  await say(pair.source, first, { name: 'x' })
  expect(await pair.sync({ groups: ['other/*'] })).toMatchObject({ outcome: 'unchanged' })
  expect(objectsOf(pair.destination)).toEqual([])
  await pair.sync({ groups: ['desk/*'] })
  expect(objectsOf(pair.destination)).toHaveLength(1)
})
