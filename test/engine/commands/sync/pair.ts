import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { PauseGate } from '../../../../engine/base/pause.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { SyncDetails } from '../../../../engine/commands/sync.ts'
import type { SyncJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { openRepository, type InitOptions } from '../../../../engine/repository/repository.ts'
import { initCheaply } from '../../../fixtures/cheap-repository.ts'
import { World } from '../../../fixtures/world.ts'

type Arbiter = InitOptions['arbiter']

interface PairOptions {
  readonly source?: Arbiter
  readonly destination?: Arbiter
  /** Made with `init --like`. */
  readonly like?: true
}

/** Two repositories with passwords of their own, and a machine that syncs from one to the other. */
export class Pair implements Disposable {
  readonly source: World
  readonly destination: World

  static async make({ source = 'cas', destination = 'cas', like }: PairOptions = {}): Promise<Pair> {
    const pair = new Pair(new World(), new World())
    pair.destination.password = 'another horse'
    await initCheaply(pair.source.repository, pair.source.password, {}, { arbiter: source })
    const { keys: { blobId, chunker } } = await pair.open(pair.source)
    await initCheaply(pair.destination.repository, pair.destination.password, {}, { arbiter: destination, ...(like ? { content: { blobId, chunker } } : {}) })
    return pair
  }

  constructor(source: World, destination: World) {
    this.source = source
    this.destination = destination
  }

  async open(world: World): ReturnType<typeof openRepository> {
    const signal = new AbortController().signal
    return openRepository(await openBackend(world.repository, { credentials: fixedCredentials({}), signal }), world.password, signal)
  }

  job(options: Partial<SyncJob> = {}): SyncJob {
    return { ...this.destination.common, type: 'sync', from: this.source.repository, groups: [], removeVanished: false, parallelGroups: 2, dryRun: false, ...options }
  }

  /** @param gate lets each step of the run pass; what it does first happens in mid-run. */
  sync(options: Partial<SyncJob> = {}, { signal, gate }: { readonly signal?: AbortSignal; readonly gate?: PauseGate } = {}): Promise<RunSummary> {
    const context = this.destination.context(signal)
    const secrets = { ...context.secrets, from: { password: this.source.password, storage: {} } }
    return runJob(this.job(options), { ...context, secrets, ...(gate ? { pauseGate: gate } : {}) })
  }

  /** Writes files below the source folder and backs it up. */
  async backup(files: Readonly<Record<string, string | Uint8Array>>, options: Parameters<World['backup']>[0] = {}): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(this.source.source, path, '..'), { recursive: true })
      writeFileSync(join(this.source.source, path), content)
    }
    const { snapshot } = await this.source.backup({ host: 'desk', ...options })
    if (snapshot === undefined) throw new Error('no snapshot')
    return snapshot
  }

  forget(world: World, ...snapshots: readonly string[]): Promise<RunSummary> {
    return world.run({ ...world.common, type: 'forget', snapshots, dryRun: false })
  }

  /** Removes what nobody needs, however young it is, and counts every running session as dead. */
  prune(world: World): Promise<RunSummary> {
    return world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0, expireAfterMs: 0 })
  }

  /** A folder with what a snapshot of either side holds; emptied first. */
  async restored(world: World, snapshot: string, name = 'restored'): Promise<string> {
    const target = join(world.folder, name)
    rmSync(target, { recursive: true, force: true })
    await world.restore(target, { snapshot })
    return join(target, 'source')
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]()
    this.destination[Symbol.dispose]()
  }
}

/** Does something once, when a run asks for the n-th time whether it is paused. */
export class MomentGate extends PauseGate {
  readonly #at: number
  readonly #work: () => Promise<unknown>
  asked = 0

  constructor(at: number, work: () => Promise<unknown>) {
    super()
    this.#at = at
    this.#work = work
  }

  override async pass(signal: AbortSignal): Promise<void> {
    if (++this.asked === this.#at) await this.#work()
    await super.pass(signal)
  }
}

export function detailsOf(summary: RunSummary): SyncDetails {
  return summary.details as SyncDetails
}

/** What was copied, group by group: ids of the source. */
export function copiedOf(summary: RunSummary): Record<string, readonly string[]> {
  return Object.fromEntries(detailsOf(summary).done.map(({ group, copied }) => [group, copied.map(({ source }) => source)]))
}
