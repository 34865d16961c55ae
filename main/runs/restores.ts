import { randomUUID } from 'node:crypto'
import type { Problem, RestoreView, RunView } from '../api/contract.ts'
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

  /** The folder that it restores to; the first of where the files were. Errors: `not-found`. */
  target(id: string): string {
    const { target } = this.#find(id).request
    return typeof target === 'string' ? target : (target.origins[0] ?? '')
  }

  /** What would try again what a restore that has ended did not restore. Errors: `not-found`, with `data.reason` `nothing` where there is nothing to try. */
  again(id: string): RestoreRequest {
    const { request, run, result } = this.#find(id)
    const failed = result ? failedOf(run) : []
    if (failed.length === 0) throw new MainError('not-found', 'There is nothing to try again.', { reason: 'nothing' })
    const [first, ...more] = [request, ...(request.more ?? [])].map((part) => ({
      ...part, only: failed.filter(({ snapshot }) => snapshot === part.snapshot).map(({ pathBytes }) => new Uint8Array(Buffer.from(pathBytes, 'base64'))),
    }))
    return { ...request, ...(first && { only: first.only }), more }
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
  const { snapshot, target, more = [] } = request
  const parts = [request, ...more]
  const everything = parts.some(({ paths }) => paths.length === 0)
  return {
    id, place: place.ref, from: place.name, snapshot, more: more.length, ...(typeof target === 'string' && { target }),
    paths: everything ? 0 : parts.reduce((sum, { paths }) => sum + paths.length, 0), except: parts.reduce((sum, { except = [] }) => sum + except.length, 0),
    state: run.state, runId: run.id, canRetry: result !== undefined && failedOf(run).length > 0, ...(result && { result }),
  }
}

/** What was not restored, as far as it is kept. */
function failedOf({ problems }: ActiveRun): readonly NonNullable<Problem['from']>[] {
  return problems.flatMap(({ from }) => from ?? [])
}
