import type { MissingAccount, PauseLength, RunView, Wait } from '../api/contract.ts'
import { MainError, toWire } from '../api/errors.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Engine, EngineListener } from '../supervisor/engine.ts'
import type { StartRequest } from '../supervisor/supervisor.ts'
import { ActiveRun } from './active-run.ts'
import type { RunPorts } from './active-run.ts'
import { backupJobOf } from '../jobs/engine-jobs.ts'
import { withMachineSettings } from '../jobs/machine-settings.ts'
import { keptSecrets, passwordMissing, repositoryUrl } from '../repositories/address.ts'
import { keptRuns, type RunHistory } from './history.ts'
import { isWait, type BackupCandidate, type Decision, type Trigger } from './decide.ts'
import type { RunQueue } from './queue.ts'
import { isComplete } from './run-view.ts'
import { isCondition } from './conditions.ts'
import type { Overdue } from './overdue.ts'
import { nextRunMs, spreadMs } from './schedule.ts'
import { Watches } from './watches.ts'
import type { Disks } from '../repositories/disks.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'

/** The slice of the supervisor that jobs use. */
export interface EngineStarter {
  start(request: StartRequest, listener: EngineListener): Engine
}

export interface BackupPorts extends RunPorts {
  readonly store: JobStore
  readonly history: RunHistory
  readonly secrets: Pick<SecretStore, 'get'>
  readonly engines: EngineStarter
  /** The account that the storage at an address waits for; undefined where nothing is amiss. */
  readonly missingAccount: (address: string) => MissingAccount | undefined
  readonly disks: Pick<Disks, 'awaited' | 'missed' | 'ended'>
  /** Folder of catalogs and spools. */
  readonly home: string
  readonly queue: RunQueue
  /** Where the app keeps what changes by itself, beside `home`. */
  readonly quietFolders: readonly string[]
  /** A run has begun. */
  readonly onStarted: (startedMs: number, record: JobRecord) => void
  /** A run has ended and is in the history. */
  readonly onEnded: (run: RunView, record: JobRecord) => void
}

/** The backups of jobs, at most one of each at a time (D6): from the schedule, from a click, and from what was cut off. */
export class Backups {
  readonly #ports: BackupPorts
  readonly #interrupted = new Set<string>()
  readonly watches: Watches

  constructor(ports: BackupPorts) {
    this.#ports = ports
    this.watches = new Watches({ ...ports, mayWatch: () => !ports.queue.pausedAll && !ports.queue.ending })
  }

  /** What runs and what waits, in the order of arrival. */
  get runs(): readonly ActiveRun[] {
    return this.#ports.queue.runs.filter((run) => run.identity.operation === 'backup')
  }

  of(jobId: string): ActiveRun | undefined {
    return this.#ports.queue.find(keyOf(jobId))
  }

  /**
   * Starts or queues a run. Errors: `not-found`; `busy` where the job runs or waits already; `credentials` where somebody has to sign in first.
   * @param accepts whether the repository may be older than what is known of it: for this run, which makes that the newest
   */
  run(jobId: string, trigger: Trigger, accepts = false): ActiveRun {
    const { queue, store } = this.#ports
    const record = store.get(jobId)
    if (!this.of(jobId)) expectSignedIn(this.missingAccount(record))
    const run = new ActiveRun({ jobId, jobName: record.config.name, operation: 'backup', trigger }, this.#ports)
    queue.add({
      key: keyOf(jobId),
      run,
      asked: trigger,
      active: { operation: 'backup', jobId, repository: record.repository.id },
      candidate: () => this.#candidate(store.get(jobId)),
      start: () => { this.#start(run, accepts) },
    })
    this.#interrupted.delete(jobId)
    void run.ended.then((view) => { this.#onEnded(run, view, record) })
    return run
  }

  /** Why a job does not run now; undefined while it does, and where it is about to. */
  wait(record: JobRecord): Wait | undefined {
    const decision = this.#decision(record)
    if (!decision || !isWait(decision)) return undefined
    const { wait, untilMs } = decision
    return { wait, ...(untilMs !== undefined && { untilMs }) }
  }

  /** Jobs that have been due for so many ms, and wait for one of their conditions, or their disk. */
  overdue(ms: number): readonly Overdue[] {
    const { timers, store, history } = this.#ports
    const nowMs = timers.now()
    return store.all.flatMap((record) => {
      const wait = this.wait(record)?.wait
      const due = nextRunMs(this.#candidate(record))
      if (!wait || !(isCondition(wait) || wait.type === 'disk') || due === undefined || nowMs - due < ms) return []
      const complete = history.page(record.id, keptRuns).runs.find(isComplete)
      return [{ jobId: record.id, name: record.config.name, wait, ...(complete && { completeAgoMs: nowMs - complete.finishedMs }) }]
    })
  }

  /** Whom a job waits for; nothing of it starts until somebody has signed in. */
  missingAccount({ repository }: Pick<JobRecord, 'repository'>): MissingAccount | undefined {
    return this.#ports.missingAccount(repositoryUrl(repository.destination))
  }

  waitsForSignIn(jobId: string): boolean {
    return this.missingAccount(this.#ports.store.get(jobId)) !== undefined
  }

  /** Somebody signed in: jobs go on whose last run ended for want of that, and which wait for nobody else. */
  signedIn(): void {
    const { store, history, queue } = this.#ports
    this.continueInterrupted(store.all.filter((record) => isForWantOfSignIn(history.last(record.id)) && !this.missingAccount(record)).map(({ id }) => id))
    queue.pump()
    this.tick()
  }

  pause(jobId: string): void {
    this.of(jobId)?.pause()
  }

  resume(jobId: string): void {
    this.of(jobId)?.insist()
    this.#ports.queue.pump()
  }

  stop(jobId: string, mode: 'drain' | 'cancel'): void {
    this.of(jobId)?.stop(mode)
  }

  /** Pauses what runs and holds the schedule; a backup that is started by hand meanwhile runs. */
  pauseAll(length: PauseLength): void {
    this.#ports.queue.pauseAll(length)
    this.watches.tick()
  }

  resumeAll(): void {
    this.#ports.queue.resumeAll()
    this.tick()
  }

  /** Jobs whose last run was cut off with the app: they go on at the next tick, whatever their schedule (E4). */
  continueInterrupted(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.#interrupted.add(jobId)
  }

  /** Starts what is due. Called at start, once in a while, and after wake-up; calling it more often changes nothing. */
  tick(): void {
    this.#ports.queue.endPause()
    this.watches.tick()
    for (const record of this.#ports.store.all) {
      if (this.of(record.id)) continue
      const decision = this.#decision(record)
      // What is due and waits for its turn only is in the queue from now on, in the order of arrival.
      const due = decision && (isWait(decision) ? decision.due : decision.run)
      if (due) this.run(record.id, due)
    }
  }

  /** From now on nothing starts, and a run that is cut short stays open in the history, so that the next start goes on with it. */
  quit(): void {
    this.#ports.queue.end()
  }

  #decision(record: JobRecord): Decision | undefined {
    return this.#ports.queue.decision(keyOf(record.id), this.#candidate(record))
  }

  #candidate(record: JobRecord): BackupCandidate {
    const { id, config, repository, scheduledSinceMs } = record
    const watching = this.watches.of(id)
    const disks = this.#ports.disks.awaited(repository)
    return {
      operation: 'backup',
      jobId: id,
      repository: repository.id,
      schedule: config.schedule,
      scheduledSinceMs,
      lastRun: this.#ports.history.last(id),
      goesOn: this.#interrupted.has(id) || this.#ports.disks.missed(record, this.#ports.history.last(id)),
      missing: this.missingAccount(record),
      ...(disks && { disks }),
      spreadMs: spreadMs(id, repository.destination),
      ...(watching && { watching }),
      ...(config.conditions && { conditions: config.conditions }),
    }
  }

  #start(run: ActiveRun, accepts: boolean): void {
    const { store, history, engines, home, secrets: kept, onStarted } = this.#ports
    const record = store.get(run.identity.jobId)
    const secrets = keptSecrets(kept, record.repository)
    history.started(record.id, { id: run.id, operation: 'backup', trigger: run.identity.trigger, startedMs: run.startedMs })
    onStarted(run.startedMs, record)
    if (!secrets) {
      run.fail(toWire(passwordMissing()))
      return
    }
    const { uploadBytesPerSecond } = record.config
    const job = withMachineSettings(backupJobOf(record, home, accepts), record, store.all)
    const request = { job, secrets, ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }) }
    run.start((listener) => engines.start(request, listener))
  }

  #onEnded(run: ActiveRun, view: RunView, record: JobRecord): void {
    const { store, history, queue, disks, onEnded, onChange } = this.#ports
    if (!queue.ending || isComplete(view)) history.ended(view, run.problems)
    const { id, repositoryId: expected } = record.repository
    const repositoryId = run.repositoryId ?? (expected === run.known?.repositoryId ? expected : undefined)
    // A job that moved while it ran has another record by now.
    if (repositoryId !== undefined) void store.repositories.learn(id, repositoryId, run.known)
    if (queue.ending) return
    onEnded(view, record)
    void disks.ended(view, record)
    onChange()
  }
}

function keyOf(jobId: string): string {
  return `backup:${jobId}`
}

/** Whether a run ended because a consent was over, or nobody was signed in. */
function isForWantOfSignIn(run: RunView | undefined): boolean {
  return run?.error?.code === 'credentials' && run.error.data?.['signIn'] === true
}

function expectSignedIn(missing: MissingAccount | undefined): void {
  if (!missing) return
  const { service, account } = missing
  throw new MainError('credentials', 'Somebody has to sign in to the account first.', { signIn: true, reason: 'ended', service, ...(account !== undefined && { account }) })
}
