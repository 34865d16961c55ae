import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { fixedCredentials, type Credentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { probeBackend } from '../../engine/backend/probe.ts'
import { HoldfastError } from '../../engine/base/errors.ts'
import type { CommandContext } from '../../engine/commands/context.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { BackupJob, EngineJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { initRepository } from '../../engine/repository/repository.ts'
import { cheap } from '../fixtures/cheap-repository.ts'
import { SeededRandom } from '../bench/random.ts'
import { withOwner } from '../fixtures/token-owner.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'

/** A place where no repository is yet. */
export interface JourneyStorage extends AsyncDisposable {
  readonly address: string
  readonly credentials: Credentials
  /** What a process needs to find a stand-in: HOLDFAST_SERVICE_… */
  readonly environment?: Readonly<Record<string, string>>
}

const never = new AbortController().signal
const good = ['success', 'unchanged', 'warnings']

/** Where a run dies: before or after which operation on the storage. */
const crashes = [
  'put,crash-before,prefix=packs/', 'put,crash-after,prefix=packs/,skip=1', 'put,crash-after,prefix=index/', 'put,crash-before,prefix=snapshots/', 'put,crash-after,prefix=snapshots/',
]

/** What a storage does to a run, and how that may end. A run that fails loses nothing. */
const faults: readonly (readonly [string, readonly string[]])[] = [
  ['put,before,prefix=packs/,times=1,code=throttled,retryAfterMs=50', good],
  ['put,before,prefix=packs/,times=2,code=unavailable', good],
  ['put,during,prefix=packs/,times=1,code=offline', good],
  ['put,after,prefix=packs/,times=1,code=offline', good],
  ['put,after,prefix=index/,times=1,code=offline', good],
  ['put,after,prefix=snapshots/,times=1,code=offline', good],
  ['put,after,prefix=sessions/,times=1,code=offline', good],
  ['list,during,times=2,code=offline', good],
  ['get,before,times=2,code=unavailable', good],
  ['remove,after,times=2,code=offline', good],
  ['put,before,prefix=packs/,code=full', ['full']],
  ['put,before,prefix=snapshots/,code=denied', ['denied']],
  ['any,before,skip=6,code=credentials', ['credentials']],
]

/**
 * A whole life of a repository on a storage, with the real commands: made, backed up to, killed at each step, broken in each way, pruned
 * beside a backup, checked byte by byte, and restored.
 */
export function destinationJourney(name: string, make: () => Promise<JourneyStorage>): void {
  describe(`${name}: a repository's life`, () => {
    let storage: JourneyStorage
    let world: World
    const random = new SeededRandom(7)
    let changes = 0

    const context = (): CommandContext => ({ ...world.context(), ...withOwner(storage.credentials), secrets: { password: world.password, storage: { ...storage.credentials } } })
    const run = (job: EngineJob): Promise<RunSummary> => runJob(job, context())
    const faulty = (...rules: readonly string[]): string =>
      `faulty+${storage.address}${storage.address.includes('?') ? '&' : '?'}${rules.map((rule) => `fault.rule=${encodeURIComponent(rule)}`).join('&')}`
    const backupJob = (more: Partial<BackupJob> = {}): BackupJob => ({
      ...world.common, repository: storage.address, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: true,
      excludes: { patterns: [], presets: [], oneFileSystem: false }, ...more,
    })
    const common = () => ({ ...world.common, repository: storage.address })
    /** Something to store for each run. */
    const change = (bytes = 400_000): void => { writeFileSync(join(world.source, `new-${++changes % 12}`), random.bytes(bytes)) }
    const backend = (): Promise<StorageBackend> => openBackend(storage.address, { credentials: fixedCredentials(storage.credentials), signal: never })
    const expectWhole = async (): Promise<void> => {
      expect(await run({ ...common(), type: 'check', readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
      const target = join(world.folder, `restored-${changes}`)
      await run({ ...common(), type: 'restore', snapshot: 'latest', target, paths: [], overwrite: 'never' })
      expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
      rmSync(target, { recursive: true })
    }

    beforeAll(async () => {
      storage = await make()
      Object.assign(process.env, storage.environment)
      world = new World(storage.address)
      makeOddTree(join(world.source, 'odd'))
      mkdirSync(join(world.source, 'some'))
      for (let index = 0; index < 60; index++) writeFileSync(join(world.source, 'some', `${index}`), random.bytes(200 + index * 977))
      writeFileSync(join(world.source, 'large'), random.bytes(40_000_000))
    })

    afterAll(async () => {
      for (const variable of Object.keys(storage.environment ?? {})) Reflect.deleteProperty(process.env, variable)
      world[Symbol.dispose]()
      await storage[Symbol.asyncDispose]()
    })

    test('it is made, backed up to and restored from', async () => {
      // Made as `init` does it, but for the price of the key, which each of a hundred runs would pay.
      await using bare = await openBackend(storage.address, { credentials: fixedCredentials(storage.credentials), signal: never, create: true })
      const { exclusiveCreate } = await probeBackend(bare, never)
      expect(exclusiveCreate).toBe(bare.traits.exclusiveCreate)
      await initRepository(bare, world.password, { arbiter: exclusiveCreate ? 'cas' : 'flags', ...cheap }, never)
      expect(await run(backupJob())).toMatchObject({ outcome: 'success' })
      expect(await run(backupJob())).toMatchObject({ outcome: 'unchanged' })
      await expectWhole()
    })

    test('a backup that is killed at any step loses nothing, and the next one sends no pack again', async () => {
      for (const crash of crashes) {
        change(3_000_000)
        const child = spawn(process.execPath, [join(import.meta.dirname, 'run-process.ts')], { env: { ...process.env, ...storage.environment }, stdio: ['pipe', 'ignore', 'inherit'] })
        child.stdin.end(JSON.stringify({ job: backupJob({ repository: faulty(crash) }), password: world.password, credentials: storage.credentials }))
        expect(await once(child, 'exit'), crash).toEqual([null, 'SIGKILL'])
        const packs = await sizes(await backend())
        const summary = await run(backupJob())
        expect(good, crash).toContain(summary.outcome)
        const after = await sizes(await backend())
        for (const [pack, size] of packs) expect(after.get(pack), `${pack} after ${crash}`).toBe(size)
        expect(summary.uploadedBytes, crash).toBeLessThan(total(after) - total(packs) + 1_000_000)
      }
      await expectWhole()
    })

    test.each(faults)('%s', async (rule, endings) => {
      change()
      const ending = await run(backupJob({ repository: faulty(rule) })).then(({ outcome }) => outcome, codeOf)
      expect(endings).toContain(ending)
      expect(good).toContain((await run(backupJob())).outcome)
    })

    test('what was forgotten is pruned beside a backup, and what is left is whole', async () => {
      const before = total(await sizes(await backend()))
      rmSync(join(world.source, 'large'))
      change()
      await run(backupJob())
      await run({ ...common(), type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false })
      const prune = (): Promise<RunSummary> => run({ ...common(), type: 'prune', dryRun: false, minimumAgeMs: 0, expireAfterMs: 1 })
      change()
      const [first, backup] = await Promise.all([prune(), run(backupJob({ name: 'other' }))])
      expect(good).toContain(first.outcome)
      expect(good).toContain(backup.outcome)
      await prune()
      await prune()
      expect(total(await sizes(await backend()))).toBeLessThan(before - 35_000_000)
      await expectWhole()
    })

    test('nothing is left behind but the repository', async () => {
      await using storageNow = await backend()
      await storageNow.abortStaleUploads?.(-60_000, never)
      const kinds = new Set<string>()
      for await (const { name: object } of storageNow.list('', never)) kinds.add(object.split('/', 1).join(''))
      expect([...kinds].filter((kind) => kind === 'probe')).toEqual([])
      expect(kinds).toContain('config')
    })
  })
}

function codeOf(error: unknown): string {
  let code = ''
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof HoldfastError) code = cause.code
  return code === '' ? String(error) : code
}

/** Sizes of the packs by name. */
async function sizes(backend: StorageBackend): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for await (const { name, size } of backend.list('packs/', never)) found.set(name, size)
  await backend[Symbol.asyncDispose]()
  return found
}

function total(sizes: Map<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
