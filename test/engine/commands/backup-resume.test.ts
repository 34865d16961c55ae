import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runJob } from '../../../engine/commands/run.ts'
import { RunFailed } from '../../../engine/commands/failure.ts'
import type { BackupJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../bench/random.ts'
import { describeTree } from '../../fixtures/tree.ts'
import type { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

const packs = 5
const packBytes = 16 * 1024 * 1024
/** What a run may send beside its data: session, index, trees, snapshot. */
const smallChange = 200_000

let world: World

/** Incompressible, so that bytes stored are bytes read: folders with big, middling and small files, five packs in all. */
beforeEach(async () => {
  world = await quickWorld()
  const random = new SeededRandom(1)
  for (let folder = 0; folder < 4; folder++) {
    mkdirSync(join(world.source, `folder-${folder}`))
    writeFileSync(join(world.source, `folder-${folder}`, 'big'), random.bytes(12_000_000))
    for (let at = 0; at < 7; at++) writeFileSync(join(world.source, `folder-${folder}`, `middling-${at}`), random.bytes(900_000))
    for (let at = 0; at < 50; at++) writeFileSync(join(world.source, `folder-${folder}`, `small-${at}`), random.bytes(3_000))
  }
})

afterEach(() => { world[Symbol.dispose]() })

const job = (): BackupJob => ({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
})

function storedBytes(): number {
  const folder = join(world.repository, 'packs')
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(folder, name))).filter((stat) => stat.isFile()).reduce((sum, stat) => sum + stat.size, 0)
}

async function expectComplete(): Promise<void> {
  const target = join(world.folder, 'restored')
  await world.restore(target)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}

/** Runs until `count` packs have arrived, then stops it. One transfer at a time: with more, a slow disk has them all on their way by then. */
async function stopAfter(count: number): Promise<RunFailed> {
  const stop = new AbortController()
  const context = world.context(stop.signal)
  let arrived = 0
  const transfer = (event: Parameters<typeof context.events.transfer>[0]): void => {
    if (event.state === 'done' && event.name.startsWith('pack') && ++arrived === count) stop.abort()
  }
  const error: unknown = await runJob({ ...job(), concurrency: 1 }, { ...context, cancelSignal: new AbortController().signal, events: { ...context.events, transfer } }).catch((reason: unknown) => reason)
  if (!(error instanceof RunFailed)) throw new Error('the run was not stopped')
  return error
}

test('after a stop the next run adopts what arrived, sends what was sealed, and does not read finished files again', async () => {
  const stopped = await stopAfter(2)
  expect(stopped).toMatchObject({ code: 'aborted', summary: { outcome: 'partial' } })
  const before = storedBytes()
  expect(before).toBeGreaterThanOrEqual(2 * packBytes)
  const second: RunSummary = await world.backup()
  expect(second.outcome).toBe('success')
  expect(second.files.unchanged).toBeGreaterThan(0)
  // Nothing that had arrived was sent again, and nothing is in the repository twice.
  expect(stopped.summary.uploadedBytes + second.uploadedBytes).toBeLessThan(storedBytes() + smallChange)
  expect(storedBytes()).toBeLessThan(78_000_000)
  // Two packs of five, and perhaps a third that was on its way.
  expect(world.progress.at(-1)?.continuedFraction).toBeGreaterThan(0.4)
  expect(world.progress.at(-1)?.continuedFraction).toBeLessThan(0.95)
  await expectComplete()
})

test('stopped again and again, it comes to its end, and every byte is sent once', async () => {
  let sent = 0
  for (let count = 1; count < packs - 2; count++) sent += (await stopAfter(1)).summary.uploadedBytes
  sent += (await world.backup()).uploadedBytes
  expect(sent).toBeLessThan(storedBytes() + packs * smallChange)
  expect(storedBytes()).toBeLessThan(78_000_000)
  await expectComplete()
})

test('killed at any moment, the next run completes, and packs that had arrived are not sent again', async () => {
  const script = join(world.folder, 'run.mts')
  writeFileSync(script, `
    const { World } = await import(${JSON.stringify(new URL('../../fixtures/world.ts', import.meta.url).href)})
    const world = new World(${JSON.stringify(world.repository)})
    Object.defineProperty(world, 'home', { value: ${JSON.stringify(world.home)} })
    process.stdout.write('ready')
    await world.backup({ sources: [${JSON.stringify(world.source)}] })`)
  const random = new SeededRandom(Number(process.env['HOLDFAST_TEST_SEED'] ?? 7))
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TMPDIR: world.folder } })
    const closed = new Promise((resolve) => { child.once('close', resolve) })
    await new Promise((resolve) => { child.stdout.once('data', resolve) })
    await delay(150 + (random.bytes(1)[0] ?? 0) * 4)
    child.kill('SIGKILL')
    await closed
  }
  const before = storedBytes()
  const summary = await world.backup()
  expect(['success', 'unchanged']).toContain(summary.outcome)
  expect(storedBytes()).toBeLessThanOrEqual(before + summary.uploadedBytes)
  expect(storedBytes()).toBeLessThan(78_000_000)
  await expectComplete()
})
