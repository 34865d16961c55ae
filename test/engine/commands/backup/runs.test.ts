import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { backup } from '../../../../engine/commands/backup.ts'
import type { CommandContext } from '../../../../engine/commands/context.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import type { TransferEvent } from '../../../../engine/protocol/progress.ts'
import { retireRecordName } from '../../../../engine/repository/protocol/names.ts'
import { sealRetireRecord } from '../../../../engine/repository/protocol/records.ts'
import { openRepository } from '../../../../engine/repository/repository.ts'
import { entryStat } from '../../../../engine/base/entry-stat.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { hookedDisk } from '../../../fixtures/disk.ts'
import { describeTree } from '../../../fixtures/tree.ts'
import type { World } from '../../../fixtures/world.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

let world: World

beforeEach(async () => { world = await quickWorld() })
afterEach(() => { world[Symbol.dispose]() })

const job = (options: Partial<BackupJob> = {}): BackupJob => ({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false }, ...options,
})

function write(name: string, bytes: string | Uint8Array): string {
  const path = join(world.source, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, bytes)
  return path
}

async function expectRestorable(snapshot = 'latest'): Promise<void> {
  const target = join(world.folder, `restored-${readdirSync(world.folder).length}`)
  await world.restore(target, { snapshot })
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}

test('paused in mid-run it neither reads nor sends, and then goes on to its end', async () => {
  const random = new SeededRandom(2)
  for (let at = 0; at < 5; at++) write(`big-${at}`, random.bytes(12_000_000))
  const context = world.context()
  let told: (() => void) | undefined
  const transfer = (event: TransferEvent): void => { if (event.state === 'done') context.pauseGate.pause() }
  const progress: CommandContext['events']['progress'] = (state) => {
    world.progress.push(state)
    told?.()
  }
  const running = backup(job({ concurrency: 1 }), { ...context, events: { ...context.events, transfer, progress } })
  const nextProgress = (): Promise<void> => new Promise((resolve) => { told = resolve })
  while (!context.pauseGate.paused) await nextProgress()
  // What was being read and sent comes to its end.
  for (let at = 0; at < 3; at++) await nextProgress()
  const before = world.progress.at(-1)
  for (let at = 0; at < 3; at++) await nextProgress()
  const after = world.progress.at(-1)
  expect(after).toMatchObject({ paused: true, bytes: before?.bytes, transferredBytes: before?.transferredBytes })
  expect(after?.bytes.uploaded).toBeLessThan(60_000_000)
  context.pauseGate.resume()
  told = () => { context.pauseGate.resume() }
  expect(await running).toMatchObject({ outcome: 'success', bytes: { uploaded: 60_000_000 } })
  await expectRestorable()
})

/** A clock on which a session is refreshed when the test says so. */
function heartClock(): { clock: CommandContext['clock']; beat: () => void; asleep: () => Promise<void> } {
  let wake: (() => void) | undefined
  let slept = Promise.withResolvers<void>()
  const sleep: typeof systemClock.sleep = (ms, signal) => {
    if (ms !== 3 * 60_000) return systemClock.sleep(ms, signal)
    slept.resolve()
    return new Promise((resolve, reject) => {
      wake = resolve
      signal.addEventListener('abort', () => { reject(new Error('stopped')) }, { once: true })
    })
  }
  return {
    clock: { ...systemClock, sleep },
    beat: () => {
      slept = Promise.withResolvers()
      wake?.()
    },
    asleep: () => slept.promise,
  }
}

test('packs that are retired in mid-run are not built upon: all is looked up again before the commit', async () => {
  write('a/kept', new SeededRandom(1).bytes(300_000))
  write('b/kept', new SeededRandom(2).bytes(300_000))
  await world.backup()
  const packsFolder = join(world.repository, 'packs')
  const old = readdirSync(packsFolder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(packsFolder, name)).isFile())
  write('a/new', new SeededRandom(3).bytes(300_000))
  write('z/last', 'x')
  const heart = heartClock()
  const context = { ...world.context(), clock: heart.clock }
  const paused = Promise.withResolvers<void>()
  let wasPaused = false
  const disk = hookedDisk({
    names(path, ask) {
      if (path.endsWith('/z') && !wasPaused) {
        wasPaused = true
        context.pauseGate.pause()
        // So that the walk passes the gate at the next entry.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
        paused.resolve()
      }
      return ask()
    },
  })
  const running = backup(job(), context, disk)
  await Promise.race([paused.promise, running])
  await heart.asleep()
  const signal = new AbortController().signal
  await using backend = await openBackend(world.repository, { credentials: fixedCredentials({}), signal })
  const repository = await openRepository(backend, world.password, signal)
  const record = 'e'.repeat(32)
  await backend.put(retireRecordName(record), { type: 'bytes', bytes: sealRetireRecord(repository.keys, record, old.map((name) => name.slice(-32))) }, {}, signal)
  heart.beat()
  await heart.asleep()
  context.pauseGate.resume()
  expect(await running).toMatchObject({ outcome: 'success', snapshot: 'photos@2', files: { found: 4, uploaded: 2, unchanged: 2 } })
  for (const name of old) rmSync(join(packsFolder, name))
  await expectRestorable()
})

test('a file that changes all the time is stored as it was read, and the summary says so; the next run reads it again', async () => {
  const path = write('busy', new SeededRandom(5).bytes(30_000_000))
  const descriptor = openSync(path, 'r+')
  let count = 0
  const scribble = setInterval(() => { writeSync(descriptor, Buffer.from([count++ & 255]), 0, 1, count * 1000) }, 1)
  try {
    expect(await backup(job(), world.context())).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'changed', path }] })
  } finally {
    clearInterval(scribble)
    closeSync(descriptor)
  }
  expect(await world.backup()).toMatchObject({ outcome: 'success', files: { unchanged: 0 } })
  await expectRestorable()
})

test('two jobs at once into one repository both end well, and a third finds everything there', async () => {
  for (let at = 0; at < 20; at++) write(`file-${at}`, new SeededRandom(at).bytes(100_000))
  const summaries = await Promise.all([world.backup({ name: 'one' }), world.backup({ name: 'two' })])
  expect(summaries.map((summary) => summary.outcome)).toEqual(['success', 'success'])
  await expectRestorable('one@1')
  await expectRestorable('two@1')
  const third = await world.backup({ name: 'three' })
  expect(third).toMatchObject({ files: { deduplicated: 20, uploaded: 0 } })
  expect(third.uploadedBytes).toBeLessThan(10_000)
})

describe('sources', () => {
  test('that go away in mid-run fail it, instead of looking as if all had been deleted', async () => {
    write('a/file', new SeededRandom(1).bytes(1000))
    write('z/file', new SeededRandom(2).bytes(1000))
    await world.backup()
    const away = join(world.folder, 'away')
    const disk = hookedDisk({
      names(path, ask) {
        if (path.endsWith('/a')) renameSync(world.source, away)
        return ask()
      },
    })
    await expect(backup(job(), world.context(), disk)).rejects.toMatchObject({ code: 'source-missing', summary: { outcome: 'failed' } })
    renameSync(away, world.source)
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
  })

  test('given twice count once; one inside another is an entry of its own and shares its content', async () => {
    write('a/file', new SeededRandom(1).bytes(200_000))
    const summary = await world.backup({ sources: [world.source, `${world.source}/`, join(world.source, 'a')] })
    expect(summary).toMatchObject({ outcome: 'success', files: { found: 2 } })
    expect(summary.uploadedBytes).toBeLessThan(290_000)
    const target = join(world.folder, 'restored')
    await world.restore(target)
    expect(readdirSync(target).sort()).toEqual(['a', 'source'])
    expect(describeTree(join(target, 'a'))).toEqual(describeTree(join(world.source, 'a')))
    expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
  })

  test('that are links are stored as what they lead to', async () => {
    write('file', 'content')
    const link = join(world.folder, 'link')
    symlinkSync(world.source, link)
    expect(await world.backup({ sources: [link, join(world.source, 'file')] })).toMatchObject({ outcome: 'success', files: { found: 2 } })
    const target = join(world.folder, 'restored')
    await world.restore(target)
    expect(readdirSync(target, { withFileTypes: true }).map((entry) => [entry.name, entry.isSymbolicLink()])).toEqual([['file', false], ['link', false]])
    expect(readdirSync(join(target, 'link'))).toEqual(['file'])
  })
})

test('names that only differ in how Unicode composes them are two files', async () => {
  write('caf\u00e9', 'composed')
  write('cafe\u0301', 'decomposed')
  expect(await world.backup()).toMatchObject({ files: { found: 2 } })
  await expectRestorable()
})

test('a folder of 200,000 entries takes seconds, and a change in it stores little', async () => {
  const names = Array.from({ length: 200_000 }, (_, at) => `entry-${String(at).padStart(6, '0')}`)
  const empty = entryStat(statSync(write('empty', ''), { bigint: true }))
  const disk = hookedDisk({
    entry: (path, ask) => (path.includes('/entry-') ? { ok: true, value: empty } : ask()),
    names: (path, ask) => (path === world.source ? { ok: true, value: names } : ask()),
  })
  const first = await backup(job(), world.context(), disk)
  expect(first).toMatchObject({ outcome: 'success', files: { found: 200_000 } })
  expect(await backup(job(), world.context(), disk)).toMatchObject({ outcome: 'unchanged', files: { unchanged: 200_000 } })
  names.splice(100_000, 0, 'entry-099999-new')
  const changed = await backup(job(), world.context(), disk)
  expect(changed).toMatchObject({ outcome: 'success', files: { found: 200_001, unchanged: 200_000 } })
  expect(changed.uploadedBytes).toBeLessThan(first.uploadedBytes / 5)
})
