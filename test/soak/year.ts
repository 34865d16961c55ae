import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { systemClock } from '../../engine/base/clock.ts'
import { hasCode } from '../../engine/base/errors.ts'
import { openBrowser } from '../../engine/commands/browse.ts'
import { runJob } from '../../engine/commands/run.ts'
import { parseCareDetails, type CareDetails } from '../../engine/protocol/care.ts'
import type { EngineJob, RetentionPolicy } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { defaultRetention } from '../../main/api/retention.ts'
import { SeededRandom } from '../bench/random.ts'
import { testContext } from '../engine/commands/run-support.ts'
import { password } from '../engine/small-repository.ts'

export interface YearOptions {
  readonly seed: number
  readonly days: number
  /** Year, month from 1, day, where this process is. */
  readonly from?: readonly [number, number, number]
  /** Between two backups of a machine: 1, or another divisor of 3. Default 1. */
  readonly everyHours?: 1 | 3
  /** Empty folder. */
  readonly folder: string
  readonly machines?: readonly string[]
  /** Told once a simulated month. */
  readonly onMonth?: (report: YearReport) => void
}

/** What came of it; bytes are stored ones. */
export interface YearReport {
  day: number
  backups: number
  brokenOff: number
  careRuns: number
  forgotten: number
  deletedPacks: number
  /** Care runs whose prune had to wait for a session. */
  waiting: number
  /** Snapshots that are there, of all machines. */
  snapshots: number
  /** Of packs, in the storage. */
  packBytes: number
  /** Of the different files that the snapshots hold: less cannot be stored, they are random. */
  neededBytes: number
  /** The most that a day's care of one machine took over the network, in both directions. */
  mostCareBytes: number
  restored: number
  filesCompared: number
  drilledFiles: number
  verifiedPacks: number
}

const hourMs = 3_600_000
const job = 'files'
const standardMachines = ['alpha', 'beta', 'gamma'] as const
/** Of each machine; one changes at each hour, now and then one comes or goes. */
const fileCount = 12
const largestFile = 40_000

interface Content {
  readonly hash: string
  readonly bytes: number
}

interface Taken {
  readonly id: string
  readonly finishedMs: number
  /** The whole tree, by names. */
  readonly files: ReadonlyMap<string, Content>
}

interface Machine {
  readonly name: string
  readonly home: string
  readonly source: string
  readonly random: SeededRandom
  readonly files: Map<string, Content>
  /** Every snapshot that was ever made. */
  readonly taken: Taken[]
  /** When it was looked after last, to the end. */
  caredMs: number
  /** When it was looked after last, and that was broken off. */
  brokenMs: number
}

/**
 * Machines that back up every hour, and look after their one repository every night, for as many days as one likes: in one process, by a clock that is moved. Some
 * runs are broken off; care goes on beside the backups of the others. Each night what is left must be exactly what the policy says, by an oracle of its own; each
 * month some snapshots must restore to what their sources were, and at the end all of them and every stored byte.
 * Errors: whatever is not so, with the day and the seed. Sets the clock of the process back when it ends.
 */
export async function liveThrough(options: YearOptions): Promise<YearReport> {
  const systemNow = Date.now
  try {
    return await new Year(options).run()
  } finally {
    Date.now = systemNow
  }
}

class Year {
  readonly #options: YearOptions
  readonly #random: SeededRandom
  readonly #address: string
  readonly #machines: readonly Machine[]
  readonly #report: YearReport = {
    day: 0, backups: 0, brokenOff: 0, careRuns: 0, forgotten: 0, deletedPacks: 0, waiting: 0, snapshots: 0, packBytes: 0, neededBytes: 0, mostCareBytes: 0, restored: 0, filesCompared: 0,
    drilledFiles: 0, verifiedPacks: 0,
  }
  #nowMs: number

  constructor(options: YearOptions) {
    this.#options = options
    this.#nowMs = this.#midnight(1)
    this.#random = new SeededRandom(options.seed)
    this.#address = `memory:year-${options.seed}-${systemClock.monotonic()}`
    this.#machines = (options.machines ?? standardMachines).map((name, index) => {
      const [home, source] = [join(options.folder, name, 'home'), join(options.folder, name, 'source')]
      mkdirSync(source, { recursive: true })
      return { name, home, source, random: new SeededRandom(options.seed + index + 1), files: new Map(), taken: [], caredMs: 0, brokenMs: 0 }
    })
  }

  async run(): Promise<YearReport> {
    Date.now = () => this.#nowMs
    await initCheaply(this.#address, password)
    for (const machine of this.#machines) for (let file = 0; file < fileCount; file++) this.#write(machine, `first-${file}`)
    for (let day = 1; day <= this.#options.days; day++) {
      this.#report.day = day
      await this.#liveDay(day)
      await this.#expectKept()
      if (day % 30 !== 0) continue
      await this.#restoreSome(2)
      await this.#weigh()
      this.#options.onMonth?.(this.#report)
    }
    await this.#restoreSome(Infinity)
    await this.#weigh()
    const checked = await this.#job({ ...this.#common(this.#first), type: 'check', readDataPercent: 100 })
    this.#expect(checked.outcome === 'success', `the last check: ${JSON.stringify(checked.firstProblems.slice(0, 3))}`)
    return this.#report
  }

  #midnight(day: number): number {
    const [year, month, first] = this.#options.from ?? [2026, 1, 1]
    return new Date(year, month - 1, first + day - 1).getTime()
  }

  /** Midnight is where the clock says so: days of 23 and 25 hours are among them. */
  async #liveDay(day: number): Promise<void> {
    const { everyHours = 1 } = this.#options
    const midnight = this.#midnight(day)
    const hours = Math.round((this.#midnight(day + 1) - midnight) / hourMs)
    for (let hour = 0; hour < hours; hour += everyHours) {
      for (const [index, machine] of this.#machines.entries()) {
        this.#nowMs = midnight + hour * hourMs + (index * hourMs) / this.#machines.length
        this.#change(machine)
        const cared = this.#machines[(index + 1) % this.#machines.length]
        if (hour !== 3 || !cared) await this.#backUp(machine)
        else await Promise.all([this.#backUp(machine), this.#lookAfter(cared)])
      }
    }
  }

  #change(machine: Machine): void {
    const names = [...machine.files.keys()]
    const luck = machine.random.below(100)
    const name = names[machine.random.below(names.length)] ?? 'first-0'
    if (luck < 4) this.#write(machine, `later-${machine.taken.length}`)
    else if (luck < 8 && names.length > fileCount / 2) {
      rmSync(join(machine.source, name))
      machine.files.delete(name)
    } else if (luck < 90) this.#write(machine, name)
  }

  #write({ source, random, files }: Machine, name: string): void {
    const bytes = random.bytes(1000 + random.below(largestFile))
    writeFileSync(join(source, name), bytes)
    files.set(name, { hash: hashOf(bytes), bytes: bytes.length })
  }

  async #backUp(machine: Machine): Promise<void> {
    const broken = new AbortController()
    const files = new Map(machine.files)
    if (this.#random.below(50) === 0) setTimeout(() => { broken.abort() }, this.#random.below(60))
    try {
      const summary = await this.#job({
        ...this.#common(machine), type: 'backup', name: job, sources: [machine.source], dryRun: false, onFailure: 'cancel', excludes: { patterns: [], presets: [], oneFileSystem: false },
      }, broken.signal)
      this.#report.backups += 1
      this.#expect(summary.outcome === 'success' || summary.outcome === 'unchanged', `a backup: ${summary.outcome} ${JSON.stringify(summary.firstProblems)}`)
      this.#expect(summary.unusual === undefined, `an ordinary backup was called unusual: ${JSON.stringify(summary.unusual)}`)
      if (summary.outcome === 'success' && summary.snapshot !== undefined) machine.taken.push({ id: summary.snapshot, finishedMs: this.#nowMs, files })
    } catch (error) {
      if (!hasCode(error, 'aborted') && !broken.signal.aborted) throw error
      this.#report.brokenOff += 1
    }
  }

  async #lookAfter(machine: Machine): Promise<void> {
    const broken = new AbortController()
    if (this.#random.below(20) === 0) setTimeout(() => { broken.abort() }, this.#random.below(60))
    try {
      const summary = await this.#job({ ...this.#common(machine), type: 'care', retention: [{ name: job, policy: defaultRetention }] }, broken.signal)
      const details = parseCareDetails(summary.details)
      this.#expect(details !== undefined && summary.problems === 0, `care: ${JSON.stringify(summary.firstProblems)}`)
      this.#expect(details?.held === undefined, 'care was held')
      if (details) this.#count(machine, summary, details)
    } catch (error) {
      if (!hasCode(error, 'aborted') && !broken.signal.aborted) throw error
      this.#report.brokenOff += 1
      machine.brokenMs = this.#nowMs
    }
  }

  #count(machine: Machine, summary: RunSummary, details: CareDetails): void {
    const report = this.#report
    report.careRuns += 1
    report.forgotten += details.forgotten.length
    report.deletedPacks += details.deletedPacks
    if (details.prune === 'waiting') report.waiting += 1
    report.drilledFiles += details.drilledFiles
    report.verifiedPacks += details.verifiedPacks
    report.mostCareBytes = Math.max(report.mostCareBytes, summary.uploadedBytes + summary.downloadedBytes)
    machine.caredMs = this.#nowMs
  }

  /** What is there of each machine: all that came after it was looked after, and of the older ones what the policy says, no more and no less. */
  async #expectKept(): Promise<void> {
    const there = await this.#listed()
    this.#report.snapshots = there.length
    for (const { name, taken, caredMs, brokenMs } of this.#machines) {
      const after = (sinceMs: number): readonly string[] => {
        const kept = keptOf(taken.filter(({ finishedMs }) => finishedMs <= sinceMs), defaultRetention)
        return taken.filter((one) => one.finishedMs > sinceMs || kept.has(one)).map(({ id }) => id)
      }
      // What was broken off has forgotten some of what it would have.
      const [most, least] = [new Set(after(caredMs)), new Set(after(Math.max(caredMs, brokenMs)))]
      const found = new Set(there.filter(({ host }) => host === name).map(({ id }) => id))
      const wrong = [...least.difference(found), ...found.difference(most)]
      this.#expect(wrong.length === 0, `${name} keeps ${found.size} snapshots and should keep ${least.size} to ${most.size}; wrong: ${wrong.slice(0, 5).join(', ')}`)
    }
  }

  async #listed(): Promise<readonly { readonly id: string; readonly host: string }[]> {
    await using browser = await openBrowser({ ...this.#common(this.#first), type: 'browse' }, testContext())
    return await browser.snapshots()
  }

  /** @param most snapshots of each machine */
  async #restoreSome(most: number): Promise<void> {
    const there = await this.#listed()
    for (const machine of this.#machines) {
      const own = there.filter(({ host }) => host === machine.name)
      const chosen = own.length <= most ? own : Array.from({ length: most }, () => own[this.#random.below(own.length)] ?? own[0])
      for (const { id } of chosen.flatMap((one) => one ?? [])) await this.#restore(machine, id)
    }
  }

  async #restore(machine: Machine, id: string): Promise<void> {
    const target = join(this.#options.folder, 'restored')
    rmSync(target, { recursive: true, force: true })
    await this.#job({ ...this.#common(machine), type: 'restore', snapshot: id, target, paths: [], overwrite: 'never' })
    const { files } = machine.taken.find((one) => one.id === id) ?? { files: new Map<string, Content>() }
    this.#expect(files.size > 0, `${id} of ${machine.name} is nobody's`)
    this.#expect(readdirSync(join(target, 'source')).length === files.size, `${id} of ${machine.name} has other files than its source`)
    for (const [name, { hash }] of files) {
      this.#report.filesCompared += 1
      this.#expect(hashOf(readFileSync(join(target, 'source', name))) === hash, `${name} of ${id} of ${machine.name} came back as something else`)
    }
    this.#report.restored += 1
  }

  async #weigh(): Promise<void> {
    const { signal } = new AbortController()
    await using backend = await openBackend(this.#address, { credentials: fixedCredentials({}), signal })
    this.#report.packBytes = 0
    for await (const { size } of backend.list('packs/', signal)) this.#report.packBytes += size
    const there = await this.#listed()
    const contents = new Map<string, number>()
    for (const { name, taken } of this.#machines) {
      const ids = new Set(there.filter(({ host }) => host === name).map(({ id }) => id))
      for (const one of taken) if (ids.has(one.id)) for (const { hash, bytes } of one.files.values()) contents.set(hash, bytes)
    }
    this.#report.neededBytes = contents.values().reduce((sum, bytes) => sum + bytes, 0)
  }

  get #first(): Machine {
    const [first] = this.#machines
    if (!first) throw new Error('no machine')
    return first
  }

  #common({ home, name }: Machine) {
    return { repository: this.#address, home, host: name, concurrency: 4, patienceMs: 2000 } as const
  }

  #job(engineJob: EngineJob, signal = new AbortController().signal): Promise<RunSummary> {
    return runJob(engineJob, testContext({}, signal))
  }

  #expect(holds: boolean, otherwise: string): asserts holds {
    if (!holds) throw new Error(`day ${this.#report.day} of the year with seed ${this.#options.seed}: ${otherwise}`)
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64')
}

const periods = {
  hourly: (at: Date) => `${day(at)} ${at.getTimezoneOffset()} ${at.getHours()}`,
  daily: (at: Date) => day(at),
  /** By their Mondays. */
  weekly: (at: Date) => day(new Date(at.getFullYear(), at.getMonth(), at.getDate() - ((at.getDay() + 6) % 7))),
  monthly: (at: Date) => `${at.getFullYear()}-${at.getMonth()}`,
  yearly: (at: Date) => String(at.getFullYear()),
} as const

function day(at: Date): string {
  return `${at.getFullYear()}-${at.getMonth()}-${at.getDate()}`
}

/** What a policy keeps of all that was ever made, written anew: of each of the newest n periods the newest one, and all that are young. */
export function keptOf<One extends { readonly finishedMs: number }>(taken: readonly One[], policy: RetentionPolicy): ReadonlySet<One> {
  const newestFirst = taken.toSorted((a, b) => b.finishedMs - a.finishedMs)
  const kept = new Set(newestFirst.slice(0, Math.max(1, policy.last ?? 0)))
  const newest = newestFirst[0]
  for (const one of newestFirst) if (newest && policy.withinMs !== undefined && newest.finishedMs - one.finishedMs <= policy.withinMs) kept.add(one)
  for (const [rule, periodOf] of Object.entries(periods)) {
    const seen = new Map<string, One>()
    for (const one of newestFirst) {
      const period = periodOf(new Date(one.finishedMs))
      if (!seen.has(period)) seen.set(period, one)
    }
    for (const one of [...seen.values()].slice(0, policy[rule as keyof typeof periods] ?? 0)) kept.add(one)
  }
  return kept
}

