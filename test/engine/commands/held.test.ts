import { afterEach, beforeEach, expect, test } from 'vitest'
import { acknowledge, listUnusual } from '../../../engine/commands/acknowledge.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { parseCareDetails, type CareDetails } from '../../../engine/protocol/care.ts'
import type { CareJob, ForgetJob, PruneJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { Household } from '../../fixtures/household.ts'
import type { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

let world: World

beforeEach(async () => {
  world = await quickWorld()
  const home = new Household(world.source, 0.2)
  await world.backup({ host: 'desk' })
  home.write('letters/more.txt', home.text(2000))
  await world.backup({ host: 'desk' })
  home.encrypt(home.files())
  await world.backup({ host: 'desk' })
  await world.backup({ host: 'laptop', name: 'other' })
  home.write('letters/most.txt', home.text(2000))
  await world.backup({ host: 'laptop', name: 'other' })
})
afterEach(() => { world[Symbol.dispose]() })

const forget = (more: Partial<ForgetJob>): Promise<RunSummary> => world.run({ ...world.common, type: 'forget', snapshots: [], dryRun: false, allHosts: true, ...more })
const prune = (more: Partial<PruneJob> = {}): Promise<RunSummary> => world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0, ...more })

async function there(): Promise<[string, boolean][]> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  return (await browser.snapshots()).map(({ id, unusual }) => [id, unusual !== undefined])
}

test('after an unusual backup no policy lets go of what is as old, and nothing is pruned, until it is acknowledged', async () => {
  expect(await forget({ policy: { last: 1 } })).toMatchObject({
    outcome: 'warnings', problems: 1, details: { forgotten: ['other@1'], held: [{ job: 'photos', host: 'desk', since: 'photos@3', words: expect.stringMatching(/^As many as 147 of 147 files /) as string }] },
  })
  expect(await there()).toEqual([['photos@1', false], ['photos@2', false], ['photos@3', true], ['other@2', false]])
  const held = await prune()
  expect(held).toMatchObject({ outcome: 'warnings', problems: 1, details: { held: [{ job: 'photos', since: 'photos@3' }] } })
  expect(held.details).not.toHaveProperty('result')
  expect((await prune({ dryRun: true })).details).toMatchObject({ plan: {}, held: [{ since: 'photos@3' }] })

  expect((await listUnusual(world.common, world.context())).map(({ id, host }) => [id, host])).toEqual([['photos@3', 'desk']])
  expect(await acknowledge(world.common, { job: 'photos', host: 'laptop' }, world.context())).toEqual([])
  expect((await acknowledge(world.common, { job: 'photos', host: 'desk' }, world.context())).map(({ id }) => id)).toEqual(['photos@3'])
  expect(await acknowledge(world.common, { job: 'photos', host: 'desk' }, world.context())).toEqual([])

  expect(await forget({ policy: { last: 1 } })).toMatchObject({ outcome: 'success', problems: 0, details: { forgotten: ['photos@1', 'photos@2'] } })
  expect(await there()).toEqual([['photos@3', false], ['other@2', false]])
  expect((await prune()).details).toHaveProperty('result')
})

test('what is named goes, and it is said that it was held; a policy that is told so lets everything go', async () => {
  world.lines.length = 0
  expect(await forget({ snapshots: ['photos@1', 'other@1'] })).toMatchObject({ outcome: 'success', problems: 0, details: { forgotten: ['photos@1', 'other@1'] } })
  expect(world.lines.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual([expect.stringMatching(/^photos@1 is held .* since it is named\.$/)])
  const details = (await forget({ policy: { last: 1 }, despiteUnusual: true })).details
  expect(details).toMatchObject({ forgotten: ['photos@2'] })
  expect(details).not.toHaveProperty('held')
  expect((await prune({ despiteUnusual: true })).details).toHaveProperty('result')
})

test('a size budget leaves what is held', async () => {
  const { details } = await forget({ policy: { budgetBytes: 1 } })
  expect(details).toMatchObject({ forgotten: ['other@1'], held: [{ job: 'photos' }] })
})

const policy = { last: 1 }

async function care(more: Partial<CareJob> = {}): Promise<CareDetails & { readonly summary: RunSummary }> {
  const summary = await world.run({ ...world.common, type: 'care', retention: [{ policy, allHosts: true }], minimumAgeMs: 0, ...more })
  const details = parseCareDetails(summary.details)
  if (!details) throw new Error('no details of care')
  return { ...details, summary }
}

test('care holds back what is held, tells so, and goes on with everything else; once it is acknowledged it forgets and prunes', async () => {
  const first = await care()
  expect(first).toMatchObject({ forgotten: ['other@1'], prune: 'held', held: [{ job: 'photos', host: 'desk', since: 'photos@3' }], structure: 'done', snapshots: 4, damageCount: 0, unreadPacks: 0 })
  expect(first.verifiedPacks).toBeGreaterThan(0)
  expect(first.summary).toMatchObject({ outcome: 'success', problems: 0 })
  const second = await care()
  expect(second).toMatchObject({ forgotten: [], prune: 'held', structure: 'not due', held: [{ job: 'photos' }] })
  expect(second.summary.outcome).toBe('unchanged')
  await acknowledge(world.common, { job: 'photos', host: 'desk' }, world.context())
  const third = await care()
  expect(third).toMatchObject({ forgotten: ['photos@1', 'photos@2'], prune: 'done' })
  expect(third).not.toHaveProperty('held')
})

test('care that is told so forgets and prunes all the same', async () => {
  expect(await care({ despiteUnusual: true })).toMatchObject({ forgotten: ['photos@1', 'photos@2', 'other@1'], prune: 'done' })
})

test('a repository in which only another machine\'s backup is unusual lets this one\'s go, and prunes nothing', async () => {
  const details = await care({ retention: [{ policy }], host: 'laptop' })
  expect(details).toMatchObject({ forgotten: ['other@1'], prune: 'held', held: [{ job: 'photos', host: 'desk' }] })
})
