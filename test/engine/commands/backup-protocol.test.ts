import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fixedCredentials } from '../../../engine/backend/credentials.ts'
import { openBackend } from '../../../engine/backend/open.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { TransferEvent } from '../../../engine/protocol/progress.ts'
import { jobKeyOf } from '../../../engine/repository/keys.ts'
import { expireSession } from '../../../engine/repository/protocol/arbiter.ts'
import { listAll } from '../../../engine/repository/protocol/listing.ts'
import { retireRecordName } from '../../../engine/repository/protocol/names.ts'
import { sealRetireRecord } from '../../../engine/repository/protocol/records.ts'
import { openRepository, type Repository } from '../../../engine/repository/repository.ts'
import { SeededRandom } from '../../bench/random.ts'
import { describeTree } from '../../fixtures/tree.ts'
import type { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

const signal = new AbortController().signal
let world: World
let repository: Repository

beforeEach(async () => {
  world = await quickWorld()
  const backend = await openBackend(world.repository, { credentials: fixedCredentials({}), signal })
  repository = await openRepository(backend, world.password, signal)
})

afterEach(() => { world[Symbol.dispose]() })

function write(name: string, seed: number): void {
  mkdirSync(join(world.source, name, '..'), { recursive: true })
  writeFileSync(join(world.source, name), new SeededRandom(seed).bytes(400_000))
}

function packFiles(): string[] {
  const folder = join(world.repository, 'packs')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
}

async function retire(packs: readonly string[]): Promise<void> {
  const record = 'f'.repeat(32)
  const names = packs.map((path) => path.slice(path.lastIndexOf('/') + 1))
  await repository.backend.put(retireRecordName(record), { type: 'bytes', bytes: sealRetireRecord(repository.keys, record, names) }, {}, signal)
}

async function expectRestorable(): Promise<void> {
  const target = join(world.folder, 'restored')
  await world.restore(target)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}

test('a snapshot never rests on retired packs, also where nothing changed (R2, R3)', async () => {
  for (const [seed, name] of ['a/one', 'a/two', 'b/three'].entries()) write(name, seed)
  await world.backup()
  const old = packFiles()
  await retire(old)
  write('b/four', 9)
  const summary = await world.backup()
  expect(summary).toMatchObject({ outcome: 'success', files: { found: 4, unchanged: 0 } })
  for (const path of old) rmSync(path)
  await expectRestorable()
})

test('of a half retired snapshot only what is lost is stored again', async () => {
  write('a/one', 1)
  await world.backup()
  const first = packFiles()
  write('b/two', 2)
  await world.backup()
  await retire(first)
  write('c/three', 3)
  const summary = await world.backup()
  expect(summary).toMatchObject({ outcome: 'success', files: { found: 3, unchanged: 1, uploaded: 2 } })
  for (const path of first) rmSync(path)
  await expectRestorable()
  expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
})

test('a session that a prune ends is followed by another, and nothing is sent again', async () => {
  write('one', 1)
  const context = world.context()
  let expired: Promise<void> | undefined
  const transfer = (event: TransferEvent): void => {
    if (event.state === 'done' && event.name.startsWith('pack')) expired ??= expireSession(repository, { jobKey: jobKeyOf(repository.keys, 'photos'), revision: 1, suffix: '' }, signal)
  }
  const summary = await runJob({
    ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }, { ...context, events: { ...context.events, transfer } })
  await expired
  expect(summary).toMatchObject({ outcome: 'success', snapshot: 'photos@2', files: { found: 1, unchanged: 1 } })
  expect(summary.uploadedBytes).toBeLessThan(500_000)
  await expectRestorable()
})

test('a snapshot before that lost its trees does not keep a new one from being made', async () => {
  write('a/one', 1)
  await world.backup()
  rmSync(world.home, { recursive: true })
  rmSync(join(world.repository, 'index'), { recursive: true })
  for (const path of packFiles()) if (statSync(path).size < 100_000) rmSync(path)
  write('b/two', 2)
  expect(await world.backup()).toMatchObject({ snapshot: 'photos@2', files: { found: 2 } })
  await expectRestorable()
})

/** The storage refuses the commit, as one does whose disk was pulled: the session stays. */
async function breakOff(): Promise<void> {
  const { repository: address } = world
  world.repository = `faulty+${address}?fault.rule=put,before,prefix=snapshots/,code=denied`
  await expect(world.backup()).rejects.toMatchObject({ code: 'denied' })
  world.repository = address
}

async function openSessions(): Promise<readonly string[]> {
  return (await listAll(repository.backend, 'intents/', signal)).map(({ name }) => name)
}

test('the session of a run that broke off is ended by the next one of this machine: no prune waits for it', async () => {
  write('one', 1)
  await breakOff()
  expect(await openSessions()).toHaveLength(1)
  write('two', 2)
  expect(await world.backup()).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
  expect(await openSessions()).toEqual([])
  await expectRestorable()
})

test('so is it by a run that finds nothing new, and leaves no other trace', async () => {
  write('one', 1)
  utimesSync(world.source, 1e9, 1e9)
  await world.backup()
  write('two', 2)
  await breakOff()
  rmSync(join(world.source, 'two'))
  utimesSync(world.source, 1e9, 1e9)
  expect(await openSessions()).toHaveLength(1)
  const decided = (await listAll(repository.backend, 'snapshots/', signal)).length
  expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
  expect(await openSessions()).toEqual([])
  expect((await listAll(repository.backend, 'snapshots/', signal)).length).toBe(decided + 1)
  expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
})

test('a dry run ends nobody', async () => {
  write('one', 1)
  await breakOff()
  await world.backup({ dryRun: true })
  expect(await openSessions()).toHaveLength(1)
})

test('a session that had committed before it was killed stands', async () => {
  write('one', 1)
  await world.backup()
  write('two', 2)
  const { repository: address } = world
  world.repository = `faulty+${address}?fault.rule=remove,before,prefix=intents/,code=unavailable&fault.rule=get,before,prefix=snapshots/,code=denied,skip=1`
  await world.backup().catch(() => undefined)
  world.repository = address
  expect(await openSessions()).toHaveLength(1)
  write('three', 3)
  expect(await world.backup()).toMatchObject({ outcome: 'success', snapshot: 'photos@3' })
  expect(await openSessions()).toEqual([])
  await world.restore(join(world.folder, 'second'), { snapshot: 'photos@2' })
  expect(readdirSync(join(world.folder, 'second', 'source')).sort()).toEqual(['one', 'two'])
})

test('another machine that backs up under the same name ends nobody', async () => {
  write('one', 1)
  await breakOff()
  const home = join(world.folder, 'another home')
  const job = { ...world.common, home, host: 'another', type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'cancel' } as const
  expect(await runJob({ ...job, excludes: { patterns: [], presets: [], oneFileSystem: false } }, world.context())).toMatchObject({ outcome: 'success' })
  expect(await openSessions()).toHaveLength(1)
})
