import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import { heldJobsSchema, type HeldJob } from '../../engine/protocol/changes.ts'
import type { Overdue, SeenBackup } from '../../engine/protocol/overdue.ts'
import type { LateBackup, RunView } from '../api/contract.ts'
import type { Browsing } from '../jobs/browsing.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import { VersionedFile } from '../settings/versioned-file.ts'
import type { Timers } from '../system/timers.ts'
import { oldestOwn, othersLate, ownLate, shownLate, type OwnJob, type Silenced } from './late.ts'

/** What was seen in a repository. */
interface Look {
  /** ms since 1970; absent: nobody has looked yet. */
  readonly lookedMs?: number
  readonly held: readonly HeldJob[]
  /** Of others than the app's own jobs. */
  readonly late: readonly Overdue[]
  /** Of each of the app's own jobs in it, when the oldest snapshot was finished. */
  readonly oldest?: readonly SeenBackup[]
}

interface Watched {
  /** By the id of the repository's record. */
  readonly looks: Readonly<Record<string, Look>>
  readonly silenced: readonly Silenced[]
  /** When late backups were announced last. */
  readonly toldMs?: number
}

const late = v.object({ job: v.string(), host: v.string(), lastMs: v.number(), days: v.number(), usualMs: v.exactOptional(v.number()) })
const oldest: v.GenericSchema<unknown, SeenBackup> = v.object({ job: v.string(), host: v.string(), finishedMs: v.number() })
const schema: v.GenericSchema<unknown, Watched> = v.object({
  looks: v.record(v.string(), v.object({ lookedMs: v.exactOptional(v.number()), held: heldJobsSchema, late: v.array(late), oldest: v.exactOptional(v.array(oldest)) })),
  silenced: v.array(v.object({ job: v.string(), host: v.string(), lastMs: v.number() })),
  toldMs: v.exactOptional(v.number()),
})

/** What is watched, as the app remembers it. */
export function openWatched(path: string, now: () => number): VersionedFile<Watched> {
  return new VersionedFile({ path, schema, migrations: [], initial: { looks: {}, silenced: [] }, now })
}

export interface WatchPorts {
  readonly file: Pick<VersionedFile<Watched>, 'value' | 'set'>
  readonly store: Pick<JobStore, 'all' | 'get'>
  readonly history: Pick<RunHistory, 'page'>
  readonly browsing: Pick<Browsing, 'watched' | 'acknowledge'>
  readonly timers: Timers
  /** This machine's name, for jobs that have none of their own. */
  readonly host: string
  /** Whether an engine may be started to look. */
  readonly mayLook: () => boolean
  /** Shows what is late, in place of what was; empty: nothing is. */
  readonly show: (late: readonly LateBackup[]) => void
  /** Announces it. @returns whether that was wanted */
  readonly announce: (late: readonly LateBackup[]) => boolean
  readonly onChange: () => void
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** After the start of the app: it has other things to do then. */
const settledMs = 10 * minuteMs
const againMs = 60 * minuteMs
const mostSilenced = 1000
/** Holds of others that the window is told of. */
const mostOthers = 20

/**
 * Watches over what nobody looks at: jobs that are held for an unusual backup, until somebody says that it is fine, and backups that have not come for
 * too long, of this machine and of all others in its repositories. Looks into each repository once a day; what this machine's own runs tell counts at once.
 */
export class RepositoryWatch {
  readonly #ports: WatchPorts
  readonly #startedMs: number
  /** When to look next, where that is not a day after the last time. */
  readonly #next = new Map<string, number>()
  #looking = false
  /** Grows with everything that a look which is under way cannot know. */
  #news = 0

  constructor(ports: WatchPorts) {
    this.#ports = ports
    this.#startedMs = ports.timers.now()
  }

  /** Why a job is held; undefined while it is not. */
  hold(record: JobRecord): HeldJob | undefined {
    return this.#look(record.repository.id).held.find((one) => this.#isOf(one, record))
  }

  /** When the oldest snapshot of a job was finished, ms since 1970, as the last look has found it; undefined where nobody has looked, and where there is none. */
  oldestMs(record: JobRecord): number | undefined {
    return this.#look(record.repository.id).oldest?.find((one) => this.#isOf(one, record))?.finishedMs
  }

  /** What is held in the repository of a job, and is of none of the app's jobs there: other machines', mostly. The first of them. */
  holdsOfOthers({ repository }: Pick<JobRecord, 'repository'>): readonly HeldJob[] {
    const own = this.#ports.store.all.filter((one) => one.repository.id === repository.id)
    const others = this.#look(repository.id).held.filter((one) => !own.some((record) => this.#isOf(one, record)))
    // One that was also synced here from elsewhere is there twice, and released once.
    return [...new Map(others.map((one) => [JSON.stringify([one.host, one.job]), one])).values()].slice(0, mostOthers)
  }

  /** Somebody lists the snapshots of a job's repository. @returns takes what was found to be held there, unless something newer is known by then */
  listing(jobId: string): (held: readonly HeldJob[]) => void {
    const news = this.#news
    return (held) => {
      const repository = this.#ports.store.all.find(({ id }) => id === jobId)?.repository.id
      if (repository === undefined || this.#news !== news) return
      const look = this.#look(repository)
      if (!isDeepStrictEqual(look.held, held)) this.#keep(repository, { ...look, held })
    }
  }

  /** A backup of a job has ended. */
  runEnded(run: RunView, { id }: Pick<JobRecord, 'id'>): void {
    const record = this.#ports.store.all.find((one) => one.id === id)
    if (!record) return
    const held = this.hold(record)
    if (run.unusual && run.snapshot !== undefined && !held) {
      const { repository: { id: at }, config: { name } } = record
      const look = this.#look(at)
      this.#keep(at, { ...look, held: [...look.held, { job: name, host: this.#hostOf(record), since: run.snapshot, reasons: run.unusual, words: '' }] })
    } else if (held && !run.unusual) this.#next.set(record.repository.id, this.#ports.timers.now())
    this.tick()
  }

  /** Says that what was unusual about a job, or about another one in its repository, is as it should be. Repeating is harmless. Errors: those of the engine. */
  async acknowledge(jobId: string, of?: Pick<HeldJob, 'job' | 'host'>): Promise<void> {
    const { store, browsing } = this.#ports
    const record = store.get(jobId)
    const { job, host } = of ?? { job: record.config.name, host: this.#hostOf(record) }
    await browsing.acknowledge(jobId, { job, host })
    const look = this.#look(record.repository.id)
    this.#keep(record.repository.id, { ...look, held: look.held.filter((one) => one.job !== job || one.host !== host) })
  }

  /** Nothing that is late now is told again before something newer has come of it. */
  silence(): void {
    const { file } = this.#ports
    const now = this.#late(this.#own).map(({ job, host, lastMs }) => ({ job, host, lastMs }))
    const others = file.value.silenced.filter((old) => !now.some((one) => one.job === old.job && one.host === old.host))
    void file.set({ ...file.value, silenced: [...others, ...now].slice(-mostSilenced) })
    this.tick()
  }

  /** Looks where it is time to, and tells what is late, at most once a day. Calling it more often changes nothing. */
  tick(): void {
    const { file, timers, show, announce } = this.#ports
    const own = this.#own
    const shown = shownLate(this.#late(own), file.value.silenced, (one) => own.some(({ job, host }) => job === one.job && host === one.host))
    show(shown)
    const { toldMs = -Infinity } = file.value
    if (shown.length > 0 && timers.now() - toldMs >= dayMs && announce(shown)) void file.set({ ...file.value, toldMs: timers.now() })
    if (this.#looking || !this.#ports.mayLook()) return
    const due = this.#ports.store.all.find(({ repository }) => repository.repositoryId !== undefined && timers.now() >= this.#dueMs(repository.id))
    if (due) void this.#lookInto(due)
  }

  async #lookInto({ id, repository }: JobRecord): Promise<void> {
    const { timers, browsing, host } = this.#ports
    const news = this.#news
    this.#looking = true
    this.#next.set(repository.id, timers.now() + againMs)
    try {
      const { snapshots, held } = await browsing.watched(id)
      if (this.#news !== news) return
      this.#keep(repository.id, { lookedMs: timers.now(), held, late: othersLate(snapshots, this.#own, host, timers.now()), oldest: oldestOwn(snapshots, this.#own) })
      this.#next.delete(repository.id)
    } catch {
      // It is away, or cannot be opened: its backups tell that. It is tried again later.
    } finally {
      this.#looking = false
    }
  }

  #dueMs(repository: string): number {
    const { lookedMs } = this.#look(repository)
    return this.#next.get(repository) ?? Math.max(this.#startedMs + settledMs, lookedMs === undefined ? 0 : lookedMs + dayMs)
  }

  #late(own: readonly OwnJob[]): readonly Overdue[] {
    const { file, store, timers } = this.#ports
    const places = new Set(store.all.map(({ repository }) => repository.id))
    const others = Object.entries(file.value.looks).flatMap(([id, look]) => (places.has(id) ? look.late : []))
    return [...ownLate(own, timers.now()), ...others]
  }

  get #own(): readonly OwnJob[] {
    const { store, history } = this.#ports
    return store.all.map((record) => ({
      job: record.config.name, host: this.#hostOf(record), sinceMs: record.scheduledSinceMs, runs: history.page(record.id, keptRuns).runs,
    }))
  }

  #isOf({ job, host }: Pick<HeldJob, 'job' | 'host'>, record: JobRecord): boolean {
    return job === record.config.name && host === this.#hostOf(record)
  }

  #hostOf({ host }: Pick<JobRecord, 'host'>): string {
    return host ?? this.#ports.host
  }

  #look(repository: string): Look {
    return this.#ports.file.value.looks[repository] ?? { held: [], late: [] }
  }

  /** Also forgets the repositories that no job uses any more. */
  #keep(repository: string, look: Look): void {
    const { file, store, onChange } = this.#ports
    const places = new Set(store.all.map((record) => record.repository.id))
    const kept = Object.entries(file.value.looks).filter(([id]) => places.has(id) && id !== repository)
    this.#news += 1
    void file.set({ ...file.value, looks: { ...Object.fromEntries(kept), [repository]: look } })
    onChange()
  }
}
