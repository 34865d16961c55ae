import { ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand } from '@aws-sdk/client-s3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../engine/base/clock.ts'
import type { CommandContext } from '../../engine/commands/context.ts'
import type { PruneDetails } from '../../engine/commands/prune.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { BackupJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'
import { freshBucket, type S3Bucket } from '../servers/s3.ts'
import { FaultProxy, type HttpFault, type ProxiedRequest } from './proxy.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'

const cli = join(import.meta.dirname, '../../engine/cli.ts')
const mebibyte = 1024 * 1024
const partBytes = 5 * mebibyte

/** Where in a pack's upload the process dies. */
interface Death {
  readonly where: string
  /** The request at which it dies is this one of those that match, counted from 0. */
  readonly matches: (request: ProxiedRequest) => boolean
  readonly skip: number
  /** Before the request gets through, or once the storage has done what it asks for. */
  readonly when: 'before' | 'after'
}

const someParts: Death = { where: 'some parts arrived', matches: isThirdPart, skip: 0, when: 'before' }

const deaths: readonly Death[] = [
  { where: 'an upload was begun, and no part arrived', matches: isPart, skip: 0, when: 'before' },
  someParts,
  { where: 'all parts arrived, and the completion did not', matches: isCompletion, skip: 0, when: 'before' },
  { where: 'the completion arrived, and its reply got lost', matches: isCompletion, skip: 1, when: 'after' },
  { where: 'some parts of a later pack arrived', matches: isPart, skip: 6, when: 'after' },
]

let world: World
let bucket: S3Bucket
let proxy: FaultProxy
let context: CommandContext

beforeEach(async () => {
  bucket = await freshBucket()
  proxy = await FaultProxy.start(bucket.endpoint)
  world = new World(`${bucket.url('repository').replace(encodeURIComponent(bucket.endpoint), encodeURIComponent(proxy.endpoint))}&partSize=5M`)
  context = { ...world.context(), secrets: { password: world.password, storage: bucket.secrets } }
  await initCheaply(world.repository, world.password, bucket.secrets)
})

/** Packs of up to 16 MiB, four parts each: of few files it is chance whether any pack has three. */
function fill(files: number): void {
  const random = new SeededRandom(5)
  for (let index = 0; index < files; index++) writeFileSync(join(world.source, `file-${index}`), random.bytes(7 * mebibyte))
}

afterEach(async () => {
  world[Symbol.dispose]()
  await proxy[Symbol.asyncDispose]()
  bucket.client.destroy()
})

function isPart({ method, url }: ProxiedRequest): boolean {
  return method === 'PUT' && url.includes('partNumber=')
}

/** Parts go one after the other: when the third begins, two have arrived. */
function isThirdPart(request: ProxiedRequest): boolean {
  return isPart(request) && request.url.includes('partNumber=3')
}

function isCompletion({ method, url }: ProxiedRequest): boolean {
  return method === 'POST' && url.includes('uploadId=')
}

function start(): ReturnType<typeof spawn> {
  const args = [cli, 'backup', world.source, '--job', 'photos', '--repo', world.repository, '--concurrency', '1', '--json']
  return spawn(process.execPath, args, {
    env: { ...process.env, ...bucket.environment, HOLDFAST_PASSWORD: world.password, HOLDFAST_HOME: world.home }, stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** A backup of the real command line that is killed in the middle of an upload. */
async function dies({ matches, skip, when }: Death): Promise<void> {
  const child = start()
  const kill = (): void => { child.kill('SIGKILL') }
  let seen = 0
  proxy.choose = (request): HttpFault | undefined => {
    if (!matches(request) || seen++ !== skip) return undefined
    if (when === 'after') return { type: 'lose-reply', onLost: kill }
    kill()
    return { type: 'hang' }
  }
  const ended = await once(child, 'exit') as [number | null, string | null]
  proxy.choose = () => undefined
  expect(ended).toEqual([null, 'SIGKILL'])
}

/** The parts of unfinished uploads on the server, as `key part`, with their sizes. */
async function arrivedParts(): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const { Uploads = [] } = await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.bucket }))
  for (const { Key, UploadId } of Uploads) {
    const { Parts = [] } = await bucket.client.send(new ListPartsCommand({ Bucket: bucket.bucket, Key, UploadId }))
    for (const { PartNumber, Size } of Parts) found.set(`${Key} ${PartNumber}`, Size ?? 0)
  }
  return found
}

async function packs(): Promise<Map<string, number>> {
  const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: 'repository/packs/' }))
  return new Map(Contents.map(({ Key, Size }) => [Key ?? '', Size ?? 0]))
}

function sentParts(requests: readonly ProxiedRequest[]): string[] {
  return requests.filter(isPart).map(({ url }) => {
    const { pathname, searchParams } = new URL(url, 'http://proxy')
    return `${pathname.slice(`/${bucket.bucket}/`.length)} ${searchParams.get('partNumber')}`
  })
}

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

function backup(): Promise<RunSummary> {
  const job: BackupJob = {
    ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false, concurrency: 1,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }
  return runJob(job, context)
}

async function expectWhole(): Promise<void> {
  const check = await runJob({ ...world.common, type: 'check', readDataPercent: 100 }, context)
  expect(check.outcome).toBe('success')
  const target = join(world.folder, 'restored')
  await runJob({ ...world.common, type: 'restore', snapshot: 'latest', target, paths: [], overwrite: 'never' }, context)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}

function pruneInAWeek(): Promise<RunSummary> {
  const clock = { ...systemClock, now: () => Date.now() + 8 * 24 * 3_600_000 }
  return runJob({ ...world.common, type: 'prune', dryRun: false }, { ...context, clock })
}

test('a backup killed at every stage of an upload in parts goes on with it: no part that arrived, and no pack, is sent again', async () => {
  fill(10)
  const arrived = new Map<string, number>()
  for (const death of deaths) {
    const before = proxy.requests.length
    await dies(death)
    expect(sentParts(proxy.requests.slice(before)).filter((part) => arrived.has(part)), death.where).toEqual([])
    for (const [part, size] of await arrivedParts()) arrived.set(part, size)
  }
  expect(arrived.size, 'parts whose upload was continued').toBeGreaterThan(4)
  const stored = await packs()
  const unfinished = await arrivedParts()
  const beforeBytes = proxy.uploadedBytes
  const beforeRequests = proxy.requests.length
  expect((await backup()).outcome).toBe('success')
  const final = await packs()
  expect(sentParts(proxy.requests.slice(beforeRequests)).filter((part) => arrived.has(part))).toEqual([])
  const missing = total(final) - total(stored) - total(unfinished)
  expect(proxy.uploadedBytes - beforeBytes, 'the last run sends what is missing, and its own small objects').toBeLessThan(missing + 100_000)
  expect(total(final), 'no pack is there twice').toBeLessThan(70 * mebibyte * 1.01)
  // What was under way at a death is lost: one part.
  expect(proxy.uploadedBytes).toBeLessThan(total(final) + deaths.length * partBytes)
  expect(await arrivedParts()).toEqual(new Map())
  await expectWhole()
})

test('a prune ends an upload that nobody continued for a week; the next backup of the machine that began it gives the name up and sends the pack', async () => {
  fill(8)
  await dies(someParts)
  const [unfinished = ''] = [...(await arrivedParts()).keys()]
  expect((await runJob({ ...world.common, type: 'prune', dryRun: false }, context)).details).toMatchObject({ staleUploads: 0 })
  expect(((await pruneInAWeek()).details as PruneDetails).staleUploads).toBe(1)
  expect(await arrivedParts()).toEqual(new Map())
  expect((await backup()).outcome).toBe('success')
  expect([...(await packs()).keys()]).not.toContain(unfinished.split(' ')[0])
  await expectWhole()
})

test('the upload of a machine that is gone is ended by a prune, and costs another machine nothing', async () => {
  fill(8)
  await dies(someParts)
  rmSync(world.home, { recursive: true })
  expect((await backup()).outcome).toBe('success')
  expect((await arrivedParts()).size).toBeGreaterThan(0)
  expect(((await pruneInAWeek()).details as PruneDetails).staleUploads).toBe(1)
  expect(await arrivedParts()).toEqual(new Map())
  await expectWhole()
})
