import type { MissingAccount, RunView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Engine, EngineListener } from '../supervisor/engine.ts'
import type { StartRequest } from '../supervisor/supervisor.ts'
import { ActiveRun } from './active-run.ts'
import type { RunPorts } from './active-run.ts'
import { backupJobOf } from './engine-jobs.ts'
import { keptSecrets, repositoryUrl } from '../repositories/address.ts'
import type { RunHistory } from './history.ts'
import { withMachineSettings } from './machine-settings.ts'
import { dueTrigger } from './schedule.ts'
import type { JobRecord, JobStore } from './store.ts'

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
  /** Folder of catalogs and spools. */
  readonly home: string
  readonly parallelJobs: () => number
  /** A run has ended and is in the history. */
  readonly onEnded: (run: RunView, record: JobRecord) => void
}

/** What runs and what waits: at most one run of a job (D6), at most `parallelJobs` runs at once, in the order of arrival. */
export class Backups {
  readonly #ports: BackupPorts
  /** By job, queued ones included, in the order of arrival. */
  readonly #runs = new Map<string, ActiveRun>()
  readonly #interrupted = new Set<string>()
  /** Runs that may build upon a repository which is older than what is known of it. */
  readonly #accepting = new WeakSet<ActiveRun>()
  #pausedAll = false
  #quitting = false

  constructor(ports: BackupPorts) {
    this.#ports = ports
  }

  get runs(): readonly ActiveRun[] {
    return [...this.#runs.values()]
  }

  get pausedAll(): boolean {
    return this.#pausedAll
  }

  of(jobId: string): ActiveRun | undefined {
    return this.#runs.get(jobId)
  }

  /**
   * Starts or queues a run. Errors: `not-found`; `busy` where the job runs or waits already; `credentials` where somebody has to sign in first.
   * @param accepts whether the repository may be older than what is known of it: for this run, which makes that the newest
   */
  run(jobId: string, trigger: RunView['trigger'], accepts = false): ActiveRun {
    const record = this.#ports.store.get(jobId)
    if (this.#runs.has(jobId)) throw new MainError('busy', `${record.config.name} is running already.`)
    expectSignedIn(this.missingAccount(record))
    const run = new ActiveRun({ jobId, jobName: record.config.name, operation: 'backup', trigger }, this.#ports)
    if (accepts) this.#accepting.add(run)
    this.#interrupted.delete(jobId)
    this.#runs.set(jobId, run)
    void run.ended.then((view) => { this.#onEnded(run, view, record) })
    this.pump()
    this.#ports.onChange()
    return run
  }

  /** Whom a job waits for; nothing of it starts until somebody has signed in. */
  missingAccount({ config }: Pick<JobRecord, 'config'>): MissingAccount | undefined {
    return this.#ports.missingAccount(repositoryUrl(config.destination))
  }

  waitsForSignIn(jobId: string): boolean {
    return this.missingAccount(this.#ports.store.get(jobId)) !== undefined
  }

  /** Somebody signed in: jobs go on whose last run ended for want of that, and which wait for nobody else. */
  signedIn(): void {
    const { store, history } = this.#ports
    this.continueInterrupted(store.all.filter((record) => isForWantOfSignIn(history.last(record.id)) && !this.missingAccount(record)).map(({ id }) => id))
    this.tick()
  }

  /** Starts what waits, as far as there is room. */
  pump(): void {
    const queued = this.runs.filter((run) => run.state === 'queued')
    const room = this.#ports.parallelJobs() - (this.#runs.size - queued.length)
    for (const run of queued.slice(0, Math.max(0, room))) this.#start(run)
  }

  pause(jobId: string): void {
    this.#runs.get(jobId)?.pause()
  }

  resume(jobId: string): void {
    this.#runs.get(jobId)?.resume()
  }

  stop(jobId: string, mode: 'drain' | 'cancel'): void {
    this.#runs.get(jobId)?.stop(mode)
  }

  /** Pauses what runs and holds the schedule; a backup that is started by hand meanwhile runs. */
  pauseAll(): void {
    this.#pausedAll = true
    for (const run of this.runs) run.pause()
    this.#ports.onChange()
  }

  resumeAll(): void {
    this.#pausedAll = false
    for (const run of this.runs) run.resume()
    this.#ports.onChange()
    this.tick()
  }

  /** Jobs whose last run was cut off with the app: they go on at the next tick, whatever their schedule (E4). */
  continueInterrupted(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.#interrupted.add(jobId)
  }

  /** Starts what is due. Called at start, once in a while, and after wake-up; calling it more often changes nothing. */
  tick(): void {
    if (this.#pausedAll || this.#quitting) return
    for (const record of this.#ports.store.all) {
      const { id, config, scheduledSinceMs } = record
      if (this.#runs.has(id) || this.missingAccount(record)) continue
      const lastRun = this.#ports.history.last(id)
      const due = dueTrigger({ schedule: config.schedule, scheduledSinceMs, lastRun }, this.#ports.timers.now())
      const trigger = this.#interrupted.has(id) ? 'catch-up' : due
      if (trigger) this.run(id, trigger)
    }
  }

  /** From now on nothing starts, and a run that is cut short stays open in the history, so that the next start goes on with it. */
  quit(): void {
    this.#quitting = true
  }

  #start(run: ActiveRun): void {
    const record = this.#ports.store.get(run.identity.jobId)
    const secrets = keptSecrets(this.#ports.secrets, record.repository)
    this.#ports.history.started(record.id, { id: run.id, operation: 'backup', trigger: run.identity.trigger, startedMs: run.startedMs })
    if (!secrets) {
      run.fail({ code: 'password', message: 'The password of this job is not stored, or cannot be opened.', retryable: false, data: { missing: true } })
      return
    }
    const { uploadBytesPerSecond } = record.config
    const request = { job: withMachineSettings(backupJobOf(record, this.#ports.home, this.#accepting.has(run)), record, this.#ports.store.all), secrets, ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }) }
    run.start((listener) => this.#ports.engines.start(request, listener))
  }

  #onEnded(run: ActiveRun, view: RunView, record: JobRecord): void {
    this.#runs.delete(record.id)
    const complete = view.outcome === 'success' || view.outcome === 'unchanged' || view.outcome === 'warnings'
    if (!this.#quitting || complete) this.#ports.history.ended(view, run.problems)
    const { id, repositoryId: expected } = record.repository
    const repositoryId = run.repositoryId ?? (expected === run.known?.repositoryId ? expected : undefined)
    // A job that moved while it ran has another record by now.
    if (repositoryId !== undefined) void this.#ports.store.repositories.learn(id, repositoryId, run.known)
    if (this.#quitting) return
    this.#ports.onEnded(view, record)
    this.pump()
    this.#ports.onChange()
  }
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
