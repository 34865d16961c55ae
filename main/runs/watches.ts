import type { RunView, WatchView } from '../api/contract.ts'
import { watchJobOf } from '../jobs/engine-jobs.ts'
import type { JobRecord } from '../jobs/store.ts'
import { repositoryUrl } from '../repositories/address.ts'
import type { Engine, EngineExit } from '../supervisor/engine.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'
import type { EngineStarter } from './backups.ts'
import { engineLog } from './engine-log.ts'
import { pendingChanges, type Changes, type Watching } from './schedule.ts'

export interface WatchesPorts {
  readonly store: { readonly all: readonly JobRecord[] }
  readonly history: { last(jobId: string): RunView | undefined }
  readonly engines: EngineStarter
  readonly home: string
  /** Absolute paths whose content changes by itself. */
  readonly quietFolders: readonly string[]
  readonly timers: Timers
  readonly log: LogWriter
  /** Not while everything is paused, or the app ends. */
  readonly mayWatch: () => boolean
  readonly onChange: () => void
}

interface Watch {
  /** What it depends on; a job that is changed in it is watched anew. */
  readonly key: string
  readonly startedMs: number
  readonly engine: Engine
  view: WatchView
  changes: number
}

/** A watch that is over, until it is tried again. */
interface Failure {
  readonly key: string
  readonly view: WatchView
  readonly againMs: number
  /** In a row. */
  readonly count: number
}

const stopGraceMs = 2_000
const dayMs = 24 * 3_600_000
const againMs = { first: 60_000, most: 3_600_000 }
const noSecrets = { password: '', storage: {} }

/**
 * Watches the sources of jobs that run when something changes: an engine each. One that breaks off is started again, later each time, and its job runs
 * each hour meanwhile. What happens while nobody watches counts as a change.
 */
export class Watches {
  readonly #ports: WatchesPorts
  readonly #watches = new Map<string, Watch>()
  readonly #failures = new Map<string, Failure>()
  readonly #changes = new Map<string, Changes>()

  constructor(ports: WatchesPorts) {
    this.#ports = ports
  }

  /** What is known of a job's sources; undefined where it is not to be watched. */
  of(jobId: string): Watching | undefined {
    const changes = this.#changes.get(jobId)
    return changes && { works: !this.#failures.has(jobId), changes }
  }

  view(jobId: string): WatchView | undefined {
    return this.#failures.get(jobId)?.view ?? this.#watches.get(jobId)?.view
  }

  /** Begins and ends watches as jobs are now. Once a day each begins anew: what the system could not tell in time is found then. Calling it more often changes nothing. */
  tick(): void {
    const { store, timers, mayWatch } = this.#ports
    const wanted = new Map(mayWatch() ? store.all.filter(({ config }) => config.schedule.type === 'continuous').map((record) => [record.id, record]) : [])
    for (const id of [...this.#watches.keys()]) if (!wanted.has(id)) this.#end(id)
    for (const id of [...this.#failures.keys()]) if (!wanted.has(id)) this.#failures.delete(id)
    for (const id of [...this.#changes.keys()]) if (!store.all.some((record) => record.id === id)) this.#changes.delete(id)
    for (const [id, record] of wanted) {
      const key = keyOf(record)
      const watch = this.#watches.get(id)
      const failure = this.#failures.get(id)
      if (watch && (watch.key !== key || timers.now() - watch.startedMs >= dayMs)) this.#end(id)
      if (failure && failure.key !== key) this.#failures.delete(id)
      if (!this.#watches.has(id) && timers.now() >= (this.#failures.get(id)?.againMs ?? -Infinity)) this.#begin(record, key)
    }
  }

  #begin(record: JobRecord, key: string): void {
    const { engines, home, quietFolders, timers, log } = this.#ports
    const listener = engineLog(log, timers, { job: record.config.name, operation: 'watch' })
    const engine = engines.start({ job: watchJobOf(record, home, quietFolders), secrets: noSecrets }, listener)
    const watch: Watch = { key, startedMs: timers.now(), engine, view: { state: 'starting' }, changes: 0 }
    this.#watches.set(record.id, watch)
    this.#changed(record.id)
    void this.#listen(record, watch)
  }

  #end(jobId: string): void {
    const watch = this.#watches.get(jobId)
    this.#watches.delete(jobId)
    watch?.engine.stop('cancel', stopGraceMs)
  }

  /** The engine answers when it has news, and not too often. */
  async #listen(record: JobRecord, watch: Watch): Promise<void> {
    const { id } = record
    for (;;) {
      const answer = await watch.engine.query({ type: 'watched' })
      if (this.#watches.get(id) !== watch) return
      if (answer.type !== 'watched') break
      if (answer.changes > watch.changes) this.#changed(id)
      watch.changes = answer.changes
      watch.view = { state: 'watching', folders: answer.folders, away: answer.away }
      this.#failures.delete(id)
      this.#ports.onChange()
    }
    watch.engine.stop('cancel', stopGraceMs)
    const exit = await watch.engine.exited
    if (this.#watches.get(id) !== watch) return
    this.#watches.delete(id)
    this.#fail(record, watch, exit)
  }

  #fail({ id, config }: JobRecord, { key }: Watch, exit: EngineExit): void {
    const { timers, log, onChange } = this.#ports
    const tooMany = exit.type === 'failed' && exit.error.data?.['place'] === 'watches'
    const count = (this.#failures.get(id)?.count ?? 0) + 1
    const waitMs = tooMany ? dayMs : Math.min(againMs.most, againMs.first * 4 ** (count - 1))
    this.#failures.set(id, { key, view: { state: tooMany ? 'too-many' : 'broken' }, againMs: timers.now() + waitMs, count })
    const why = exit.type === 'failed' ? exit.error.message : exit.type === 'crashed' ? exit.detail : 'it ended'
    const message = `the folders are not watched, and are backed up each hour instead: ${why}`
    log.write({ time: timers.now(), level: 'warning', message, context: { job: config.name, operation: 'watch' } })
    onChange()
  }

  #changed(jobId: string): void {
    const now = this.#ports.timers.now()
    const changes = this.#changes.get(jobId)
    const lastRun = this.#ports.history.last(jobId)
    const pending = changes && pendingChanges({ watching: { works: true, changes }, lastRun })
    this.#changes.set(jobId, { firstMs: pending?.firstMs ?? now, lastMs: now })
  }
}

function keyOf({ config: { sources, excludes }, repository: { destination } }: JobRecord): string {
  return JSON.stringify([sources, excludes, repositoryUrl(destination)])
}
