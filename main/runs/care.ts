import type { CareView, Problem, RunView } from '../api/contract.ts'
import { MainError, toWire } from '../api/errors.ts'
import type { JobRecord } from '../jobs/store.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import { keptSecrets, passwordMissing, repositoryUrl } from '../repositories/address.ts'
import { ActiveRun } from './active-run.ts'
import { isWait, type Candidate } from './decide.ts'
import type { QuietPorts } from './quiet-ports.ts'
import { restOf, wardJobOf, wardsOf, type Ward } from './wards.ts'

export interface CarePorts extends QuietPorts {
  /**
   * It has ended and is in the history.
   * @param before the care before it that was not stopped
   * @param copy the copy that was looked after, in place of the job's repository
   */
  readonly onEnded: (run: RunView, record: JobRecord, before: RunView | undefined, copy?: CopyRecord) => void
}

/** Runs of care that are looked through for one that was not stopped. */
const mostStopped = 100

/**
 * Looks after repositories by itself: old snapshots are forgotten, space is freed, what is stored is checked. About once a day for each repository of which
 * somebody has said what is kept, and for each copy, at a quiet moment, and behind everything else. One that is cut off simply runs again.
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
    for (const ward of wardsOf(this.#ports)) {
      if (this.#ports.queue.find(keyOf(ward.id))) continue
      const decision = this.#ports.queue.decision(keyOf(ward.id), this.#candidate(ward))
      if (decision && !isWait(decision)) this.#run(ward, 'schedule')
    }
  }

  /** Somebody wants it now: it runs as soon as nothing else does there. Errors: `not-found`; `unsupported` where nobody has chosen what is kept; `busy`. */
  run(jobId: string): ActiveRun {
    const ward = this.#wardOf(this.#ports.store.get(jobId).id)
    if (!ward) throw new MainError('unsupported', 'Nobody has chosen what is kept of this job.')
    return this.#run(ward, 'manual')
  }

  /** How the repository of a job is looked after; undefined where it is not. */
  view(record: JobRecord): CareView | undefined {
    const ward = this.#wardOf(record.id)
    return ward && this.#view(ward)
  }

  /** How a copy is looked after; undefined while it is not whole. */
  viewOfCopy(copyId: string): CareView | undefined {
    const ward = this.#find(copyId)
    return ward && this.#view(ward)
  }

  #view(ward: Ward): CareView {
    const lastRun = this.#ports.history.last(careHistory(ward.id))
    const run = this.#ports.queue.find(keyOf(ward.id))
    const decision = this.#ports.queue.decision(keyOf(ward.id), this.#candidate(ward))
    return {
      running: run !== undefined && run.state !== 'queued',
      ...(lastRun && { lastRun }),
      ...(decision && isWait(decision) && { waits: { wait: decision.wait, ...(decision.untilMs !== undefined && { untilMs: decision.untilMs }) } }),
    }
  }

  /** Ends the care that a job is in, and waits until it has: nothing goes by its old settings any more. It goes on by itself later. */
  async stop(jobId: string): Promise<void> {
    const ward = this.#wardOf(jobId)
    if (ward) await this.#end(ward.id)
  }

  /** As stop, of copies. */
  async stopCopies(copies: readonly Pick<CopyRecord, 'id'>[]): Promise<void> {
    await Promise.all(copies.map(({ id }) => this.#end(id)))
  }

  async #end(id: string): Promise<void> {
    const run = this.#ports.queue.find(keyOf(id))
    run?.stop('cancel')
    await run?.ended
  }

  /** What was wrong in a care; undefined where the run is none. */
  problems(jobId: string, runId: string): Promise<readonly Problem[]> | undefined {
    const { store, history } = this.#ports
    const copies = store.copies.of(store.get(jobId).repository.id)
    const keys = [this.#wardOf(jobId)?.id ?? jobId, ...copies.map(({ id }) => id)].map(careHistory)
    const key = keys.find((each) => history.find(each, runId))
    return key === undefined ? undefined : history.problems(key, runId)
  }

  /** The job, or the copy, is gone. */
  forget(id: string): void {
    this.#ports.history.remove(careHistory(id))
  }

  #wardOf(jobId: string): Ward | undefined {
    return wardsOf(this.#ports).find(({ jobs }) => jobs.some(({ id }) => id === jobId))
  }

  #find(id: string): Ward | undefined {
    return wardsOf(this.#ports).find((ward) => ward.id === id)
  }

  /** As things are now. */
  #candidate(ward: Ward): Candidate {
    const { history, missingAccount, disks: known, timers } = this.#ports
    const disks = ward.copy ? undefined : known.awaited(ward.first.repository)
    return {
      operation: 'care',
      jobId: ward.first.id,
      repository: ward.place,
      ...restOf(ward, this.#ports, this.#startedMs, timers.now()),
      lastRun: history.last(careHistory(ward.id)),
      missing: missingAccount(repositoryUrl(ward.destination)),
      ...(disks && { disks }),
    }
  }

  #run(ward: Ward, trigger: 'schedule' | 'manual'): ActiveRun {
    const { id, place, first: { id: jobId, config } } = ward
    const run = new ActiveRun({ jobId, jobName: config.name, operation: 'care', trigger }, this.#ports)
    this.#ports.queue.add({
      key: keyOf(id),
      run,
      asked: trigger,
      active: { operation: 'care', jobId, repository: place },
      candidate: () => this.#candidate(this.#find(id) ?? ward),
      start: () => { this.#start(run, this.#find(id) ?? ward) },
    })
    void run.ended.then((view) => { this.#onEnded(run, view, ward) })
    return run
  }

  #start(run: ActiveRun, ward: Ward): void {
    const { history, engines, home, secrets: kept } = this.#ports
    const secrets = keptSecrets(kept, { id: ward.place, destination: ward.destination })
    history.started(careHistory(ward.id), { id: run.id, operation: 'care', trigger: run.identity.trigger, startedMs: run.startedMs })
    if (!secrets) {
      run.fail(toWire(passwordMissing()))
      return
    }
    run.start((listener) => engines.start({ job: wardJobOf(ward, home), secrets }, listener))
  }

  #onEnded(run: ActiveRun, view: RunView, { id, copy, first: { id: jobId } }: Ward): void {
    const { store, history, queue, onEnded, onChange } = this.#ports
    const record = store.all.find((one) => one.id === jobId)
    // What it forgot is gone for good: this machine is not to miss it.
    if (!copy && record && run.known && run.known.repositoryId === record.repository.repositoryId) void store.repositories.learn(record.repository.id, run.known.repositoryId, run.known)
    if (!record || (copy && !store.copies.find(id)) || (queue.ending && view.care === undefined)) return
    const before = history.page(careHistory(id), mostStopped).runs.find(({ outcome }) => outcome !== 'stopped')
    history.ended({ ...view, jobId: careHistory(id) }, run.problems)
    if (queue.ending) return
    onEnded(view, record, before, copy)
    onChange()
  }
}

function keyOf(id: string): string {
  return `care:${id}`
}

/** Where the history keeps it: beside the runs of the job, whose schedule counts those alone. */
function careHistory(id: string): string {
  return `care-${id}`
}
