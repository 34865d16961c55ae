import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { catalogFolder } from '../../../engine/catalog/paths.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { FaultProxy } from '../../faults/proxy.ts'
import { World } from '../../fixtures/world.ts'
import { freshBucket, type S3Bucket } from '../../servers/s3.ts'
import { codeOf } from '../../suites/backend-contract.ts'

const day = 86_400_000

let bucket: S3Bucket
let proxy: FaultProxy
let world: World
let changes = 0

beforeEach(async () => {
  bucket = await freshBucket()
  proxy = await FaultProxy.start(bucket.endpoint)
  world = new World(bucket.url('repository').replace(encodeURIComponent(bucket.endpoint), encodeURIComponent(proxy.endpoint)))
  change()
  await backup(0)
})

afterEach(async () => {
  world[Symbol.dispose]()
  await proxy[Symbol.asyncDispose]()
})

function change(): void {
  writeFileSync(join(world.source, `file-${++changes}`), String(changes))
}

function run(job: EngineJob, days: number): Promise<RunSummary> {
  const clock = { ...systemClock, now: () => Date.now() + days * day }
  return runJob(job, { ...world.context(), clock, secrets: { password: world.password, storage: bucket.secrets } })
}

function backup(days: number, name = 'photos'): Promise<RunSummary> {
  return run({
    ...world.common, type: 'backup', name, sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }, days)
}

function trials(): number {
  return new Set(proxy.requests.flatMap((one) => /\/probe\/([0-9a-f]{32})/.exec(one.url)?.[1] ?? [])).size
}

function probes(): number {
  return proxy.requests.filter((one) => one.url.includes('/probe/')).length
}

test('a backup tries the storage once a week, and writes nothing where nothing changed', async () => {
  const first = probes()
  expect(first).toBeGreaterThan(0)
  change()
  await backup(6)
  expect(probes()).toBe(first)
  expect(await backup(8)).toMatchObject({ outcome: 'unchanged' })
  expect(probes()).toBe(first)
  change()
  expect(await backup(8)).toMatchObject({ outcome: 'success' })
  expect(probes()).toBeGreaterThan(first)
})

test('whoever makes a repository has tried its storage, for all jobs of this machine', async () => {
  expect(trials()).toBe(1)
  const { repositoryId = '' } = await backup(0, 'letters')
  expect(trials()).toBe(1)
  writeFileSync(join(catalogFolder(world.home, repositoryId), 'probed'), 'what is this?')
  change()
  await backup(0)
  expect(trials()).toBe(2)
})

test('a repository that was copied to a server without exclusive creation is not backed up to, nor pruned', async () => {
  proxy.choose = (one) => (one.headers['if-none-match'] ? { type: 'answer', status: 501, code: 'NotImplemented' } : undefined)
  change()
  expect(await codeOf(backup(8))).toBe('unsupported')
  expect(await codeOf(run({ ...world.common, type: 'prune', dryRun: false }, 0))).toBe('unsupported')
  expect(await run({ ...world.common, type: 'prune', dryRun: true }, 0)).toMatchObject({ operation: 'prune' })
  proxy.choose = () => undefined
  expect(await backup(8)).toMatchObject({ outcome: 'success' })
})

test('credentials that may not remove are good for backups; a prune that may clears away what they left', async () => {
  const left = async (): Promise<number> => ((await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: 'repository/probe/' }))).Contents ?? []).length
  expect(await left()).toBe(0)
  proxy.choose = (one) => (one.method === 'DELETE' ? { type: 'answer', status: 403, code: 'AccessDenied' } : undefined)
  change()
  expect(await backup(8)).toMatchObject({ outcome: 'success' })
  expect(await left()).toBeGreaterThan(0)
  proxy.choose = () => undefined
  await run({ ...world.common, type: 'prune', dryRun: false }, 1)
  expect(await left()).toBeGreaterThan(0)
  await run({ ...world.common, type: 'prune', dryRun: false }, 8)
  expect(await left()).toBe(0)
})

test('the intent is announced before retire records are listed, and these before packs', async () => {
  const before = proxy.requests.length
  change()
  await backup(1)
  const order = proxy.requests.slice(before).map(({ method, url }) => `${method} ${url}`)
  const at = (pattern: RegExp): number => order.findIndex((line) => pattern.test(line))
  expect(at(/^PUT .*\/intents\//)).toBeGreaterThan(-1)
  expect(at(/^GET .*prefix=[^&]*gc%2F/)).toBeGreaterThan(at(/^PUT .*\/intents\//))
  expect(at(/^GET .*prefix=[^&]*packs%2F/)).toBeGreaterThan(at(/^GET .*prefix=[^&]*gc%2F/))
})

test('what has to be sent is shared out to all transfers, whether it fills their packs or not', { timeout: 120_000 }, async () => {
  const write = (): void => { for (let number = 0; number < 5; number++) writeFileSync(join(world.source, `photo-${number}`), randomBytes(8 * 1024 ** 2)) }
  write()
  await backup(1)
  write()
  const known = new Set(await packs())
  await backup(2)
  const sizes = (await packs()).filter((pack) => !known.has(pack)).map((pack) => Number(pack.split(' ')[1]))
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(40 * 1024 ** 2)
  expect(Math.max(...sizes)).toBeLessThan(14 * 1024 ** 2)
})

async function packs(): Promise<string[]> {
  const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: 'repository/packs/' }))
  return Contents.map(({ Key, Size }) => `${Key} ${Size}`)
}
