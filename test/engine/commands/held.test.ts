import { afterEach, beforeEach, expect, test } from 'vitest'
import { acknowledge, listUnusual } from '../../../engine/commands/acknowledge.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import type { ForgetJob, PruneJob } from '../../../engine/protocol/job.ts'
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

test('after an unusual backup neither a policy nor a name lets go of what is older, and nothing is pruned, until it is acknowledged', async () => {
  expect(await forget({ policy: { last: 1 } })).toMatchObject({
    outcome: 'warnings', problems: 1, details: { forgotten: ['other@1'], held: [expect.stringMatching(/^photos on desk since photos@3: As many as 147 of 147 files /)] },
  })
  expect(await there()).toEqual([['photos@1', false], ['photos@2', false], ['photos@3', true], ['other@2', false]])
  await expect(forget({ snapshots: ['photos@1'] })).rejects.toMatchObject({ code: 'arguments', data: { held: 'photos@1' } })
  const held = await prune()
  expect(held).toMatchObject({ outcome: 'warnings', problems: 1, details: { held: [expect.stringContaining('photos on desk') as string] } })
  expect(held.details).not.toHaveProperty('result')
  expect((await prune({ despiteUnusual: true })).details).toHaveProperty('result')

  expect((await listUnusual(world.common, world.context())).map(({ id, host }) => [id, host])).toEqual([['photos@3', 'desk']])
  expect(await acknowledge(world.common, { job: 'photos', host: 'laptop' }, world.context())).toEqual([])
  expect((await acknowledge(world.common, { job: 'photos', host: 'desk' }, world.context())).map(({ id }) => id)).toEqual(['photos@3'])
  expect(await acknowledge(world.common, { job: 'photos', host: 'desk' }, world.context())).toEqual([])

  expect(await forget({ policy: { last: 1 } })).toMatchObject({ outcome: 'success', problems: 0, details: { forgotten: ['photos@1', 'photos@2'] } })
  expect(await there()).toEqual([['photos@3', false], ['other@2', false]])
  expect((await prune()).details).toHaveProperty('result')
})
