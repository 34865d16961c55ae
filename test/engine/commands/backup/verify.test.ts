import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../engine/base/clock.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

test('a run without changes verifies too, once a day, and a pack that is gone is not its business', async () => {
  using world = await quickWorld()
  const packFiles = (): string[] => readdirSync(join(world.repository, 'packs'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(world.repository, 'packs', name)).filter((path) => statSync(path).isFile())
  writeFileSync(join(world.source, 'file'), new SeededRandom(10).bytes(300_000))
  await world.backup({ verify: true })
  for (const path of packFiles()) {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    rmSync(path)
    writeFileSync(path, bytes)
  }
  const later = (hours: number): Promise<RunSummary> => {
    const clock = { ...systemClock, now: () => Date.now() + hours * 3_600_000 }
    return runJob({
      ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: true,
      excludes: { patterns: [], presets: [], oneFileSystem: false },
    }, { ...world.context(), clock })
  }
  expect(await later(23)).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
  expect(await later(25)).toMatchObject({ outcome: 'warnings', snapshot: 'photos@1', firstProblems: [{ code: 'damaged' }, { code: 'damaged' }] })
  for (const path of packFiles()) rmSync(path)
  expect(await later(25)).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
})

const MiB = 1024 * 1024

test('a run reads back at most what it sent, a pack that does not fit is gone on with by the next, and the summary says how much', async () => {
  using world = await quickWorld()
  const random = new SeededRandom(11)
  writeFileSync(join(world.source, 'large'), random.bytes(24 * MiB))
  const first = await world.backup({ verify: true })
  // The first of a day: all of it is new, and fits into what such a run may read.
  expect(first.verifiedBytes).toBeGreaterThan(24 * MiB)
  writeFileSync(join(world.source, 'small'), random.bytes(2_000))
  const small = await world.backup({ verify: true })
  expect(small.outcome).toBe('success')
  expect(small.uploadedBytes).toBeLessThan(96 * 1024)
  expect(small.verifiedBytes).toBeLessThanOrEqual(small.uploadedBytes)
  expect(small.downloadedBytes).toBeLessThan(96 * 1024)
  const read: number[] = []
  for (let run = 0; run < 14; run++) {
    writeFileSync(join(world.source, `middle-${String(run)}`), random.bytes(3 * MiB))
    const summary = await world.backup({ verify: true })
    expect(summary.verifiedBytes).toBeLessThanOrEqual(summary.uploadedBytes)
    read.push(summary.verifiedBytes ?? 0)
  }
  // In the course of the runs much more is read than fits into one: each went on where the one before had stopped.
  expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(14 * 1.5 * MiB)
})

test('damage in a late part of a large pack is found by a later small run', async () => {
  using world = await quickWorld()
  const random = new SeededRandom(12)
  // The day's first run reads all there is, which is little yet.
  writeFileSync(join(world.source, 'little'), 'little')
  await world.backup({ verify: true })
  writeFileSync(join(world.source, 'large'), random.bytes(24 * MiB))
  await world.backup({ verify: false })
  const folder = join(world.repository, 'packs')
  const large = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).size > 10 * MiB)
  for (const path of large) {
    const bytes = readFileSync(path)
    const at = Math.floor(bytes.length * 0.8)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    rmSync(path)
    writeFileSync(path, bytes)
  }
  const outcomes: string[] = []
  for (let run = 0; run < 30 && !outcomes.includes('warnings'); run++) {
    writeFileSync(join(world.source, `middle-${String(run)}`), random.bytes(3 * MiB))
    outcomes.push((await world.backup({ verify: true })).outcome)
  }
  expect(outcomes[0]).toBe('success')
  expect(outcomes.at(-1)).toBe('warnings')
})
