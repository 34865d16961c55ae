import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PauseGate } from '../../../engine/base/pause.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import type { CheckDetails } from '../../../engine/commands/check.ts'
import type { ForgetDetails } from '../../../engine/commands/forget.ts'
import type { PruneDetails } from '../../../engine/commands/prune.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { BrowseAnswer } from '../../../engine/protocol/messages.ts'
import { planRetention } from '../../../engine/snapshot/retention.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { World } from '../../fixtures/world.ts'
import { callCli } from '../cli/in-process.ts'
import { testFolder } from '../small-repository.ts'
import { backUp } from './run-support.ts'

async function worldWithSnapshots(count: number): Promise<World> {
  const world = new World()
  await initCheaply(world.repository, world.password)
  for (let index = 0; index < count; index++) {
    writeFileSync(join(world.source, 'file'), `version ${index}`)
    await world.backup()
  }
  return world
}

async function annotate(world: World, snapshot: string, change: { pinned?: boolean, name?: string, note?: string }): Promise<BrowseAnswer> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  return await browser.answer({ type: 'annotate', snapshot, change })
}

function notes(world: World): string[] {
  return readdirSync(join(world.repository, 'notes'), { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name) && name.includes('/') && name.split('/').length === 3)
}

test('a pinned snapshot outlives every policy, and shows what is said about it', async () => {
  using world = await worldWithSnapshots(4)
  expect(await annotate(world, 'photos@2', { pinned: true, name: 'before the move', note: 'a\nb' })).toEqual({ type: 'annotated', snapshot: 'photos@2', annotation: { pinned: true, name: 'before the move', note: 'a\nb' } })
  expect(await annotate(world, 'photos@9', { pinned: true })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
  expect(await annotate(world, 'photos@2', {})).toMatchObject({ type: 'error', error: { code: 'arguments' } })
  const forget = { ...world.common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false } as const
  const details = (await world.run(forget)).details as ForgetDetails
  expect(details).toMatchObject({ forgotten: ['photos@1', 'photos@3'], kept: ['photos@2', 'photos@4'], damaged: 0, ofOtherHosts: 0, pinned: ['photos@2'] } satisfies ForgetDetails)
  expect(details.groups?.[0]?.kept).toMatchObject([{ id: 'photos@4' }, { id: 'photos@2', reasons: ['pinned'] }])
  {
    await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
    const views = await browser.snapshots()
    expect(views.map(({ id, annotation }) => [id, annotation])).toEqual([['photos@2', { pinned: true, name: 'before the move', note: 'a\nb' }], ['photos@4', undefined]])
  }
  const byName = { ...world.common, type: 'forget', snapshots: ['photos@2'], dryRun: false } as const
  await expect(world.run(byName)).rejects.toMatchObject({ code: 'arguments', data: { pinned: 'photos@2' } })
  expect((await world.run({ ...byName, pinned: true })).details).toMatchObject({ forgotten: ['photos@2'] })
  expect(notes(world)).toHaveLength(1)
  expect((await world.run({ ...world.common, type: 'prune', dryRun: false })).details).toMatchObject({ annotations: 1 } satisfies Partial<PruneDetails>)
  expect(notes(world)).toEqual([])
  expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
}, 30_000)

test('a pin that comes while a forget is on its way keeps its snapshot', async () => {
  using world = await worldWithSnapshots(3)
  // The forget tells that it forgot photos@1 before it comes to photos@2.
  let pinning: Promise<BrowseAnswer> | undefined
  class Gate extends PauseGate {
    override async pass(): Promise<void> {
      if (world.lines.some(({ message }) => message.includes('forgot photos@1'))) await (pinning ??= annotate(world, 'photos@2', { pinned: true }))
    }
  }
  const summary = await runJob({ ...world.common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false }, { ...world.context(), pauseGate: new Gate() })
  expect(await pinning).toMatchObject({ type: 'annotated' })
  expect(summary.details).toMatchObject({ forgotten: ['photos@1'], kept: ['photos@2', 'photos@3'] })
}, 30_000)

test('a damaged note pins, is told by a check, and goes with a repair; a stranger’s stops a policy', async () => {
  using world = await worldWithSnapshots(2)
  await annotate(world, 'photos@1', { name: 'x' })
  const [note = ''] = notes(world)
  writeFileSync(join(world.repository, 'notes', note), 'broken')
  const forget = { ...world.common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false } as const
  expect((await world.run(forget)).details).toMatchObject({ forgotten: [], pinned: ['photos@1'] })
  const check = await world.check()
  expect([check.outcome, (check.details as CheckDetails).damages]).toEqual(['warnings', [expect.objectContaining({ object: `notes/${note}`, problem: 'damaged' })]])
  expect((await world.check({ repair: true })).details).toMatchObject({ repair: { removedAnnotations: 1 } })
  expect((await world.check()).outcome).toBe('success')
  writeFileSync(join(world.repository, 'notes', 'desktop.ini'), '')
  await expect(world.run(forget)).rejects.toMatchObject({ code: 'version', data: { object: 'notes/desktop.ini' } })
  expect((await world.run({ ...forget, policy: {}, snapshots: ['photos@1'] }).catch((error: unknown) => error))).toMatchObject({ code: 'version' })
}, 30_000)

test('a policy keeps pinned ones beside those that it keeps', () => {
  const at = (revision: number, pinned?: boolean) => ({ id: `j@${revision}`, job: 'j', host: 'h', revision, finishedMs: revision * 1000, timeZone: 'UTC', ...(pinned === undefined ? {} : { pinned }) })
  expect(planRetention([at(1, true), at(2), at(3, false), at(4, true), at(5)], { last: 2 }, 10_000).flatMap(({ forgotten }) => forgotten).map(({ id }) => id)).toEqual(['j@3', 'j@2'])
})

test('the command line says and shows it', async () => {
  await using folder = await testFolder()
  writeFileSync(join(folder.path, 'file'), 'x')
  await backUp(folder, join(folder.path, 'file'))
  expect(await callCli(['annotate', 'latest:job'], { folder })).toMatchObject({ code: 200, stderr: expect.stringContaining('Nothing to change') as unknown })
  expect(await callCli(['annotate', 'latest:job', '--pin', '--unpin'], { folder })).toMatchObject({ code: 200, stderr: expect.stringContaining('not both') as unknown })
  expect(await callCli(['annotate', 'job@1', '--pin', '--name', 'Moving day', '--note', 'All\nof it'], { folder })).toMatchObject({ code: 0, stdout: expect.stringContaining('job@1: pinned “Moving day” All…') as unknown })
  expect((await callCli(['snapshots'], { folder })).stdout).toContain('pinned “Moving day” All…')
  expect((await callCli(['forget', 'job@1'], { folder }))).toMatchObject({ code: 200, stderr: expect.stringContaining('--pinned') as unknown })
  expect((await callCli(['annotate', 'job@1', '--unpin', '--name', '', '--note', '', '--json'], { folder })).events.at(-1)).toMatchObject({ operation: 'annotate', snapshot: 'job@1', annotation: { pinned: false, name: '', note: '' } })
  expect((await callCli(['forget', 'job@1'], { folder })).code).toBe(0)
}, 30_000)
