import type { CareView, MissingAccount, Problem, RunView } from '../api/contract.ts'
import { MainError, toWire } from '../api/errors.ts'
import { careJobOf } from '../jobs/engine-jobs.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { keptSecrets, passwordMissing, repositoryUrl } from '../repositories/address.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { ActiveRun, type RunPorts } from './active-run.ts'
import type { EngineStarter } from './backups.ts'
import { isWait, type Candidate } from './decide.ts'
import type { RunHistory } from './history.ts'
import type { RunQueue } from './queue.ts'

export interface CarePorts extends RunPorts {
  readonly store: JobStore
  readonly history: RunHistory
  readonly secrets: Pick<SecretStore, 'get'>
  readonly engines: EngineStarter
  readonly queue: RunQueue
  readonly missingAccount: (address: string) => MissingAccount | undefined
  readonly home: string
  /**
   * It has ended and is in the history.
   * @param before the care before it that was not stopped
   */
  readonly onEnded: (run: RunView, record: JobRecord, before: RunView | undefined) => void
}

/** Jobs of one repository under one name of the machine: they are cared for together, under the id of the first. */
interface Ward {
  readonly first: JobRecord
  readonly jobs: readonly JobRecord[]
}

/** Runs of care that are looked through for one that was not stopped. */
const mostStopped = 100

/**
 * Looks after repositories by itself: old snapshots are forgotten, space is freed, what is stored is checked. About once a day for each repository of which
 * somebody has said what is kept, at a quiet moment, and behind everything else. One that is cut off simply runs again.
 */
export class Care {
  readonly #ports: CarePorts
  readonly #startedMs: number

  constructor(ports: CarePorts) {
    this.#ports = ports
    this.#startedMs = ports.timers.now()
  }

  /** Starts what is due. Called once in a while; calling it more often changes nothing. */
  tick(): void {
    for (const { first } of this.#wards()) {
      if (this.#ports.queue.find(keyOf(first.id))) continue
      const decision = this.#ports.queue.decision(keyOf(first.id), this.#candidate(first.id))
      if (decision && !isWait(decision)) this.#run(first, 'schedule')
    }
  }

  /** Somebody wants it now: it runs as soon as nothing else does there. Errors: `not-found`; `unsupported` where nobody has chosen what is kept; `busy`. */
  run(jobId: string): ActiveRun {
    const ward = this.#wardOf(this.#ports.store.get(jobId).id)
    if (!ward) throw new MainError('unsupported', 'Nobody has chosen what is kept of this job.')
    return this.#run(ward.first, 'manual')
  }

  /** How the repository of a job is looked after; undefined where it is not. */
  view(record: JobRecord): CareView | undefined {
    const ward = this.#wardOf(record.id)
    if (!ward) return undefined
    const lastRun = this.#ports.history.last(careHistory(ward.first.id))
    const run = this.#ports.queue.find(keyOf(ward.first.id))
    const decision = this.#ports.queue.decision(keyOf(ward.first.id), this.#candidate(ward.first.id))
    return {
      running: run !== undefined && run.state !== 'queued',
      ...(lastRun && { lastRun }),
      ...(decision && isWait(decision) && { waits: { wait: decision.wait, ...(decision.untilMs !== undefined && { untilMs: decision.untilMs }) } }),
    }
  }

  /** Ends the care that a job is in, and waits until it has: nothing goes by its old settings any more. It goes on by itself later. */
  async stop(jobId: string): Promise<void> {
    const ward = this.#wardOf(jobId)
    const run = ward && this.#ports.queue.find(keyOf(ward.first.id))
    run?.stop('cancel')
    await run?.ended
  }

  /** What was wrong in a care; undefined where the run is none. */
  problems(jobId: string, runId: string): Promise<readonly Problem[]> | undefined {
    const ward = this.#wardOf(jobId)
    const key = ward && careHistory(ward.first.id)
    return key !== undefined && this.#ports.history.find(key, runId) ? this.#ports.history.problems(key, runId) : undefined
  }

  /** The job is gone. */
  forget(jobId: string): void {
    this.#ports.history.remove(careHistory(jobId))
  }

  #wards(): readonly Ward[] {
    const wards = new Map<string, { readonly first: JobRecord; readonly jobs: JobRecord[] }>()
    for (const job of this.#ports.store.all) {
      if (job.config.retention === undefined) continue
      const key = JSON.stringify([job.repository.id, job.host])
      const ward = wards.get(key) ?? { first: job, jobs: [] }
      ward.jobs.push(job)
      wards.set(key, ward)
    }
    return [...wards.values()]
  }

  #wardOf(jobId: string): Ward | undefined {
    return this.#wards().find(({ jobs }) => jobs.some(({ id }) => id === jobId))
  }

  /** As things are now, for the ward that goes by this job. */
  #candidate(jobId: string): Candidate {
    const { history, missingAccount, store, queue } = this.#ports
    const { repository } = store.get(jobId)
    const neighbours = store.all.filter((one) => one.repository.id === repository.id)
    const ended = neighbours.flatMap(({ id }) => history.last(id)?.finishedMs ?? [])
    return {
      operation: 'care',
      jobId,
      repository: repository.id,
      exists: repository.repositoryId !== undefined,
      sinceMs: Math.min(...(this.#wardOf(jobId)?.jobs ?? neighbours).map((one) => one.scheduledSinceMs)),
      quietSinceMs: Math.max(this.#startedMs, queue.endedMs(repository.id) ?? 0, ...ended),
      schedules: neighbours.map(({ config }) => config.schedule),
      lastRun: history.last(careHistory(jobId)),
      missing: missingAccount(repositoryUrl(repository.destination)),
    }
  }

  #run({ id: jobId, config, repository }: JobRecord, trigger: 'schedule' | 'manual'): ActiveRun {
    const run = new ActiveRun({ jobId, jobName: config.name, operation: 'care', trigger }, this.#ports)
    this.#ports.queue.add({
      key: keyOf(jobId),
      run,
      asked: trigger,
      active: { operation: 'care', jobId, repository: repository.id },
      candidate: () => this.#candidate(jobId),
      start: () => { this.#start(run, jobId) },
    })
    void run.ended.then((view) => { this.#onEnded(run, view, jobId) })
    return run
  }

  #start(run: ActiveRun, jobId: string): void {
    const { history, engines, home, store, secrets: kept } = this.#ports
    const { repository } = store.get(jobId)
    const secrets = keptSecrets(kept, repository)
    history.started(careHistory(jobId), { id: run.id, operation: 'care', trigger: run.identity.trigger, startedMs: run.startedMs })
    if (!secrets) {
      run.fail(toWire(passwordMissing()))
      return
    }
    const jobs = this.#wardOf(jobId)?.jobs ?? []
    run.start((listener) => engines.start({ job: careJobOf(jobs, home), secrets }, listener))
  }

  #onEnded(run: ActiveRun, view: RunView, jobId: string): void {
    const { store, history, queue, onEnded, onChange } = this.#ports
    const record = store.all.find(({ id }) => id === jobId)
    // What it forgot is gone for good: this machine is not to miss it.
    if (record && run.known && run.known.repositoryId === record.repository.repositoryId) void store.repositories.learn(record.repository.id, run.known.repositoryId, run.known)
    if (!record || (queue.ending && view.care === undefined)) return
    const before = history.page(careHistory(jobId), mostStopped).runs.find(({ outcome }) => outcome !== 'stopped')
    history.ended({ ...view, jobId: careHistory(jobId) }, run.problems)
    if (queue.ending) return
    onEnded(view, record, before)
    onChange()
  }
}

function keyOf(jobId: string): string {
  return `care:${jobId}`
}

/** Where the history keeps it: beside the runs of the job, whose schedule counts those alone. */
function careHistory(jobId: string): string {
  return `care-${jobId}`
}
