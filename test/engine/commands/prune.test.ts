import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import type { ForgetDetails } from '../../../engine/commands/forget.ts'
import type { PruneDetails } from '../../../engine/commands/prune.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../bench/random.ts'
import { World } from '../../fixtures/world.ts'

const dayMs = 24 * 3_600_000

/** Runs a job on a clock that is `days` ahead: what is there now is old then. */
function runLater(world: World, job: EngineJob, days: number): Promise<RunSummary> {
  return runJob(job, { ...world.context(), clock: { ...systemClock, now: () => Date.now() + days * dayMs } })
}

function packFiles(world: World): string[] {
  return readdirSync(join(world.repository, 'packs'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(world.repository, 'packs', name)).filter((path) => statSync(path).isFile())
}

function pruneDetails(summary: RunSummary): PruneDetails {
  return summary.details as PruneDetails
}

test('what is forgotten goes with the next prune, what is needed stays and restores', { timeout: 60_000 }, async () => {
  using world = new World()
  const random = new SeededRandom(3)
  const kept = random.bytes(700_000)
  writeFileSync(join(world.source, 'kept'), kept)
  writeFileSync(join(world.source, 'gone'), random.bytes(900_000))
  await world.backup()
  rmSync(join(world.source, 'gone'))
  await world.backup()
  const forgetJob = { ...world.common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: true } as const
  expect((await world.run(forgetJob)).details).toMatchObject({ forgotten: ['photos@1'], kept: ['photos@2'], damaged: 0, ofOtherHosts: 0 } satisfies ForgetDetails)
  expect((await world.run({ ...forgetJob, dryRun: false })).outcome).toBe('success')
  expect((await world.run({ ...forgetJob, dryRun: false })).outcome).toBe('unchanged')

  const before = packFiles(world)
  const pruneJob = { ...world.common, type: 'prune', dryRun: true } as const
  const plan = pruneDetails(await runLater(world, pruneJob, 2)).plan
  expect(plan.retire.length).toBeGreaterThan(0)
  expect(plan.reclaimedBytes).toBeGreaterThan(800_000)
  expect(packFiles(world)).toEqual(before)
  expect(pruneDetails(await world.run({ ...pruneJob, dryRun: false })).plan.retire).toEqual([])

  const { result } = pruneDetails(await runLater(world, { ...pruneJob, dryRun: false }, 2))
  expect(result).toMatchObject({ outcome: 'complete', waitingFor: [] })
  const bytes = packFiles(world).reduce((sum, path) => sum + statSync(path).size, 0)
  expect(bytes).toBeLessThan(800_000)
  expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
  const target = join(world.folder, 'target')
  mkdirSync(target)
  await world.restore(target)
  const restored = readdirSync(target, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('kept'))
  expect(readFileSync(join(target, restored ?? '')).equals(kept)).toBe(true)
  expect((await runLater(world, { ...pruneJob, dryRun: false }, 2)).outcome).toBe('unchanged')
  writeFileSync(join(world.source, 'more'), random.bytes(1000))
  await world.backup()
  expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
})

test('a snapshot that does not exist cannot be forgotten', async () => {
  using world = new World()
  writeFileSync(join(world.source, 'file'), 'x')
  await world.backup()
  const job = { ...world.common, type: 'forget', dryRun: false } as const
  await expect(world.run({ ...job, snapshots: ['photos@9'] })).rejects.toMatchObject({ code: 'not-found' })
  await expect(world.run({ ...job, snapshots: ['nonsense'] })).rejects.toMatchObject({ code: 'arguments' })
  await expect(world.run({ ...job, snapshots: [] })).rejects.toMatchObject({ code: 'arguments' })
})

test('a prune reads the folders of a deep tree about once, not once for each level', async () => {
  using world = new World()
  let folder = world.source
  for (let level = 0; level < 30; level++) {
    folder = join(folder, `level-${level}`)
    mkdirSync(folder)
    for (let file = 0; file < 40; file++) writeFileSync(join(folder, `file-${file}`), '')
  }
  await world.backup()
  const storedBytes = packFiles(world).reduce((sum, path) => sum + statSync(path).size, 0)
  const { downloadedBytes } = await world.run({ ...world.common, type: 'prune', dryRun: true })
  expect(downloadedBytes).toBeGreaterThan(storedBytes / 2)
  expect(downloadedBytes).toBeLessThan(3 * storedBytes)
})
