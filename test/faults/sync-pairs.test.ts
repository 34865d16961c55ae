import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixedCredentials, type Credentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { probeBackend } from '../../engine/backend/probe.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { SyncDetails } from '../../engine/commands/sync.ts'
import type { EngineJob, JobSecrets, SyncJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { initRepository } from '../../engine/repository/repository.ts'
import { cheap } from '../fixtures/cheap-repository.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'
import { freshBucket } from '../servers/s3.ts'
import { Sshd } from '../servers/sshd.ts'
import { davPassword, davUser, startWebDav } from '../servers/webdav.ts'
import { never } from './template.ts'

interface Place {
  readonly address: (name: string) => string
  readonly credentials: Credentials
}

type Kind = 'folder' | 'S3' | 'WebDAV' | 'SFTP'

type Row = readonly [direction: 'pushed' | 'pulled', how: 'at one go' | 'killed between']

const some: readonly Row[] = [['pushed', 'killed between'], ['pulled', 'at one go']]
const others: readonly Row[] = [['pushed', 'at one go'], ['pulled', 'killed between']]
/** Each kind is read and written, pushed and pulled, at one go and killed. HOLDFAST_SYNC_TABLE=whole: every pair in all ways. */
const isWhole = process.env['HOLDFAST_SYNC_TABLE'] === 'whole'
const pairs: readonly (readonly [Kind, Kind, readonly Row[]])[] = [
  ['folder', 'S3', some], ['S3', 'WebDAV', others], ['S3', 'SFTP', some], ['SFTP', 'folder', others],
]
const megabyte = 1_000_000

let places: Readonly<Record<Kind, Place>>
let world: World
const owned = new AsyncDisposableStack()

beforeAll(async () => {
  world = owned.use(new World())
  const bucket = await freshBucket()
  owned.defer(() => { bucket.client.destroy() })
  const dav = owned.use(await startWebDav('apache'))
  const sshd = owned.use(await Sshd.start())
  places = {
    folder: { address: (name) => join(world.folder, name), credentials: {} },
    S3: { address: (name) => bucket.url(name.replaceAll(' ', '-')), credentials: { ...bucket.secrets } },
    WebDAV: { address: (name) => `webdav:${dav.origin}/${encodeURIComponent(name)}?user=${davUser}`, credentials: { password: davPassword } },
    SFTP: { address: (name) => sshd.address(name), credentials: {} },
  }
  const random = new SeededRandom(11)
  makeOddTree(join(world.source, 'odd'))
  mkdirSync(join(world.source, 'some'))
  for (let file = 0; file < 20; file++) writeFileSync(join(world.source, 'some', `${file}`), random.bytes(500 + file * 3000))
  writeFileSync(join(world.source, 'large'), random.bytes(6 * megabyte))
}, 120_000)

afterAll(() => owned.disposeAsync())

interface Storage {
  readonly repository: string
  readonly secrets: JobSecrets
}

/** Made as `init` does it, but for the price of the key. */
async function make(kind: Kind, name: string, password: string): Promise<Storage> {
  const { address, credentials } = places[kind]
  const repository = address(name)
  await using bare = await openBackend(repository, { credentials: fixedCredentials(credentials), signal: never, create: true })
  const { exclusiveCreate } = await probeBackend(bare, never)
  await initRepository(bare, password, { arbiter: exclusiveCreate ? 'cas' : 'flags', ...cheap }, never)
  return { repository, secrets: { password, storage: { ...credentials } } }
}

function run(job: EngineJob, secrets: JobSecrets): Promise<RunSummary> {
  return runJob(job, { ...world.context(), secrets })
}

/** A process that dies when its first pack has arrived. */
async function dies(job: SyncJob, secrets: JobSecrets): Promise<void> {
  const rule = encodeURIComponent('put,crash-after,prefix=packs/')
  const repository = `faulty+${job.repository}${job.repository.includes('?') ? '&' : '?'}fault.rule=${rule}`
  const child = spawn(process.execPath, [join(import.meta.dirname, '../suites/run-process.ts')], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(JSON.stringify({ job: { ...job, repository }, password: secrets.password, credentials: secrets.storage, from: secrets.from }))
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
}

async function packs({ repository, secrets }: Storage): Promise<ReadonlyMap<string, number>> {
  await using backend = await openBackend(repository, { credentials: fixedCredentials(secrets.storage), signal: never })
  const found = new Map<string, number>()
  for await (const { name, size } of backend.list('packs/', never)) found.set(name, size)
  return found
}

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

describe.each(pairs)('from %s to %s', (from, to, rows) => {
  let source: Storage
  const name = `${from} to ${to}`
  const common = { concurrency: 4, patienceMs: 20_000 } as const

  beforeAll(async () => {
    source = await make(from, name, 'one')
    const backup = { ...common, type: 'backup', repository: source.repository, home: world.home, sources: [world.source], dryRun: false, onFailure: 'drain', verify: false, excludes: { patterns: [], presets: [], oneFileSystem: false } } as const
    writeFileSync(join(world.source, 'changes'), 'before')
    for (const job of ['photos', 'music']) await run({ ...backup, name: job }, source.secrets)
    writeFileSync(join(world.source, 'changes'), 'after')
    await run({ ...backup, name: 'photos' }, source.secrets)
  }, 120_000)

  test.each(isWhole ? [...some, ...others] : rows)('%s %s, all arrives, checked and restored', async (direction, how) => {
    // Who pushes has made the backups; who pulls has never seen the source.
    const home = direction === 'pushed' ? world.home : join(world.folder, `${name} ${how}`)
    const destination = await make(to, `${name} ${direction} ${how}`, 'two')
    const job: SyncJob = { ...common, type: 'sync', repository: destination.repository, home, from: source.repository, groups: [], removeVanished: false, parallelGroups: 2, dryRun: false }
    const secrets: JobSecrets = { ...destination.secrets, from: source.secrets }
    if (how === 'killed between') await dies(job, secrets)
    const arrived = await packs(destination)
    expect(arrived.size > 0).toBe(how === 'killed between')

    const summary = await run(job, secrets)
    expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
    const { done, readBytes, sentBytes } = summary.details as SyncDetails
    expect(done.map(({ group, copied }) => [group.split('/')[1], copied.length]).sort()).toEqual([['music', 1], ['photos', 2]])
    const final = await packs(destination)
    for (const [pack, size] of arrived) expect(final.get(pack), 'what had arrived').toBe(size)
    const grown = total(final) - total(arrived)
    expect(sentBytes).toBeGreaterThan(grown)
    expect(sentBytes).toBeLessThan(grown + megabyte)
    expect(readBytes).toBeLessThan(grown + 2 * megabyte)
    expect(await run(job, secrets)).toMatchObject({ outcome: 'unchanged' })

    const there = { ...common, repository: destination.repository, home } as const
    expect(await run({ ...there, type: 'check', readDataPercent: 100 }, destination.secrets)).toMatchObject({ outcome: 'success' })
    const target = join(world.folder, 'restored')
    await run({ ...there, type: 'restore', snapshot: 'latest:photos', target, paths: [], overwrite: 'never' }, destination.secrets)
    expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
    rmSync(target, { recursive: true })
  }, 120_000)

  test('the source is as whole as before', async () => {
    expect(await run({ ...common, type: 'check', repository: source.repository, home: world.home, readDataPercent: 100 }, source.secrets)).toMatchObject({ outcome: 'success' })
  }, 120_000)
})
