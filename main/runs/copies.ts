import type { CopyView, Destination, MissingAccount, Problem, RunView } from '../api/contract.ts'
import { MainError, toWire } from '../api/errors.ts'
import type { Folders } from '../authority/folders.ts'
import { syncJobOf } from '../jobs/engine-jobs.ts'
import type { JobRecord } from '../jobs/store.ts'
import { keptSecrets, passwordMissing, repositoryUrl } from '../repositories/address.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import { ActiveRun } from './active-run.ts'
import { awayAfterSync, isWait, type Candidate } from './decide.ts'
import { keptRuns } from './history.ts'
import type { QuietPorts } from './quiet-ports.ts'

export interface CopiesPorts extends QuietPorts {
  readonly folders: Pick<Folders, 'place'>
  /** Whether a place seems to be there. Cheap; never rejects. */
  readonly isThere: (destination: Destination) => Promise<boolean>
  /**
   * A sync has ended and is in the history.
   * @param before the one before it that was not stopped
   */
  readonly onEnded: (run: RunView, record: JobRecord, before: RunView | undefined) => void
}

/**
 * Keeps the copies of repositories up to date, by itself: about once a day, at a quiet moment, behind everything else. What is cut off goes on where it
 * was, and a place that was away is copied to when it is back.
 */
export class Copies {
  readonly #ports: CopiesPorts
  readonly #startedMs: number
  /** Ids of runs after which what was away was seen to be so, and of those after which it is back. */
  readonly #away = new Set<string>()
  readonly #back = new Set<string>()
  #looking = false

  constructor(ports: CopiesPorts) {
    this.#ports = ports
    this.#startedMs = ports.timers.now()
  }

  /** Starts what is due. Called once in a while; calling it more often changes nothing. */
  tick(): void {
    const { queue, store } = this.#ports
    for (const copy of store.copies.all) {
      if (queue.find(syncKey(copy.id))) continue
      const decision = queue.decision(syncKey(copy.id), this.#candidate(copy))
      if (decision && !isWait(decision)) this.#run(copy, 'schedule')
    }
  }

  /** Looks whether places are back that were away when their copy ended. While one look goes on, another does nothing. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      await Promise.all(this.#ports.store.copies.all.map((copy) => this.#lookAt(copy)))
    } finally {
      this.#looking = false
    }
  }

  /** Somebody wants it now. Errors: `not-found`, also before the first backup; `busy`; `credentials` where somebody has to sign in first. */
  run(copyId: string): ActiveRun {
    const copy = this.#ports.store.copies.get(copyId)
    const { repository } = this.#jobOf(copy)
    if (repository.repositoryId === undefined) throw new MainError('not-found', 'There is no snapshot of this job yet.', { reason: 'no-snapshot' })
    const missing = this.#missing(copy, repository.destination)
    if (missing) throw new MainError('credentials', 'Somebody has to sign in to the account first.', { signIn: true, reason: 'ended', ...missing })
    return this.#run(copy, 'manual')
  }

  /** Ends a sync, which then waits for its next day. Without effect where none runs or waits. */
  async stop(copyId: string): Promise<void> {
    const { queue, store, timers } = this.#ports
    const run = queue.find(syncKey(store.copies.get(copyId).id))
    if (!run) return
    await store.copies.change(copyId, { stoppedMs: timers.now() })
    run.stop('cancel')
  }

  /** Ends the syncs of a repository, or of one copy, and waits until they have. */
  async end(copies: readonly Pick<CopyRecord, 'id'>[]): Promise<void> {
    const runs = copies.flatMap(({ id }) => this.#ports.queue.find(syncKey(id)) ?? [])
    for (const run of runs) run.stop('cancel')
    await Promise.all(runs.map((run) => run.ended))
  }

  /** Those of the repository of a job. */
  view({ repository }: JobRecord): readonly CopyView[] {
    return this.#ports.store.copies.of(repository.id).map((copy) => this.#view(copy))
  }

  /** What was wrong in a sync; undefined where the run is none of the job. */
  problems(jobId: string, runId: string): Promise<readonly Problem[]> | undefined {
    const { store, history } = this.#ports
    const copy = store.copies.of(store.get(jobId).repository.id).find(({ id }) => history.find(syncHistory(id), runId))
    return copy && history.problems(syncHistory(copy.id), runId)
  }

  /** The copy is gone. */
  forget(copyId: string): void {
    this.#ports.history.remove(syncHistory(copyId))
  }

  #view(copy: CopyRecord): CopyView {
    const { history, queue, folders } = this.#ports
    const run = queue.find(syncKey(copy.id))
    const { runs } = history.page(syncHistory(copy.id), keptRuns)
    const [lastRun] = runs
    const complete = runs.find(isCompleteCopy)
    const told = runs.find((one) => one.copy !== undefined)?.copy
    const decision = queue.decision(syncKey(copy.id), this.#candidate(copy))
    return {
      id: copy.id,
      destination: folders.place(copy.id, copy.destination),
      removeVanished: copy.removeVanished,
      state: run?.state ?? 'idle',
      ...(run && { runId: run.id }),
      ...(lastRun && { lastRun }),
      ...(complete && { completeMs: complete.finishedMs }),
      ...(told && { snapshots: told.there }),
      ...(decision && isWait(decision) && { waits: { wait: decision.wait, ...(decision.untilMs !== undefined && { untilMs: decision.untilMs }) } }),
    }
  }

  /** As things are now. */
  #candidate(copy: CopyRecord): Candidate {
    const { history, store, queue } = this.#ports
    const { id: jobId, repository } = this.#jobOf(copy)
    const neighbours = store.all.filter((one) => one.repository.id === repository.id)
    const ended = neighbours.flatMap(({ id }) => history.last(id)?.finishedMs ?? [])
    const lastRun = history.last(syncHistory(copy.id))
    const disks = this.#ports.disks.awaited(repository)
    return {
      operation: 'sync',
      jobId,
      repository: repository.id,
      exists: repository.repositoryId !== undefined,
      sinceMs: copy.addedMs,
      quietSinceMs: Math.max(this.#startedMs, queue.endedMs(repository.id) ?? 0, ...ended),
      schedules: neighbours.map(({ config }) => config.schedule),
      conditions: neighbours.map(({ config }) => config.conditions),
      lastRun,
      missing: this.#missing(copy, repository.destination),
      ...(disks && { disks }),
      goesOn: lastRun !== undefined && this.#back.has(lastRun.id),
      stoppedMs: copy.stoppedMs,
    }
  }

  /** Whom either end waits for. */
  #missing({ destination }: CopyRecord, from: Destination): MissingAccount | undefined {
    const { missingAccount } = this.#ports
    return missingAccount(repositoryUrl(from)) ?? missingAccount(repositoryUrl(destination))
  }

  /** The first of the jobs whose repository is copied: as long as there is a copy, there is one. */
  #jobOf({ repository }: CopyRecord): JobRecord {
    const found = this.#ports.store.all.find((one) => one.repository.id === repository)
    if (!found) throw new Error('a copy without a job')
    return found
  }

  async #lookAt(copy: CopyRecord): Promise<void> {
    const { history, isThere, store } = this.#ports
    const last = history.last(syncHistory(copy.id))
    const away = awayAfterSync(last)
    if (!last || away === undefined || this.#back.has(last.id)) return
    const there = await isThere(away === 'destination' ? copy.destination : this.#jobOf(copy).repository.destination)
    if (!store.copies.find(copy.id) || history.last(syncHistory(copy.id)) !== last) return
    if (!there) this.#away.add(last.id)
    // What seemed to be there all the time is tried again as after other failures.
    else if (this.#away.delete(last.id)) this.#back.add(last.id)
  }

  #run(copy: CopyRecord, trigger: 'schedule' | 'manual'): ActiveRun {
    const { id: jobId, config: { name }, repository } = this.#jobOf(copy)
    const run = new ActiveRun({ jobId, jobName: name, operation: 'sync', trigger }, this.#ports)
    this.#ports.queue.add({
      key: syncKey(copy.id),
      run,
      asked: trigger,
      active: { operation: 'sync', jobId, repository: repository.id },
      candidate: () => this.#candidate(this.#ports.store.copies.get(copy.id)),
      start: () => { this.#start(run, copy.id) },
    })
    void run.ended.then((view) => { this.#onEnded(run, view, copy.id) })
    return run
  }

  #start(run: ActiveRun, copyId: string): void {
    const { history, engines, home, secrets: kept, store } = this.#ports
    const copy = store.copies.get(copyId)
    const record = this.#jobOf(copy)
    const [secrets, from] = [keptSecrets(kept, copy), keptSecrets(kept, record.repository)]
    history.started(syncHistory(copyId), { id: run.id, operation: 'sync', trigger: run.identity.trigger, startedMs: run.startedMs })
    if (!secrets || !from) {
      run.fail(toWire(passwordMissing()))
      return
    }
    const { uploadBytesPerSecond } = record.config
    const request = { job: syncJobOf(record, copy, home), secrets: { ...secrets, from }, ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }) }
    run.start((listener) => engines.start(request, listener))
  }

  #onEnded(run: ActiveRun, view: RunView, copyId: string): void {
    const { store, history, queue, onEnded, onChange } = this.#ports
    const copy = store.copies.find(copyId)
    if (!copy) return
    if (run.repositoryId !== undefined && copy.repositoryId !== run.repositoryId) void store.copies.change(copyId, { repositoryId: run.repositoryId })
    // A run that is cut short by the end of the app stays open in the history.
    if (queue.ending && !isCompleteCopy(view)) return
    const before = history.page(syncHistory(copyId), keptRuns).runs.find(({ outcome }) => outcome !== 'stopped')
    history.ended({ ...view, jobId: syncHistory(copyId) }, run.problems)
    if (queue.ending) return
    onEnded(view, this.#jobOf(copy), before)
    onChange()
  }
}

/** Whether nothing was left to copy but what could not be read at the source. */
export function isCompleteCopy({ outcome, copy }: RunView): boolean {
  return copy !== undefined && (outcome === 'success' || outcome === 'unchanged' || outcome === 'warnings')
}

export function syncKey(copyId: string): string {
  return `sync:${copyId}`
}

/** Where the history keeps it: beside the runs of jobs, whose schedules count those alone. */
export function syncHistory(copyId: string): string {
  return `sync-${copyId}`
}
