import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import SqliteDatabase from 'better-sqlite3'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { asHoldfastError, HoldfastError } from '../../../engine/base/errors.ts'
import { RunFailed } from '../../../engine/commands/failure.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { BackupJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../bench/random.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { Template } from '../../faults/template.ts'
import { describeTree } from '../../fixtures/tree.ts'
import { World } from '../../fixtures/world.ts'

const isRoot = process.getuid?.() === 0

let world: World

beforeEach(async () => {
  world = new World()
  await initCheaply(world.repository, world.password)
  grow('first', 300_000)
})

afterEach(() => { world[Symbol.dispose]() })

function grow(name: string, bytes: number): void {
  writeFileSync(join(world.source, name), new SeededRandom(name.length * 1000 + name.charCodeAt(0)).bytes(bytes))
}

interface Failure {
  readonly code: string
  readonly place: unknown
  readonly outcome: string | undefined
}

async function failure(run: Promise<unknown>): Promise<Failure> {
  try {
    await run
    throw new Error('it went well')
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return { code: error.code, place: error.data['place'], outcome: error instanceof RunFailed ? error.summary.outcome : undefined }
  }
}

async function expectWhole(): Promise<void> {
  const checked = await world.check({ readDataPercent: 100 })
  expect(checked.outcome).toBe('success')
  const target = join(world.folder, `restored-${systemClock.now()}`)
  await world.restore(target)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}

function warnings(): string {
  return world.lines.filter(({ level }) => level === 'warning').map(({ message }) => message).join('\n')
}

/** The bytes of a table's first page. */
function pageOf(file: string, table: string): [number, number] {
  using database = disposable(new SqliteDatabase(file))
  const page = database.prepare<[string], number>('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table) ?? 1
  const size = Number(database.pragma('page_size', { simple: true }))
  return [(page - 1) * size, page * size]
}

function disposable(database: SqliteDatabase.Database): SqliteDatabase.Database & Disposable {
  return Object.assign(database, { [Symbol.dispose]: () => { database.close() } })
}

function catalogs(): string[] {
  const folder = join(world.home, 'catalogs')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.db')).map((name) => join(folder, name))
}

/** A small file system of its own at `path`; only root may make one. */
function mountSmall(path: string, megabytes: number): Disposable {
  mkdirSync(path, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', path])
  return { [Symbol.dispose]: () => { execFileSync('umount', ['-l', path]) } }
}

const canMount = isRoot && (() => {
  try {
    using _probe = mountSmall('/tmp/holdfast-mount-probe', 1)
    return true
  } catch {
    return false
  }
})()

describe.runIf(canMount)('a full or read-only disk', () => {
  test('at the destination: the run says so, what is there stays whole, and goes on once there is room', async () => {
    using _disk = mountSmall(world.repository, 8)
    await initCheaply(world.repository, world.password)
    await world.backup()
    grow('large', 20_000_000)
    expect(await failure(world.backup())).toMatchObject({ code: 'full' })
    expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
    execFileSync('mount', ['-o', 'remount,size=64m', world.repository])
    expect((await world.backup()).outcome).toBe('success')
    await expectWhole()
  })

  test('at HOLDFAST_HOME: the run says so, the repository is untouched, and the next run goes on', async () => {
    using _disk = mountSmall(world.home, 1)
    writeFileSync(join(world.home, 'ballast'), Buffer.alloc(900_000))
    expect(await failure(world.backup())).toMatchObject({ code: 'full', place: 'home' })
    rmSync(join(world.home, 'ballast'))
    expect((await world.backup()).outcome).toBe('success')
    execFileSync('mount', ['-o', 'remount,size=32m', world.home])
    await expectWhole()
  })

  test('at the target of a restore: it says so, and goes on once there is room', async () => {
    grow('large', 6_000_000)
    await world.backup()
    const target = join(world.folder, 'small')
    using _disk = mountSmall(target, 3)
    expect(await failure(world.restore(target))).toMatchObject({ code: 'full', place: 'target' })
    execFileSync('mount', ['-o', 'remount,size=32m', target])
    expect((await world.restore(target, { overwrite: 'changed' })).outcome).toBe('success')
    expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
  })

  test('read-only: a backup is refused, a restore and a check go on', async () => {
    await world.backup()
    const disk = join(world.folder, 'disk')
    using _disk = mountSmall(disk, 16)
    cpSync(world.repository, join(disk, 'repository'), { recursive: true, preserveTimestamps: true })
    execFileSync('mount', ['-o', 'remount,ro', disk])
    world.repository = join(disk, 'repository')
    grow('more', 1000)
    expect(await failure(world.backup())).toMatchObject({ code: 'denied' })
    rmSync(join(world.source, 'more'))
    expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
    expect((await world.restore(join(world.folder, 'restored'))).outcome).toBe('success')
    execFileSync('mount', ['-o', 'remount,rw', disk])
    await world.backup()
    await expectWhole()
  })
})

describe('a disk that is unplugged', () => {
  test('before the run: it is offline, and no folder is made in its place', async () => {
    await world.backup()
    renameSync(world.repository, `${world.repository}-away`)
    const job = { patienceMs: 300, create: false }
    expect(await failure(world.backup(job))).toMatchObject({ code: 'offline' })
    expect(readdirSync(world.folder)).not.toContain('repository')
    renameSync(`${world.repository}-away`, world.repository)
    grow('second', 1000)
    expect((await world.backup()).outcome).toBe('success')
    await expectWhole()
  })

  test('in the middle of a run: the run waits while it can, or ends as offline, and all is well when the disk is back', async () => {
    for (let index = 0; index < 6; index++) grow(`${'n'.repeat(index + 1)}`, 6_000_000)
    const away = `${world.repository}-away`
    const moved = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!world.transfers.some(({ direction }) => direction === 'up')) return
        clearInterval(timer)
        renameSync(world.repository, away)
        resolve()
      }, 2)
    })
    // Uploads wait for the disk; a pack that is just being begun on it cannot.
    const ended = world.backup({ patienceMs: 20_000, create: false }).then(({ outcome }) => outcome, (error: unknown) => asHoldfastError(error).code)
    await moved
    const waiting = async (): Promise<'waiting'> => {
      while (!world.progress.some(({ waitingFor }) => waitingFor?.code === 'offline')) await systemClock.sleep(20, new AbortController().signal)
      return 'waiting'
    }
    const first = await Promise.race([ended, waiting()])
    renameSync(away, world.repository)
    const last = await ended
    expect(first === 'waiting' ? ['success', 'offline'] : ['offline']).toContain(last)
    if (last === 'offline') expect((await world.backup({ create: false })).outcome).toBe('success')
    await expectWhole()
  })
})

describe('the local catalog', () => {
  test('deleted between runs: the next one finds everything again and stores nothing twice', async () => {
    await world.backup()
    rmSync(world.home, { recursive: true })
    grow('second', 1000)
    const summary = await world.backup()
    expect(summary).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
    expect(summary.uploadedBytes).toBeLessThan(80_000)
    await expectWhole()
  })

  test.each(['no database at all', 'torn pages', 'one torn page of blobs', 'a torn page that shows in mid-run', 'half of it'])('with %s: made anew, with a warning', async (damage) => {
    await world.backup()
    await world.restore(join(world.folder, 'before'))
    for (const file of catalogs()) {
      for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
      const bytes = readFileSync(file)
      if (damage === 'no database at all') writeFileSync(file, 'this is no database, it only stands in its place')
      else if (damage === 'torn pages') writeFileSync(file, bytes.fill(0xa5, 4096, bytes.length))
      else if (damage === 'one torn page of blobs') writeFileSync(file, bytes.fill(0xa5, ...pageOf(file, 'blobs')))
      else if (damage === 'a torn page that shows in mid-run') writeFileSync(file, bytes.fill(0xa5, ...pageOf(file, 'last_snapshot')))
      else truncateSync(file, Math.floor(statSync(file).size / 2))
    }
    grow('second', 1000)
    const summary = await world.backup()
    expect(summary).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
    expect(warnings()).toContain('made anew')
    await expectWhole()
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
  })

  test('deleted while a run goes on: the run or the next one is whole', async () => {
    for (let index = 0; index < 4; index++) grow(`${'m'.repeat(index + 1)}`, 3_000_000)
    const timer = setInterval(() => {
      if (!world.transfers.some(({ direction }) => direction === 'up')) return
      clearInterval(timer)
      rmSync(join(world.home, 'catalogs'), { recursive: true })
    }, 2)
    await world.backup().catch((error: unknown) => { if (!(error instanceof HoldfastError)) throw error })
    clearInterval(timer)
    await world.backup()
    await expectWhole()
  })

  test('older than a prune that moved what a snapshot needs: restore finds the new places', async () => {
    using template = await Template.make()
    await using copy = await template.copy()
    const restore = { ...world.common, repository: copy.url, home: copy.world.home, type: 'restore', snapshot: 'photos@2', paths: [], overwrite: 'always' } as const
    await copy.run({ ...restore, target: join(world.folder, 'before') })
    const pruned = await copy.run(copy.job('prune'))
    expect(JSON.stringify(pruned.details)).toContain('partly-used')
    await copy.run(copy.job('prune'))
    const again = await copy.run({ ...restore, target: join(world.folder, 'after') })
    expect(again).toMatchObject({ outcome: 'success', problems: 0 })
    expect(describeTree(join(world.folder, 'after'))).toEqual(describeTree(join(world.folder, 'before')).map((line, index) => (index === 0 ? describeTree(join(world.folder, 'after'))[0] : line)))
  })
})

describe('mistakes', () => {
  test('a wrong password, no repository, and another repository are called that; nothing is written', async () => {
    const { repositoryId = '' } = await world.backup()
    const before = readdirSync(world.repository, { recursive: true }).length
    world.password = 'wrong'
    expect(await failure(world.backup({ create: false }))).toMatchObject({ code: 'password' })
    world.password = 'correct horse'
    expect(await failure(world.backup({ expectRepositoryId: '0'.repeat(32) }))).toMatchObject({ code: 'another-repository' })
    expect(readdirSync(world.repository, { recursive: true }).length).toBe(before)
    grow('second', 1000)
    expect((await world.backup({ expectRepositoryId: repositoryId })).outcome).toBe('success')
    world.repository = join(world.folder, 'empty')
    mkdirSync(world.repository)
    expect(await failure(world.backup({ create: false }))).toMatchObject({ code: 'not-a-repository' })
    expect(readdirSync(world.repository).filter((name) => !name.startsWith('.'))).toEqual([])
  })

  test('another repository put in the place of the first: its own history, nothing of the old catalog is believed', async () => {
    await world.backup()
    rmSync(world.repository, { recursive: true })
    await initCheaply(world.repository, world.password)
    expect((await world.backup({ acceptOtherRepository: true }))).toMatchObject({ outcome: 'success', snapshot: 'photos@1' })
    await expectWhole()
  })

  test('an old copy of the repository put back: the run stores again what it lost', async () => {
    cpSync(world.repository, join(world.folder, 'old'), { recursive: true })
    await world.backup()
    rmSync(world.repository, { recursive: true })
    renameSync(join(world.folder, 'old'), world.repository)
    expect((await world.backup({ acceptOlderRepository: true })).outcome).toBe('success')
    await expectWhole()
  })

  test('a clock that jumps back a year, and forth ten: revisions go on, nothing is lost', async () => {
    await world.backup()
    const at = (offsetMs: number) => ({ ...systemClock, now: () => systemClock.now() + offsetMs })
    const year = 365 * 24 * 3_600_000
    const run = (offsetMs: number, job: Pick<BackupJob, 'type'> | object): Promise<RunSummary> =>
      runJob({ ...world.common, ...job } as never, { ...world.context(), clock: at(offsetMs) })
    const backup = { type: 'backup', name: 'photos', sources: [world.source], excludes: { patterns: [], presets: [], oneFileSystem: false }, dryRun: false, onFailure: 'drain', verify: true }
    grow('past', 1000)
    expect(await run(-year, backup)).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
    grow('future', 1000)
    expect(await run(10 * year, backup)).toMatchObject({ outcome: 'success', snapshot: 'photos@3' })
    await run(-year, { type: 'prune', dryRun: false })
    await run(10 * year, { type: 'prune', dryRun: false })
    await run(-year, { type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: false })
    await run(10 * year, { type: 'prune', dryRun: false })
    grow('now', 1000)
    expect((await world.backup()).outcome).toBe('success')
    await expectWhole()
  })
})

describe('two runs at once', () => {
  test('of one job on one machine: the second is busy, from the same or another process', async () => {
    grow('large', 8_000_000)
    const running = world.backup()
    const codes = await Promise.allSettled([running, world.backup()])
    expect(codes.map((each) => (each.status === 'fulfilled' ? 'fine' : (each.reason as HoldfastError).code)).toSorted()).toEqual(['busy', 'fine'])
    await expectWhole()
  })

  test('of one job on two machines: two revisions, or one with a clear error', async () => {
    grow('large', 3_000_000)
    const home = join(world.folder, 'other-home')
    const [here, there] = await Promise.all([world.backup(), world.run({
      ...world.common, home, type: 'backup', name: 'photos', sources: [world.source], excludes: { patterns: [], presets: [], oneFileSystem: false },
      dryRun: false, onFailure: 'drain', verify: false,
    })])
    expect([here.snapshot, there.snapshot].toSorted()).toEqual(['photos@1', 'photos@2'])
    await expectWhole()
  })
})

