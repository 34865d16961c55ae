import { type ByteString, toShown } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import { fromHex } from '../../base/bytes.ts'
import { keepNativeMemorySmall } from '../../base/memory.ts'
import { BackupWalk } from '../../pipeline/backup-walk.ts'
import type { WalkSource, WalkStore } from '../../pipeline/walk-types.ts'
import { JournalReader } from '../../pipeline/journal-reader.ts'
import type { LoadNow } from '../../pipeline/previous-directory.ts'
import type { Tally } from '../../pipeline/tally.ts'
import type { SourceRecord } from '../../catalog/last-snapshot.ts'
import type { BackupJob } from '../../protocol/job.ts'
import { listSnapshots } from '../../repository/protocol/snapshots.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { Disk } from '../../source/disk.ts'
import { Excludes } from '../../source/excludes.ts'
import { isSystemPath } from '../../source/system-folders.ts'
import type { CommandContext } from '../context.ts'
import { TreeLoader } from '../tree-loader.ts'
import type { Machine } from './machine.ts'
import { neverStored, type OpenBackup } from './open-backup.ts'
import { OwnFolders } from './own-folders.ts'
import { recordsOf, SourceWatch } from './source-watch.ts'
import type { SessionKeeper } from './session-keeper.ts'
import { takeUpSpool } from './take-up-spool.ts'

/** What a pass compares with. */
export interface Base {
  readonly root: BlobId | undefined
  /** Everything that the root reaches is in usable packs (R3), as far as is known without a session. */
  readonly trusted: boolean
}

export interface PassOptions {
  readonly job: BackupJob
  readonly context: CommandContext
  readonly opened: OpenBackup
  readonly machine: Machine
  readonly keeper: SessionKeeper
  readonly tally: Tally
  readonly sources: readonly WalkSource[]
  readonly disk: Disk
  /** Something is about to be stored; nothing was written yet. May be called again. */
  readonly entering: (signal: AbortSignal) => Promise<void>
  /** The session is open, and the catalog knows what is usable; may be called again. */
  readonly entered: () => void
}

/** Thrown inside a pass when what it compares with turns out not to hold: the next pass gets another base. */
class BaseFailed extends Error {
  readonly next: Base

  constructor(next: Base) {
    super('the base of the comparison does not hold')
    this.next = next
  }
}

/** Walks the sources until one pass went through with a base that holds. */
export class Passes {
  readonly #options: PassOptions
  readonly #excludes: Excludes
  readonly #own: OwnFolders
  readonly #load: LoadNow
  readonly #loader: TreeLoader
  #watch: SourceWatch
  #base: Base

  constructor(options: PassOptions) {
    const { job, opened } = options
    const { catalog, repository } = opened
    this.#options = options
    this.#excludes = new Excludes(job.excludes, neverStored(job, opened))
    this.#own = new OwnFolders(neverStored(job, opened), repository.config.repositoryId)
    this.#loader = new TreeLoader(repository, catalog, options.machine.signal)
    this.#load = (id) => catalog.trees.get(id) ?? this.#fetch(id)
    const last = catalog.lastSnapshot.of(opened.host)
    this.#base = { root: last && fromHex(last.root), trusted: last !== undefined }
    this.#watch = this.#watchFor(last?.sources ?? [])
  }

  /** The sources as they are stored now, for the next run to compare with. */
  get records(): SourceRecord[] {
    return this.#watch.records(this.#options.sources)
  }

  /** A pattern that left out nothing may have a typing error in it, or just nothing to do. */
  tellUnmatched(): void {
    for (const pattern of this.#excludes.unmatched) this.#options.context.log.write('info', `The exclude pattern ${JSON.stringify(pattern)} matched nothing.`)
  }

  #isSystemFolder(path: ByteString): boolean {
    if (!isSystemPath(path)) return false
    this.#options.context.log.write('info', `${toShown(path)} holds what the kernel makes up, not files: it is stored as an empty folder.`)
    return true
  }

  #watchFor(known: readonly SourceRecord[]): SourceWatch {
    return new SourceWatch(known, this.#options.disk, this.#options.job.acceptChangedSources ?? false)
  }

  /** The closure of the snapshot before was taken over where nothing had changed. */
  get inherited(): boolean {
    return this.#base.trusted
  }

  /** The root tree of the source as it is now; everything below it is stored or on its way. */
  async run(): Promise<BlobId> {
    for (;;) {
      try {
        return await this.#pass()
      } catch (error) {
        const failed = error instanceof BaseFailed ? error : this.#options.machine.failure
        if (!(failed instanceof BaseFailed)) throw error
        this.#base = failed.next
      }
    }
  }

  /** Sources that are suddenly empty or on another disk. */
  get changedSources(): number {
    return this.#watch.changed
  }

  /** Everything has to be looked up again, compared with the tree that was just built. */
  distrust(root: BlobId): void {
    this.#options.tally.changes.seal()
    this.#base = { root, trusted: false }
  }

  async #pass(): Promise<BlobId> {
    const { opened, context, machine, tally, sources, disk } = this.#options
    const { catalog } = opened
    tally.restart()
    // Without a base there is nothing that could be unchanged.
    if (!this.#base.root) await this.#ensure()
    const { root, trusted } = this.#base
    tally.changes.begin(root !== undefined)
    this.#watch.changed = 0
    const walk = new BackupWalk({
      sources, disk, excludes: this.#excludes, isOwn: this.#own.isOwn, files: machine.reading(tally.changes.counts), scratch: opened.scratch, store: this.#store(), trusted, tally,
      pauseGate: context.pauseGate, signal: machine.signal, held: (source, before) => this.#watch.held(source, before, this.#load), isAccepted: (source) => this.#watch.isAccepted(source),
      isSystemFolder: (path) => this.#isSystemFolder(path),
      ...(root ? { previousRoot: root } : {}),
      ...(catalog.journal.isEmpty ? {} : { journal: new JournalReader(catalog, this.#load) }),
    })
    return walk.run()
  }

  #store(): WalkStore {
    const { opened, machine } = this.#options
    const { catalog } = opened
    return {
      ensure: () => this.#ensure(),
      storeTree: (bytes) => {
        const id = machine.sink.storeTree(bytes)
        machine.journal.tree(id, bytes)
        return id
      },
      treesSettled: () => machine.sink.treesSettled(),
      touch: (ids) => catalog.blobs.touch(ids),
      load: this.#load,
      peek: (id) => this.#peek(id),
      storedRatio: (id) => {
        const place = catalog.blobs.locate(id)
        return place && place.rawLength > 0 ? place.storedLength / place.rawLength : undefined
      },
      fileDone: (directory, node) => { machine.journal.fileDone(directory, node) },
      directoryDone: (path, tree) => { machine.journal.directoryDone(path, tree) },
    }
  }

  /** The first difference opens the session. What was compared before it must then still hold. */
  async #ensure(): Promise<void> {
    if (!this.#options.keeper.isOpen) await this.#enter()
  }

  async #enter(): Promise<void> {
    const { opened, keeper, machine } = this.#options
    const { catalog } = opened
    await keepNativeMemorySmall()
    // There is something to store: the threads come up while the storage answers.
    machine.pool.start()
    await this.#options.entering(machine.signal)
    await keeper.open(machine.signal)
    this.#options.entered()
    await this.#takeUpSpool()
    if (!this.#base.root) {
      const newest = keeper.hasSnapshots ? await this.#newestManifest() : undefined
      if (newest) {
        this.#base = { root: fromHex(newest.root), trusted: false }
        this.#watch = this.#watchFor(recordsOf(newest.sources))
      }
      return
    }
    if (this.#base.trusted && !catalog.lastSnapshot.closureUsable()) throw new BaseFailed({ root: this.#base.root, trusted: false })
  }

  /** The job's newest snapshot of this machine in the repository, where the catalog does not know it: another's files are other files. */
  async #newestManifest(): Promise<Manifest | undefined> {
    const { opened, machine } = this.#options
    let newest: Manifest | undefined
    const { repository, jobKey, memory, host } = opened
    for await (const entry of listSnapshots(repository, { jobKey, memory }, machine.signal)) {
      if (entry.type === 'snapshot' && entry.manifest.host === host) newest = entry.manifest
    }
    return newest
  }

  async #takeUpSpool(): Promise<void> {
    const { opened: { catalog, repository }, job, machine, keeper, tally } = this.#options
    if (job.dryRun) return
    keeper.adoptedPacks += await takeUpSpool({ catalog, repository, machine }, (bytes) => { tally.carriedBytes += bytes })
  }

  async #fetch(id: BlobId): Promise<Uint8Array> {
    try {
      const bytes = await this.#loader.load(id)
      this.#options.opened.catalog.trees.put(id, bytes)
      return bytes
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      this.#options.context.log.write('warning', `The snapshot before cannot be read, so every file is: ${error.message}`)
      throw new BaseFailed({ root: undefined, trusted: false })
    }
  }
  async #peek(id: BlobId): Promise<Uint8Array | undefined> {
    try {
      return this.#options.opened.catalog.trees.get(id) ?? await this.#loader.load(id)
    } catch (error) {
      if (hasCode(error, 'damaged', 'not-found')) return undefined
      throw error
    }
  }
}
