import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TestDetails } from '../../../engine/commands/test.ts'
import { SeededRandom } from '../../bench/random.ts'
import { initCheaply } from '../../faults/template.ts'
import { describeTree } from '../../fixtures/tree.ts'
import { World } from '../../fixtures/world.ts'

test('a backup keeps the machine’s settings, changed or not; a test of the destination tells them, when it is asked', async () => {
  using world = new World()
  await initCheaply(world.repository, world.password)
  writeFileSync(join(world.source, 'file'), 'x')
  await world.backup({ dryRun: true, machineSettings: '{"jobs":0}' })
  expect((await details(world)).machines).toEqual([])
  await world.backup({ machineSettings: '{"jobs":1}' })
  expect((await world.backup({ machineSettings: '{"jobs":2}' })).outcome).toBe('unchanged')
  expect((await details(world)).machines).toEqual([expect.objectContaining({ settings: '{"jobs":2}' })])
  expect((await world.run({ ...world.common, type: 'test' })).details).not.toHaveProperty('machines')
  expect(readdirSync(join(world.repository, 'machines'), { recursive: true })).toHaveLength(2)
  expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
}, 30_000)

test('a new machine that takes the old one’s place sends nothing again', async () => {
  using world = new World()
  await initCheaply(world.repository, world.password)
  const random = new SeededRandom(8)
  mkdirSync(join(world.source, 'folder'))
  for (let at = 0; at < 8; at++) writeFileSync(join(world.source, 'folder', `${at}.bin`), random.bytes(1_000_000))
  await world.backup({ machineSettings: '{}' })
  const whole = describeTree(world.source)
  // The disk of the new machine is empty, and Holdfast's own folder is gone with the old one.
  rmSync(world.home, { recursive: true })
  const target = join(world.folder, 'restored')
  mkdirSync(target)
  await world.restore(target)
  rmSync(world.source, { recursive: true })
  renameSync(join(target, 'source'), world.source)
  expect(describeTree(world.source)).toEqual(whole)
  rmSync(world.home, { recursive: true })
  for (const host of ['', 'renamed']) {
    const summary = await world.run({
      ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false, machineSettings: '{}',
      excludes: { patterns: [], presets: [], oneFileSystem: false }, ...(host === '' ? {} : { host }),
    })
    expect(summary.uploadedBytes).toBeLessThan(1_000_000)
  }
}, 60_000)

async function details(world: World): Promise<TestDetails> {
  return (await world.run({ ...world.common, type: 'test', listMachines: true })).details as TestDetails
}
