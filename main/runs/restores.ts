import { randomUUID } from 'node:crypto'
import type { RestoreView, RunView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { ActiveRun } from './active-run.ts'
import type { RunPorts } from './active-run.ts'
import type { EngineStarter } from './backups.ts'
import type { RunQueue } from './queue.ts'
import { restoreJobOf } from '../jobs/engine-jobs.ts'
import { requireSecrets } from '../repositories/address.ts'
import type { RestoreRequest } from '../jobs/engine-jobs.ts'
import type { JobStore } from '../jobs/store.ts'

export interface RestorePorts extends RunPorts {
  readonly store: JobStore
  readonly secrets: Pick<SecretStore, 'get'>
  readonly engines: EngineStarter
  readonly home: string
  readonly queue: RunQueue
  readonly onEnded: (restore: RestoreView) => void
}

/** Somebody waits for each; more at once would only make all of them slow. */
const mostRunning = 4
/** Ended ones that are listed; of more, the oldest goes. */
const mostEnded = 50

interface Restore {
  readonly id: string
  readonly request: RestoreRequest
  readonly jobName: string
  readonly run: ActiveRun
  result?: RunView
}

/** Restores of this session. They start at once, beside whatever runs (B5). */
export class Restores {
  readonly #ports: RestorePorts
  readonly #restores = new Map<string, Restore>()

  constructor(ports: RestorePorts) {
    this.#ports = ports
  }

  /** Newest first. */
  get views(): readonly RestoreView[] {
    return [...this.#restores.values()].map(viewOf).reverse()
  }

  get running(): readonly ActiveRun[] {
    return [...this.#restores.values()].filter((one) => !one.result).map((one) => one.run)
  }

  /** Errors: `not-found` (job), `password` (not stored), `busy` (too many at once). */
  start(request: RestoreRequest): string {
    const record = this.#ports.store.get(request.jobId)
    if (this.running.length >= mostRunning) throw new MainError('busy', 'Too many restores run already.', { pace: true })
    const secrets = requireSecrets(this.#ports.secrets, record.repository)
    const run = new ActiveRun({ jobId: record.id, jobName: record.config.name, operation: 'restore', trigger: 'manual' }, this.#ports)
    const restore: Restore = { id: randomUUID(), request, jobName: record.config.name, run }
    this.#restores.set(restore.id, restore)
    void run.ended.then((result) => {
      restore.result = result
      this.#forgetOldest()
      this.#ports.onChange()
      this.#ports.onEnded(viewOf(restore))
    })
    const place = { operation: 'restore', jobId: record.id, repository: record.repository.id } as const
    const job = restoreJobOf(record, this.#ports.home, request)
    this.#ports.queue.add({
      key: `restore:${restore.id}`, run, asked: 'manual', active: place, candidate: () => place,
      start: () => { run.start((listener) => this.#ports.engines.start({ job, secrets }, listener)) },
    })
    return restore.id
  }

  /** Errors: `not-found`. */
  get(id: string): ActiveRun {
    return this.#find(id).run
  }

  /** Errors: `not-found`. */
  target(id: string): string {
    return this.#find(id).request.target
  }

  /** Problems of a restore by the id of its run, or undefined where the run is no restore of this session. */
  problems(runId: string): ActiveRun['problems'] | undefined {
    return [...this.#restores.values()].find((one) => one.run.id === runId)?.run.problems
  }

  /** Takes an ended restore off the list; one that runs stays. */
  dismiss(id: string): void {
    if (!this.#restores.get(id)?.result) return
    this.#restores.delete(id)
    this.#ports.onChange()
  }

  #forgetOldest(): void {
    const ended = [...this.#restores.values()].filter((one) => one.result)
    for (const { id } of ended.slice(0, Math.max(0, ended.length - mostEnded))) this.#restores.delete(id)
  }

  #find(id: string): Restore {
    const found = this.#restores.get(id)
    if (!found) throw new MainError('not-found', 'There is no such restore.')
    return found
  }
}

function viewOf({ id, request, jobName, run, result }: Restore): RestoreView {
  const { jobId, snapshot, target, paths, except } = request
  return { id, jobId, jobName, snapshot, target, paths: paths.length, except: except.length, state: run.state, runId: run.id, ...(result && { result }) }
}
