import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { systemClock, type Clock } from '../../engine/base/clock.ts'
import type { CommandContext } from '../../engine/commands/context.ts'
import { runJob } from '../../engine/commands/run.ts'
import type { EngineJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { SeededRandom } from '../bench/random.ts'
import { describeTree, type TreeLines } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'

export const never = new AbortController().signal

/** Commands run ten days after the template was made: what it left is old enough to be pruned, and its dead session to be ended. */
const ageMs = 10 * 24 * 3_600_000

/** Waits pass a hundred times faster, so that backoff and patience cost a test nothing. */
export const fastClock: Clock = {
  now: () => Date.now() + ageMs,
  monotonic: () => performance.now() * 100,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
}

/** What decides about commits: see PROTOCOL.md. */
type Arbiter = 'cas' | 'flags'

/** A backup that died before its commit: its session stays open. */
async function leaveSession(world: World): Promise<void> {
  const { repository } = world
  world.repository = `faulty+${repository}?fault.rule=put,before,prefix=snapshots/,code=denied`
  await world.backup({ name: 'other' }).catch(() => undefined)
  world.repository = repository
}

let copies = 0

/** Hundreds of small databases are made and thrown away: where there is a disk in memory, none waits for a real one. */
const quickFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/**
 * A repository with a history that gives every command something to do: three snapshots of which the first is forgotten, a pack that
 * is partly used, and a source that has changed since. Each case works on a copy.
 */
export class Template implements Disposable {
  readonly #world: World
  /** What the snapshot photos@3 holds. */
  readonly #third: TreeLines

  private constructor(world: World, third: TreeLines) {
    this.#world = world
    this.#third = third
  }

  static async make(arbiter: Arbiter = 'cas'): Promise<Template> {
    const world = new World(`memory:template-${++copies}`, quickFolder)
    await initCheaply(world.repository, world.password, {}, { arbiter })
    const random = new SeededRandom(33)
    const write = (name: string, bytes: number): void => { writeFileSync(join(world.source, name), random.bytes(bytes)) }
    mkdirSync(join(world.source, 'small'))
    for (let index = 0; index < 20; index++) write(`small/${index}`, 500 + index * 37)
    for (const name of ['a', 'b', 'c']) write(`${name}.bin`, 300_000)
    await world.backup()
    rmSync(join(world.source, 'a.bin'))
    rmSync(join(world.source, 'b.bin'))
    write('d.bin', 200_000)
    await world.backup()
    write('small/3', 900)
    await world.backup()
    const third = describeTree(world.source)
    await world.run({ ...world.common, type: 'forget', snapshots: ['photos@1'], dryRun: false })
    write('e.bin', 250_000)
    await leaveSession(world)
    write('small/new', 777)
    rmSync(join(world.source, 'small/5'))
    return new Template(world, third)
  }

  /** A copy of the repository, or of what was made of it, and a machine that knows it and has the changed source. */
  async copy(from = this.#world.repository): Promise<TemplateCopy> {
    const copy = this.empty()
    await copyObjects(from, copy.url)
    return copy
  }

  /** The same machine, and an address where nothing is. */
  empty(): TemplateCopy {
    return new TemplateCopy(`memory:copy-${++copies}`, this.#world, this.#third)
  }

  /** Writes the repository into a folder. */
  async copyTo(folder: string): Promise<void> {
    await copyObjects(this.#world.repository, folder)
  }

  /** The same machine, and a repository folder that the caller looks after. */
  at(folder: string): TemplateCopy {
    return new TemplateCopy(folder, this.#world, this.#third)
  }

  [Symbol.dispose](): void {
    this.#world[Symbol.dispose]()
  }
}

/** A fault that happened: which rule, counted from 0, and what it struck. */
interface Happened {
  readonly rule: number
  readonly operation: string
  readonly name: string
}

/** One case's own repository and machine. */
export class TemplateCopy implements AsyncDisposable {
  readonly url: string
  readonly world: World
  readonly #template: World
  readonly #third: TreeLines
  readonly #report: string
  #changes = 0

  constructor(url: string, template: World, third: TreeLines) {
    this.url = url
    this.world = new World(url, quickFolder)
    this.#template = template
    this.#third = third
    this.#report = join(this.world.folder, 'faults')
    writeFileSync(this.#report, '')
    cpSync(template.home, this.world.home, { recursive: true })
  }

  /** The jobs of a table, against an address. */
  job(type: EngineJob['type'], repository = this.url): EngineJob {
    const common = { ...this.world.common, repository, patienceMs: 3000 }
    switch (type) {
      case 'backup':
        return {
          ...common, type, name: 'photos', sources: [this.#template.source, this.world.source], dryRun: false, onFailure: 'drain', verify: true,
          excludes: { patterns: [], presets: [], oneFileSystem: false },
        }
      case 'restore': return { ...common, type, snapshot: 'photos@3', target: join(this.world.folder, 'first'), paths: [], overwrite: 'changed' }
      case 'check': return { ...common, type, readDataPercent: 100 }
      case 'forget': return { ...common, type, snapshots: [], policy: { last: 1 }, dryRun: false }
      case 'prune': return { ...common, type, dryRun: false }
      case 'rebuild':
      case 'test':
        return { ...common, type }
      default: throw new Error(`no job of type ${type} here`)
    }
  }

  run(job: EngineJob, signal?: AbortSignal): Promise<RunSummary> {
    if (job.type === 'backup') this.#beginDay()
    return runJob(job, this.context(signal))
  }

  /** Each backup of a table is the first of its day, and so reads packs back. */
  #beginDay(): void {
    for (const path of globSync('catalogs/*/*.db', { cwd: this.world.home, exclude: ['**/names.db'] })) {
      const catalog = new Database(join(this.world.home, path))
      catalog.exec("DELETE FROM meta WHERE key = 'verification'")
      catalog.close()
    }
  }

  context(signal: AbortSignal = never): CommandContext {
    return { ...this.world.context(signal), clock: fastClock }
  }

  /** The address with faults; each that happens leaves a line in the report. */
  faulty(...rules: readonly string[]): string {
    const settings = [...rules.map((rule) => `fault.rule=${encodeURIComponent(rule)}`), `fault.report=${encodeURIComponent(this.#report)}`]
    return `faulty+${this.url}?${settings.join('&')}`
  }

  /** Faults that happened since the report was cleared. */
  happened(): Happened[] {
    return readFileSync(this.#report, 'utf8').split('\n').filter((line) => line !== '').map((line) => {
      const [rule = '', , operation = '', name = ''] = line.split(' ')
      return { rule: Number(rule), operation, name }
    })
  }

  /** Forgets what happened so far. */
  clearReport(): void {
    writeFileSync(this.#report, '')
  }

  /** Gives the next backup something to store. */
  change(): void {
    writeFileSync(join(this.world.source, `change-${++this.#changes}`), new SeededRandom(this.#changes).bytes(5000))
  }

  /** Every object's name and size, to see what a command has changed. */
  async objects(): Promise<string[]> {
    await using backend = await open(this.url)
    const found: string[] = []
    for await (const { name, size } of backend.list('', never)) found.push(`${name} ${size}`)
    return found
  }

  /** What whoever comes next does: a backup, a check of every byte, and a restore. Returns what is wrong after it. */
  async prove(): Promise<string[]> {
    const wrong: string[] = []
    const backup = await this.run(this.job('backup'))
    if (!['success', 'unchanged'].includes(backup.outcome)) wrong.push(`the next backup ended with ${backup.outcome}: ${JSON.stringify(backup.firstProblems)}`)
    const check = await this.run(this.job('check'))
    if (check.outcome !== 'success') wrong.push(`check found ${JSON.stringify(check.details)}`)
    return [...wrong, ...await this.proveLatest()]
  }

  /** Restores the latest snapshot. Returns what is wrong. */
  async proveLatest(): Promise<string[]> {
    const wrong: string[] = []
    const target = mkdtempSync(join(this.world.folder, 'proof-'))
    const restored = await this.run({ ...this.world.common, repository: this.url, type: 'restore', snapshot: 'latest:photos', target, paths: [], overwrite: 'changed' })
    if (restored.outcome !== 'success') wrong.push(`restore ended with ${restored.outcome}`)
    // A machine whose catalog is new does not know that the first was alone once, and tells both apart.
    for (const { folder, source } of [this.#template, this.world]) {
      const own = `source (${basename(folder)})`
      const name = existsSync(join(target, own)) ? own : 'source'
      if (!isDeepStrictEqual(describeTree(join(target, name)), describeTree(source))) wrong.push(`${name} came back otherwise`)
    }
    return wrong
  }

  /** Restores a snapshot of old. Returns what is wrong. */
  async proveOld(): Promise<string[]> {
    const target = mkdtempSync(join(this.world.folder, 'old-'))
    const restored = await this.run({ ...this.world.common, repository: this.url, type: 'restore', snapshot: 'photos@3', target, paths: [], overwrite: 'changed' })
    const whole = restored.outcome === 'success' && isDeepStrictEqual(describeTree(join(target, 'source')), this.#third)
    return whole ? [] : [`photos@3 came back otherwise, with ${restored.outcome}`]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.world[Symbol.dispose]()
    await using backend = await open(this.url)
    for await (const { name } of backend.list('', never)) await backend.remove(name, never)
  }
}

export function open(url: string): Promise<StorageBackend> {
  return openBackend(url, { credentials: fixedCredentials({}), signal: never, create: true })
}

async function copyObjects(from: string, to: string): Promise<void> {
  await using source = await open(from)
  await using target = await open(to)
  for await (const { name } of source.list('', never)) {
    await target.put(name, { type: 'bytes', bytes: await source.get(name, 'all', never) }, {}, never)
  }
}
