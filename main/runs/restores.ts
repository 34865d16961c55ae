import { randomUUID } from 'node:crypto'
import type { RestoreView, RunView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { ActiveRun } from './active-run.ts'
import type { RunPorts } from './active-run.ts'
import type { EngineStarter } from './backups.ts'
import type { RunQueue } from './queue.ts'
import { restoreJobOf } from '../jobs/engine-jobs.ts'
import type { Place, Places } from '../repositories/places.ts'
import type { RestoreRequest } from '../jobs/engine-jobs.ts'

export interface RestorePorts extends RunPorts {
  readonly places: Places
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
  readonly place: Place
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

  /** Goes on when the visit that it reads ends. Errors: `not-found` (job, visit), `password` (not stored), `busy` (too many at once). */
  start(request: RestoreRequest): string {
    const { place, secrets } = this.#ports.places.open(request.place)
    if (this.running.length >= mostRunning) throw new MainError('busy', 'Too many restores run already.', { pace: true })
    const run = new ActiveRun({ jobId: place.id, jobName: place.name, operation: 'restore', trigger: 'manual' }, this.#ports)
    const restore: Restore = { id: randomUUID(), request, place, run }
    this.#restores.set(restore.id, restore)
    void run.ended.then((result) => {
      restore.result = result
      this.#forgetOldest()
      this.#ports.onChange()
      this.#ports.onEnded(viewOf(restore))
    })
    const active = { operation: 'restore', jobId: place.id, repository: place.repository.id } as const
    const job = restoreJobOf(place, this.#ports.home, request)
    this.#ports.queue.add({
      key: `restore:${restore.id}`, run, asked: 'manual', active, candidate: () => active,
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

function viewOf({ id, request, place, run, result }: Restore): RestoreView {
  const { snapshot, target, paths, except } = request
  return { id, place: place.ref, from: place.name, snapshot, target, paths: paths.length, except: except.length, state: run.state, runId: run.id, ...(result && { result }) }
}
