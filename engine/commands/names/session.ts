import { setImmediate } from 'node:timers/promises'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Database } from '../../catalog/database.ts'
import { lockNames, openNames } from '../../catalog/names/database.ts'
import { NameLedger } from '../../catalog/names/ledger.ts'
import { NameSearch, type NameAnswer, type NameQuery } from '../../catalog/names/search.ts'
import type { PathVersion, SearchCoverage } from '../../protocol/messages.ts'
import { revisionOf, snapshotId, type ReadableSnapshot } from '../../repository/protocol/snapshots.ts'
import { rootOf } from '../../snapshot/manifest.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../reader.ts'
import { mostVersions, sweepNames, takeIn, type SnapshotToTake } from './take-in.ts'

/** Searches a repository that is open for reading; what its index of names lacks is taken in beside that. */
export class NameSession implements AsyncDisposable {
  readonly #reader: Reader
  readonly #home: string
  readonly #context: CommandContext
  readonly #stop = new AbortController()
  readonly #database: Database
  readonly #search: NameSearch
  readonly #ledger: NameLedger
  #existing: readonly SnapshotToTake[] = []
  #filling: Promise<void> | undefined
  #searches = 0

  /** Errors: those of opening a catalog. */
  constructor(reader: Reader, home: string, context: CommandContext) {
    this.#reader = reader
    this.#home = home
    this.#context = context
    this.#database = openNames(home, reader.repository.config.repositoryId)
    this.#search = new NameSearch(this.#database)
    this.#ledger = new NameLedger(this.#database)
  }

  /** Tells what snapshots there are: others vanish from what is found, and new ones are taken in from now on. */
  know(snapshots: readonly ReadableSnapshot[]): void {
    this.#existing = snapshots.map(snapshotToTake)
    this.#filling ??= this.#fill().finally(() => { this.#filling = undefined })
  }

  /** Resolves when all that can be taken in is. */
  async filled(): Promise<void> {
    await this.#filling
  }

  /** Errors: `aborted` where a newer search was begun; catalog. */
  async search(query: NameQuery): Promise<NameAnswer & { readonly coverage: SearchCoverage }> {
    const number = ++this.#searches
    const found = await this.#search.search(query, async () => {
      await setImmediate()
      if (number !== this.#searches) throw new HoldfastError('aborted', 'Another search has begun.')
    })
    return { ...found, coverage: this.coverage }
  }

  /** Of the same job and host as a snapshot; the newest first. Errors: catalog. */
  versions(snapshot: ReadableSnapshot, path: Uint8Array): readonly PathVersion[] {
    return this.#search.versions(snapshotToTake(snapshot), path)
  }

  get coverage(): SearchCoverage {
    const snapshots = this.#existing.length
    return { searched: snapshots - this.#ledger.countMissing(this.#existing), snapshots, filling: this.#filling !== undefined }
  }

  /** Nothing that is asked fails for it: what is not in the index is told with each answer. */
  async #fill(): Promise<void> {
    const { log, signal } = this.#context
    const until = AbortSignal.any([signal, this.#stop.signal])
    try {
      using _lock = lockNames(this.#home, this.#reader.repository.config.repositoryId)
      let known: readonly SnapshotToTake[] | undefined
      while (known !== this.#existing) {
        known = this.#existing
        if (this.#ledger.keepOnly(known)) await sweepNames(this.#ledger, until)
        const hasRoom = await takeIn(this.#database, this.#reader.trees.load, known, { mostVersions, signal: until, onDamaged: this.#tellDamaged })
        if (!hasRoom) log.write('info', 'The index of names is full: not all snapshots can be searched.')
      }
    } catch (error) {
      if (!hasCode(error, 'aborted', 'busy')) log.write('warning', `Names could not be taken in: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  readonly #tellDamaged = ({ id }: { readonly id: string }, error: Error): void => {
    this.#context.log.write('warning', `The names of ${id} cannot be searched: ${error.message}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#filling
    this.#database.close()
  }
}

function snapshotToTake(snapshot: ReadableSnapshot): SnapshotToTake {
  const { ref, manifest } = snapshot
  const { job, host, finishedMs } = manifest
  return { jobKey: ref.jobKey, host, job, revision: revisionOf(snapshot), id: snapshotId(manifest, ref), finishedMs, root: rootOf(manifest) }
}
