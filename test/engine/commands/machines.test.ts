import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backupCommand } from '../../../engine/protocol/backup-command.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { listMachinesOf } from '../../../engine/commands/machines.ts'
import { runJob } from '../../../engine/commands/run.ts'
import { atHome, readMachineSettings, writeMachineSettings } from '../../../engine/protocol/machine-settings.ts'
import { parseEvent } from '../../../engine/protocol/validate.ts'
import { SeededRandom } from '../../bench/random.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { describeTree } from '../../fixtures/tree.ts'
import { World } from '../../fixtures/world.ts'
import { callCli } from '../cli/in-process.ts'
import { testFolder } from '../small-repository.ts'
import { testContext } from './run-support.ts'

test('a backup keeps the machine’s settings, changed or not; whoever has the password reads them', async () => {
  using world = new World()
  await initCheaply(world.repository, world.password)
  writeFileSync(join(world.source, 'file'), 'x')
  await world.backup({ dryRun: true, machineSettings: '{"jobs":0}' })
  expect(await machinesOf(world)).toEqual([])
  await world.backup({ machineSettings: '{"jobs":1}' })
  expect((await world.backup({ machineSettings: '{"jobs":2}' })).outcome).toBe('unchanged')
  expect(await machinesOf(world)).toEqual([expect.objectContaining({ settings: '{"jobs":2}' })])
  {
    await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
    const answer = await browser.answer({ type: 'machines' })
    expect(answer).toEqual({ type: 'machines', repositoryId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown, machines: [{ host: hostname(), user: userInfo().username, savedMs: expect.any(Number) as unknown, settings: '{"jobs":2}' }] })
    expect(parseEvent({ type: 'answer', request: 1, answer })).toEqual({ ok: true, value: { type: 'answer', request: 1, answer } })
  }
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

function machinesOf(world: World): ReturnType<typeof listMachinesOf> {
  return listMachinesOf(world.common, world.context())
}

const job = { name: 'My photos', sources: ['/home/anna/Bilder', '/srv/it\'s'], excludes: { patterns: ['*.tmp'], presets: ['caches'], oneFileSystem: true, largerThanBytes: 5 }, schedule: { type: 'daily', at: '12:30' } } as const

test('settings come back as they were, and others are not taken for some', () => {
  const terms = { retention: { last: 3, withinMs: 5000 }, concurrency: 2, uploadBytesPerSecond: 1000, conditions: { mains: true } }
  const settings = { home: '/home/anna', jobs: [{ ...job, ...terms }, { ...job, name: 'a', host: 'tower', schedule: { type: 'manual' } } as const] }
  const text = writeMachineSettings(settings)
  expect(readMachineSettings(text)).toEqual(settings)
  expect(writeMachineSettings({ ...settings, jobs: settings.jobs.toReversed() })).toBe(text)
  for (const other of ['', '{}', text.replace('"version":1', '"version":2'), text.replace('daily', 'weekly'), 'null']) expect(readMachineSettings(other)).toBeUndefined()
})

test('folders below the old home are shown below the new one', () => {
  const here = (path: string): string => atHome(path, '/home/anna', '/Users/a')
  expect(['/home/anna', '/home/anna/x', '/home/annabel/x', '/srv'].map(here)).toEqual(['/Users/a', '/Users/a/x', '/home/annabel/x', '/srv'])
  expect([atHome('/x', '', '/a'), atHome('/x', '/', '/a')]).toEqual(['/x', '/x'])
  expect(backupCommand(job, 'tower', here)).toBe('holdfast backup /Users/a/Bilder \'/srv/it\'\\\'\'s\' --job \'My photos\' --host tower --exclude \'*.tmp\' --exclude-preset caches --exclude-larger-than 5 --one-file-system')
})

test('the command line shows the jobs, and how to go on', async () => {
  await using folder = await testFolder()
  expect(await callCli(['machines'], { folder })).toMatchObject({ code: 0, stdout: expect.stringContaining('No machine') as unknown })
  writeFileSync(join(folder.path, 'file'), 'x')
  const machineSettings = writeMachineSettings({ home: '/home/anna', jobs: [job] })
  await runJob({
    type: 'backup', repository: folder.repository, home: folder.home, concurrency: 2, name: 'job', sources: [join(folder.path, 'file')], host: 'tower',
    excludes: { patterns: [], presets: [], oneFileSystem: false }, dryRun: false, onFailure: 'drain', verify: false, machineSettings,
  }, testContext())
  const { code, stdout } = await callCli(['machines'], { folder })
  expect(code).toBe(0)
  for (const words of ['tower (', 'My photos, daily at 12:30: /home/anna/Bilder', '--job \'My photos\' --host tower']) expect(stdout).toContain(words)
  expect((await callCli(['machines', '--json'], { folder })).events).toEqual([expect.objectContaining({ type: 'machine', host: 'tower', home: '/home/anna', jobs: [job] }), expect.objectContaining({ operation: 'machines', machines: 1 })])
}, 30_000)
