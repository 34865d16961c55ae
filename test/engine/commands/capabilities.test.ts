import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
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

function backup(days: number): Promise<RunSummary> {
  return run({
    ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }, days)
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
