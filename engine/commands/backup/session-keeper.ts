import type { Clock } from '../../base/clock.ts'
import { fromText, toShown } from '../../base/byte-string.ts'
import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { adoptPacks, listIndex, takeIndex } from '../../catalog/refresh.ts'
import type { Random } from '../../repository/crypto.ts'
import { listPacks } from '../../repository/protocol/listing.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import type { Decision } from '../../repository/protocol/records.ts'
import { readRetireRecords } from '../../repository/protocol/retired.ts'
import { openSession, type BackupSession, type Commit, type Refreshed, type UsablePacks } from '../../repository/protocol/session.ts'
import { readDecision } from '../../repository/protocol/snapshots.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import { requireCapabilitiesOnceAWeek } from '../capabilities.ts'
import type { RepositoryMemory } from '../memory.ts'
import { endDeadSessions } from './dead-sessions.ts'

/** How often a session may be expired by prunes before the run gives up. */
const maximumSessions = 5

/** How often a running backup shows that it lives, and looks for retire records, in ms. */
const refreshMs = 3 * 60_000

export interface SessionKeeperOptions {
  readonly repository: Repository
  readonly catalog: Catalog
  /** Holdfast's own folder. */
  readonly home: string
  readonly jobKey: string
  readonly memory: RepositoryMemory
  readonly host: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Reads what a session reads, announces nothing. */
  readonly dryRun: boolean
}

/**
 * The run's session with the repository: opened when the first difference is found, so that a run without any leaves no trace. Keeps the
 * catalog's view of usable packs (R1, R2) and knows when what the run has built upon has to be looked up again (R3).
 */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions
  #session: BackupSession | undefined
  #opened = 0
  /** What the heartbeat found and nobody has heard yet. */
  #refreshed: (Refreshed & { readonly type: 'retired' | 'expired' }) | undefined
  /** Records that the catalog knows of, to be acknowledged once everything was looked up again. */
  #heeded: (Refreshed & { readonly type: 'retired' }) | undefined
  #beating: Promise<void> | undefined
  #stopBeating = new AbortController()
  /** Packs of other runs, interrupted ones among them, whose contents were read from their footers. */
  adoptedPacks = 0

  constructor(options: SessionKeeperOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#opened > 0
  }

  /** Whether the job had a snapshot, of whatever machine, when the session was opened; true where that is not known. */
  get hasSnapshots(): boolean {
    return !this.#session || this.#session.newest !== undefined
  }

  /** Opens a session, and brings the catalog to what it may build upon. Errors: `expired` after five sessions; `unsupported`; those of the storage. */
  async open(signal: AbortSignal): Promise<void> {
    const { repository, catalog, home, jobKey, memory, host, clock, random, dryRun } = this.#options
    if (this.#opened++ === maximumSessions) {
      throw new HoldfastError('expired', `A prune ended the session ${maximumSessions} times. Run the backup again when no prune runs.`)
    }
    if (dryRun) {
      await this.#takeStock(await peek(repository, signal), signal)
      return
    }
    const ready = requireCapabilitiesOnceAWeek(repository, home, clock.now(), signal)
    this.#session = await openSession(repository, jobKey, { host, clock, random, ready, above: memory.floor(jobKey) }, signal)
    memory.announced(this.#session.ref)
    catalog.sessions.add(this.#session.ref)
    await endDeadSessions({ ...this.#options, own: this.#session.ref }, signal)
    await this.#meetOthers(this.#session.newest, signal)
    await this.#takeStock(await this.#session.retired(signal), signal)
    this.#beat(signal)
  }

  /**
   * True when what was built since the last call may rest on packs that were retired meanwhile: the catalog then knows the new state,
   * everything has to be looked up again, and `acknowledge` called afterwards.
   */
  async mustRedo(signal: AbortSignal): Promise<boolean> {
    const refreshed = this.#refreshed
    if (!refreshed) return false
    if (refreshed.type === 'expired') await this.#renew(signal)
    else {
      this.#refreshed = undefined
      this.#heeded = refreshed
      await this.#takeStock(refreshed.usable, signal)
    }
    return true
  }

  /** Everything was looked up again. */
  async acknowledge(signal: AbortSignal): Promise<void> {
    await this.#heeded?.acknowledge(signal)
    this.#heeded = undefined
  }

  /** After `expired` a new session is open, and everything has to be looked up again. */
  async commit(manifest: () => Manifest, signal: AbortSignal): Promise<Commit> {
    await this.#settle()
    const session = this.#session
    if (!session) throw new HoldfastError('internal', 'There is no session to commit.')
    const made = manifest()
    const commit = await session.commit(() => made, signal)
    if (commit.type === 'expired') await this.#renew(signal)
    else {
      this.#options.memory.seen(commit.ref, { type: 'manifest', nonce: session.nonce, manifest: made })
      this.#options.memory.keep()
      await this.#close(session, signal)
    }
    return commit
  }

  /** Ends the session without a snapshot; does nothing where there is none. */
  async abandon(signal: AbortSignal): Promise<void> {
    await this.#settle()
    await this.#session?.abandon(signal)
    await this.#close(this.#session, signal)
  }

  /** The job's newest snapshot may be another machine's, that uses the same name: harmless, but whoever does not mean it should know. */
  async #meetOthers(newest: SnapshotRef | undefined, signal: AbortSignal): Promise<void> {
    const { repository, memory, jobKey, host, log } = this.#options
    if (!newest || memory.known(jobKey).some((known) => known.host === host && known.revision >= newest.revision)) return
    const isFirst = !memory.known(jobKey).some((known) => known.host === host)
    const told = new Set(isFirst ? [] : memory.otherHosts(jobKey, host))
    const decision = await readIfWhole(repository, newest, signal)
    if (decision) memory.seen(newest, decision)
    for (const other of memory.otherHosts(jobKey, host).filter((each) => !told.has(each))) {
      log.write('warning', `The machine ${toShown(fromText(other))} backs up under this job's name too. Its snapshots and those of this machine (${host}) are kept apart. If this machine was renamed, give --host with the old name to go on with them.`)
    }
  }

  /** Ends the heartbeat. */
  async stop(): Promise<void> {
    await this.#settle()
  }

  async #renew(signal: AbortSignal): Promise<void> {
    await this.#settle()
    this.#refreshed = undefined
    this.#heeded = undefined
    await this.#close(this.#session, signal)
    await this.open(signal)
  }

  /** It is decided: whether or not its intent could be removed, nobody waits for it. */
  async #close(session: BackupSession | undefined, signal: AbortSignal): Promise<void> {
    await session?.close(signal)
    if (session) this.#options.catalog.sessions.remove(session.ref)
  }

  /** R2: packs listed after the retire records, without those that a record names. Then what they hold: index objects, else footers. */
  async #takeStock(usable: UsablePacks, signal: AbortSignal): Promise<void> {
    const { repository, catalog, log } = this.#options
    catalog.packs.beginUsable()
    for (const name of usable.retired) catalog.packs.markRetired(name)
    const marked = async (): Promise<void> => {
      for await (const pack of usable.packs(signal)) catalog.packs.markUsable(pack.name, pack.size)
    }
    const [listed] = await Promise.all([listIndex(repository, signal), marked()])
    catalog.packs.endUsable()
    const index = await takeIndex(repository, catalog, listed, signal)
    const adopted = await adoptPacks(repository, catalog, signal)
    this.adoptedPacks += adopted.read
    for (const name of [...index.unreadable, ...adopted.unreadable]) log.write('warning', `${name} cannot be read; the backup goes on without it.`)
  }

  #beat(signal: AbortSignal): void {
    const session = this.#session
    const stop = (this.#stopBeating = new AbortController())
    const either = AbortSignal.any([signal, stop.signal])
    const beat = async (): Promise<void> => {
      while (session) {
        await this.#options.clock.sleep(refreshMs, either)
        if (this.#refreshed?.type === 'expired') continue
        const refreshed = await session.refresh(either)
        // Until they are acknowledged, the same records come again.
        const isNews = refreshed.type === 'expired' || (refreshed.type === 'retired' && !this.#heeded?.newlyRetired.isSupersetOf(refreshed.newlyRetired))
        if (isNews) this.#refreshed = refreshed
      }
    }
    // The heart may fail: the commit shows whether the session still stands.
    this.#beating = beat().catch((error: unknown) => {
      if (!either.aborted) this.#options.log.write('warning', `The session could not be refreshed: ${error instanceof Error ? error.message : String(error)}`)
    })
  }

  async #settle(): Promise<void> {
    this.#stopBeating.abort()
    await this.#beating
    this.#beating = undefined
  }
}

/** A damaged snapshot holds up no backup. */
async function readIfWhole(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<Decision | undefined> {
  try {
    return await readDecision(repository, ref, signal)
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return undefined
    throw error
  }
}

/** What a session would see, without announcing one. */
async function peek(repository: Repository, signal: AbortSignal): Promise<UsablePacks> {
  const records = await readRetireRecords(repository, new Map(), signal)
  const retired: ReadonlySet<string> = new Set([...records.values()].flatMap((record) => record.packs))
  return {
    retired,
    async *packs(until) {
      for await (const pack of listPacks(repository.backend, 16, until)) if (!retired.has(pack.name)) yield pack
    },
  }
}
