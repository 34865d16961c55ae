import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import type { ForgetDetails } from '../../../engine/commands/forget.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { EngineJob, ForgetJob } from '../../../engine/protocol/job.ts'
import { SeededRandom } from '../../bench/random.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'
import type { World } from '../../fixtures/world.ts'

const dayMs = 24 * 3_600_000
const mega = 1_000_000

/** One file a day that comes and goes, beside one that stays. */
async function history(world: World, days: number): Promise<void> {
  const random = new SeededRandom(5)
  writeFileSync(join(world.source, 'stays'), random.bytes(mega))
  for (let day = 1; day <= days; day++) {
    writeFileSync(join(world.source, `day-${day}`), random.bytes(mega))
    rmSync(join(world.source, `day-${day - 1}`), { force: true })
    await later(world, { ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false, excludes: { patterns: [], presets: [], oneFileSystem: false } }, day)
  }
}

/** Runs a job on a clock that is so many days ahead. */
function later(world: World, job: EngineJob, days: number): ReturnType<typeof runJob> {
  return runJob(job, { ...world.context(), clock: { ...systemClock, now: () => Date.now() + days * dayMs } })
}

async function forget(world: World, days: number, job: Partial<ForgetJob>): Promise<ForgetDetails> {
  return (await later(world, { ...world.common, type: 'forget', snapshots: [], dryRun: false, ...job }, days)).details as ForgetDetails
}

function storedBytes(world: World): number {
  return readdirSync(join(world.repository, 'packs'), { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(world.repository, 'packs', name))).filter((stat) => stat.isFile()).reduce((sum, { size }) => sum + size, 0)
}

describe('a preview', () => {
  test('says why each stays, what goes, and about how much the next prune frees', { timeout: 90_000 }, async () => {
    using world = await quickWorld()
    await history(world, 4)
    const details = await forget(world, 4, { policy: { last: 2 }, dryRun: true })
    expect(details.groups?.[0]?.kept.map(({ id, reasons }) => [id, reasons])).toEqual([['photos@4', ['newest', 'last']], ['photos@3', ['last']]])
    expect(details.groups?.[0]?.forgotten.map(({ id, because }) => [id, because])).toEqual([['photos@2', 'rules'], ['photos@1', 'rules']])
    const freedBytes = details.estimate?.freedBytes ?? 0
    expect(freedBytes).toBeGreaterThan(1.95 * mega)
    expect(freedBytes).toBeLessThan(2.2 * mega)
    // The same again costs no folder: only what tells whether there is news.
    const { downloadedBytes } = await later(world, { ...world.common, type: 'forget', snapshots: [], policy: { last: 2 }, dryRun: true }, 4)
    expect(downloadedBytes).toBeLessThan(40_000)
    expect((await forget(world, 4, { policy: { last: 2 } })).forgotten).toEqual(['photos@1', 'photos@2'])
    const before = storedBytes(world)
    await later(world, { ...world.common, type: 'prune', dryRun: false }, 8)
    expect(Math.abs(before - storedBytes(world) - freedBytes)).toBeLessThan(0.2 * mega)
  })
})

describe('a size budget', () => {
  test('lets the oldest go until the rest fits, and counts what other jobs need', { timeout: 90_000 }, async () => {
    using world = await quickWorld()
    await history(world, 4)
    const kept = async (megabytes: number, job: Partial<ForgetJob> = {}): Promise<readonly string[]> => (await forget(world, 4, { policy: { daily: 9, budgetBytes: megabytes * mega }, dryRun: true, ...job })).kept
    expect(await kept(5.5)).toEqual(['photos@1', 'photos@2', 'photos@3', 'photos@4'])
    expect(await kept(4.5)).toEqual(['photos@2', 'photos@3', 'photos@4'])
    expect(await kept(0.1)).toEqual(['photos@4'])
    const more = new SeededRandom(9).bytes(2 * mega)
    writeFileSync(join(world.source, 'more'), more)
    await world.backup({ name: 'others' })
    expect(await kept(6.5, { name: 'photos' })).toEqual(['photos@2', 'photos@3', 'photos@4'])
    const { estimate, forgotten } = await forget(world, 4, { policy: { last: 3, budgetBytes: mega }, name: 'photos' })
    expect(forgotten).toEqual(['photos@1'])
    expect(estimate?.keptBytes).toBeGreaterThan(5.9 * mega)
    expect(estimate?.budgetBytes).toBe(mega)
  })
})
