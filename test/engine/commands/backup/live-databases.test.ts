import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EntryStat } from '../../../../engine/base/entry-stat.ts'
import { backup } from '../../../../engine/commands/backup.ts'
import type { Disk, DiskResult } from '../../../../engine/source/disk.ts'
import { hookedDisk } from '../../../fixtures/disk.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'
import type { World } from '../../../fixtures/world.ts'

const program = fileURLToPath(new URL('../../../fixtures/database-writer.ts', import.meta.url))

let world: World
let writers: Writer[]

beforeEach(async () => {
  world = await quickWorld()
  writers = []
})
afterEach(async () => {
  for (const writer of writers) await writer.kill()
  world[Symbol.dispose]()
})

/** A program of its own: locks are between processes. */
class Writer {
  readonly #child: ChildProcess
  #transactions = 0
  #wake = (): void => undefined

  constructor(...words: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.on('data', (lines: Buffer) => {
      this.#transactions += lines.length
      this.#wake()
    })
    this.#child.on('exit', () => { this.#wake() })
    writers.push(this)
  }

  /** Until it has written so often since. */
  async writes(transactions: number): Promise<void> {
    const wanted = this.#transactions + transactions
    while (this.#transactions < wanted) {
      if (this.#child.exitCode !== null) throw new Error('The writer failed.')
      await new Promise<void>((resolve) => { this.#wake = resolve })
    }
  }

  /** It closes its database. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    expect(this.#child.exitCode).toBe(0)
  }

  /** Wherever it is just now; until it is killed. */
  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }
}

/** What SQLite says of a database of the writer's, opened as its program would: recovered from what lies beside it. */
function examine(path: string): unknown {
  const database = new Database(path)
  try {
    return {
      integrity: database.pragma('integrity_check', { simple: true }),
      sum: database.prepare('SELECT (SELECT sum(amount) FROM debit) + (SELECT sum(amount) FROM credit)').pluck().get(),
      rows: database.prepare('SELECT (SELECT count(*) FROM debit) + (SELECT count(*) FROM credit)').pluck().get(),
    }
  } finally {
    database.close()
  }
}

const sound = { integrity: 'ok', sum: 0, rows: 1200 }

/** The newest snapshot. @returns the folder that the source has become */
async function restore(): Promise<string> {
  const target = join(world.folder, 'restored')
  rmSync(target, { recursive: true, force: true })
  await world.restore(target)
  return join(target, 'source')
}

/** Each database of the newest snapshot. */
async function restored(...names: readonly string[]): Promise<unknown[]> {
  const target = await restore()
  return names.map((name) => examine(join(target, name)))
}

const modes = ['delete', 'wal']

test('databases that are written to all the time are sound in every snapshot', async () => {
  const running = modes.map((mode) => new Writer(join(world.source, mode), mode))
  for (let run = 0; run < 2; run++) {
    for (const writer of running) await writer.writes(3)
    expect(await world.backup()).toMatchObject({ outcome: 'success' })
    expect(await restored(...modes)).toEqual(modes.map(() => sound))
  }
  for (const writer of running) await writer.end()
})

test.each(['delete', 'persist', 'truncate', 'wal', 'wal exclusive'])('a program that stands still, or died, in the middle of whatever it did: %s', async (words) => {
  const writer = new Writer(join(world.source, 'a.db'), ...words.split(' '))
  await writer.writes(4)
  writer.stop()
  const before = state()
  expect(await world.backup()).toMatchObject({ outcome: 'success', notes: [] })
  expect(state()).toEqual(before)
  expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
  expect(await restored('a.db')).toEqual([sound])
  await writer.kill()
  expect(state()).toEqual(before)
  await world.backup()
  expect(await restored('a.db')).toEqual([sound])
})

/** Names, times and bytes of the source. */
function state(): unknown[] {
  return readdirSync(world.source).map((name) => {
    const path = join(world.source, name)
    const content = hash('sha256', readFileSync(path))
    const { mtimeNs, ctimeNs, atimeNs, size, ino } = statSync(path, { bigint: true })
    return { name, content, mtimeNs, ctimeNs, atimeNs, size, ino }
  })
}

const backupWith = (disk: Disk): ReturnType<typeof backup> => backup({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
}, world.context(), disk)

/** A database with a WAL of a program that died, in a folder of its own. */
async function died(): Promise<string> {
  const folder = join(world.folder, 'died')
  mkdirSync(folder)
  const writer = new Writer(join(folder, 'a.db'), 'wal')
  await writer.writes(4)
  await writer.kill()
  return folder
}

test('a WAL that comes after the names were read is in the snapshot', async () => {
  const folder = await died()
  cpSync(join(folder, 'a.db'), join(world.source, 'a.db'))
  writeFileSync(join(world.source, 'a.db-very-much-behind'), 'stays')
  const names = (path: string, ask: () => DiskResult<string[]>): DiskResult<string[]> => {
    const result = ask()
    if (path === world.source) cpSync(join(folder, 'a.db-wal'), join(world.source, 'a.db-wal'))
    return result
  }
  await backupWith(hookedDisk({ names }))
  expect(readFileSync(join(await restore(), 'a.db-wal'))).toEqual(readFileSync(join(folder, 'a.db-wal')))
  expect(await restored('a.db')).toEqual([sound])
})

test('a WAL that goes after the names were read is not in the snapshot, and nothing is wrong', async () => {
  cpSync(await died(), world.source, { recursive: true })
  const path = join(world.source, 'a.db')
  const names = (asked: string, ask: () => DiskResult<string[]>): DiskResult<string[]> => {
    const result = ask()
    // Whoever closes it last takes its WAL over into it.
    if (asked === world.source) examine(path)
    return result
  }
  expect(await backupWith(hookedDisk({ names }))).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'vanished', path: `${path}-shm` }] })
  expect(existsSync(join(await restore(), 'a.db-wal'))).toBe(false)
  expect(await restored('a.db')).toEqual([sound])
})

test('where only the WAL has changed, the database is not stored again, and they belong together', async () => {
  const path = join(world.source, 'a.db')
  cpSync(await died(), world.source, { recursive: true })
  await world.backup()
  const before = statSync(path, { bigint: true })
  // Closed without taking anything over into the database.
  const writer = new Writer(path, 'wal', 'append')
  await writer.writes(2)
  await writer.kill()
  expect(statSync(path, { bigint: true })).toMatchObject({ mtimeNs: before.mtimeNs, ctimeNs: before.ctimeNs })
  expect(await world.backup()).toMatchObject({ outcome: 'success' })
  expect(readFileSync(join(await restore(), 'a.db-wal'))).toEqual(readFileSync(`${path}-wal`))
  expect(await restored('a.db')).toEqual([sound])
})

test('one that changes whenever it is looked at is stored as it was read, and a note says so', async () => {
  const path = join(world.source, 'a.db')
  let content = 'SQLite format 3\0'.padEnd(512, '.')
  writeFileSync(path, content)
  const entry = (asked: string, ask: () => DiskResult<EntryStat>): DiskResult<EntryStat> => {
    if (asked === path) writeFileSync(path, content += '.'.repeat(512))
    return ask()
  }
  expect(await backupWith(hookedDisk({ entry }))).toMatchObject({ outcome: 'success', notes: [{ code: 'database', count: 1, path }] })
  expect(readFileSync(join(await restore(), 'a.db'), 'latin1')).toBe(content)
})

test('what only has such a name is stored as any file', async () => {
  const at = (name: string): string => join(world.source, name)
  for (const name of ['text', 'text-wal', 'text-journal', 'alone-wal', 'folder-owner', 'link-owner']) writeFileSync(at(name), name.padEnd(512, '.'))
  mkdirSync(at('folder-owner-wal'))
  writeFileSync(at('folder-owner-wal/file'), 'in it')
  symlinkSync('nowhere', at('link-owner-journal'))
  execFileSync('mkfifo', [at('text-wal.'), at('pipe-wal')])
  writeFileSync(at('pipe'), 'SQLite format 3\0'.padEnd(1024, '.'))
  expect(await world.backup()).toMatchObject({ outcome: 'success', problems: 0 })
  const target = await restore()
  expect(readdirSync(target, { recursive: true }).sort()).toEqual(readdirSync(world.source, { recursive: true }).sort())
  expect(readFileSync(join(target, 'text-wal'), 'utf8')).toBe('text-wal'.padEnd(512, '.'))
})

test('copies are gone after the run, those of a run that died too', async () => {
  cpSync(await died(), world.source, { recursive: true })
  await world.backup()
  const spool = join(world.home, 'spool')
  const folders = (): string[] => readdirSync(spool, { recursive: true, encoding: 'utf8' })
  const [deepest = ''] = folders().sort((a, b) => b.length - a.length)
  expect(folders().filter((name) => name.includes('databases'))).toEqual([])
  mkdirSync(join(spool, deepest, 'databases'))
  writeFileSync(join(spool, deepest, 'databases/left'), 'of a run that died')
  await world.backup()
  expect(folders().filter((name) => name.includes('databases'))).toEqual([])
})
