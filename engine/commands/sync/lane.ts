import { type HoldfastError, hasCode } from '../../base/errors.ts'
import { openCatalog, type Catalog } from '../../catalog/catalog.ts'
import type { LastSnapshot } from '../../catalog/last-snapshot.ts'
import { lockJob } from '../../catalog/lock.ts'
import { refreshIndex } from '../../catalog/refresh.ts'
import type { SyncedTrees } from '../../catalog/synced-trees.ts'
import { Tally } from '../../pipeline/tally.ts'
import type { SyncJob } from '../../protocol/job.ts'
import type { Repository } from '../../repository/repository.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import { endDeadSessions } from '../backup/dead-sessions.ts'
import { Machine } from '../backup/machine.ts'
import { openSpool } from '../backup/spool-folder.ts'
import { takeUpSpool } from '../backup/take-up-spool.ts'
import { BlobPlaces } from '../blob-places.ts'
import type { CommandContext } from '../context.ts'
import { openStorage, type OpenStorage } from '../open.ts'
import { TreeLoader } from '../tree-loader.ts'
import { laneKeyOf, type Ends } from './ends.ts'
import { PlacedLog } from './placed.ts'
import type { SyncRunProgress } from './sync-progress.ts'

export interface LaneParts {
  readonly job: SyncJob
  readonly context: CommandContext
  readonly ends: Ends
  readonly progress: SyncRunProgress
  /** From 0 on. */
  readonly number: number
  /** How many there are, which share what a storage bears. */
  readonly lanes: number
}

/**
 * What copies groups one after the other: connections of its own to both sides, threads, and a catalog of the destination, so that lanes do not
 * wait for each other. Errors in opening: busy, those of both storages.
 */
export class Lane implements AsyncDisposable {
  /** Holdfast's own folder. */
  readonly home: string
  readonly context: CommandContext
  readonly log: PlacedLog
  readonly catalog: Catalog
  readonly trees: SyncedTrees
  readonly destination: Repository
  readonly source: Repository
  readonly machine: Machine
  readonly tally: Tally
  readonly sourceConcurrency: number
  places: BlobPlaces
  #loader: TreeLoader
  #tookUp = false
  /** The folders that are kept rest on the closure before, too. */
  #inherits = true
  readonly #sourceCatalog: Catalog
  readonly #owned: AsyncDisposableStack

  private constructor(parts: LaneParts, opened: OpenedLane, owned: AsyncDisposableStack) {
    const { ends: { source, destination }, progress } = parts
    this.home = parts.job.home
    this.context = opened.context
    this.log = opened.log
    this.catalog = opened.catalog
    this.trees = opened.catalog.syncedTrees()
    this.destination = { ...destination.repository, backend: opened.destination.backend }
    this.source = { ...source.repository, backend: opened.source.backend }
    this.sourceConcurrency = opened.source.concurrency
    this.#sourceCatalog = source.catalog
    this.#owned = owned
    this.places = new BlobPlaces(this.source, this.#sourceCatalog, this.context)
    this.#loader = new TreeLoader(this.source, this.#sourceCatalog, this.context.signal, this.places)
    this.tally = new Tally(() => undefined)
    progress.tallies.push(this.tally)
    const from = { keys: source.repository.keys, config: source.repository.config }
    this.machine = new Machine({ dryRun: false, onFailure: 'drain' }, this.context, {
      catalog: this.catalog, repository: this.destination, storage: opened.destination, spool: opened.spool, source: from,
    }, { tally: this.tally, recordReached: () => { parts.ends.ids.flush() } })
  }

  static async open(parts: LaneParts): Promise<Lane> {
    const { job, ends, progress, number, lanes } = parts
    await using cleanup = new AsyncDisposableStack()
    const log = new PlacedLog(parts.context.log)
    const context = { ...parts.context, log, meter: progress.meter }
    const { repositoryId } = ends.destination.repository.config
    const laneKey = laneKeyOf(ends.destination.repository, ends.source.repository.config.repositoryId, number)
    // The first lane's lock is that of the whole sync.
    if (number > 0) cleanup.use(lockJob(job.home, repositoryId, laneKey))
    const { catalog, recreated } = openCatalog(job.home, repositoryId, laneKey)
    cleanup.use(catalog)
    if (recreated) log.write('warning', 'The local catalog was damaged or outdated; it is made anew.')
    const share = (storage: OpenStorage): number => Math.max(1, Math.min(job.concurrency, Math.floor(storage.backend.traits.maxConnections / lanes)))
    const destination = cleanup.use(await openStorage({ ...job, concurrency: share(ends.destination) }, context, { lanes: progress.destination, uploadJournal: catalog.uploads }))
    const sourceJob = { ...ends.sourceJob, concurrency: share(ends.source.storage) }
    const source = cleanup.use(await openStorage(sourceJob, { ...ends.sourceContext, ...onlyLog(context) }, { lanes: progress.source }))
    const spool = await openSpool(destination.backend, catalog, { home: job.home, repositoryId, jobKey: laneKey }, context.signal)
    await endDeadSessions({ repository: ends.destination.repository, catalog, log }, context.signal)
    catalog.trees.beginRun()
    return new Lane(parts, { context, log, catalog, destination, source, spool }, cleanup.move())
  }

  /** A tree of the source, verified; kept on this disk, since it is read once for its chunks and once for what becomes of it. */
  readonly load: LoadTree = async (id) => {
    const known = this.catalog.trees.get(id)
    if (known) return known
    const bytes = await this.#loader.load(id)
    this.catalog.trees.put(id, bytes)
    return bytes
  }

  /** Forgets what could not be read of the source, and learns where things are now. */
  async lookAgain(): Promise<void> {
    await refreshIndex(this.source, this.#sourceCatalog, this.context.signal)
    this.places = new BlobPlaces(this.source, this.#sourceCatalog, this.context)
    this.#loader = new TreeLoader(this.source, this.#sourceCatalog, this.context.signal, this.places)
  }

  /** The first session is open: what an interrupted sync had sealed goes first. @returns packs that had arrived. */
  async takeUpSpool(): Promise<number> {
    if (this.#tookUp) return 0
    this.#tookUp = true
    return takeUpSpool({ catalog: this.catalog, repository: this.destination, machine: this.machine }, (bytes) => { this.tally.carriedBytes += bytes })
  }

  /** What the destination has of the source's folders has to be looked up again. */
  forgetTrees(): void {
    this.trees.clear()
    this.#inherits = false
  }

  /** A snapshot is committed: later ones need not look up its folders again, as long as the packs of all of them are usable. */
  keepTrees(last: LastSnapshot): void {
    this.catalog.transaction(() => {
      this.catalog.lastSnapshot.set(last, { inherit: this.#inherits })
      this.trees.keep()
    })
    this.#inherits = true
  }

  readonly gate = (): Promise<void> => this.context.pauseGate.pass(this.machine.signal)

  /** The lane has failed: ends what goes on. @returns what went wrong first. */
  async fail(error: unknown): Promise<unknown> {
    const cause = this.machine.failure ?? error
    await this.machine.stop(error)
    return cause
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]()
    this.catalog.trees.endRun()
    await this.#owned.disposeAsync()
  }
}

interface OpenedLane {
  readonly context: CommandContext
  readonly log: PlacedLog
  readonly catalog: Catalog
  readonly destination: OpenStorage
  readonly source: OpenStorage
  readonly spool: string
}

function onlyLog({ log, signal }: CommandContext): Pick<CommandContext, 'log' | 'signal'> {
  return { log, signal }
}

/** Whether it is about what is read, not about the storage: the rest of the sync goes on. */
export function concernsSnapshot(error: unknown): error is HoldfastError {
  return hasCode(error, 'damaged', 'not-found', 'version')
}
