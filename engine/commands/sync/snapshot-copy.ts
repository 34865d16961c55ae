import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { writeIndexes } from '../../pipeline/index-writer.ts'
import { systemRandom } from '../../repository/crypto.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import { readDecision, snapshotId } from '../../repository/protocol/snapshots.ts'
import { rootOf, type Manifest } from '../../snapshot/manifest.ts'
import type { BlobId } from '../../snapshot/node.ts'
import { originKey } from '../../snapshot/origin.ts'
import { SessionKeeper } from '../backup/session-keeper.ts'
import type { RepositoryMemory } from '../memory.ts'
import { DataCopy } from './data.ts'
import type { Ends } from './ends.ts'
import type { HeldReader } from './held.ts'
import type { Lane } from './lane.ts'
import type { FoundSnapshot } from './read-plan.ts'
import type { Underway } from './sync-progress.ts'
import { TreeCopy } from './trees.ts'

/** Chunks may be retired at the destination again and again while a snapshot is copied; each time they are copied anew. */
const mostPasses = 8

export type Copied =
  | { readonly type: 'copied'; /** Of the destination. */ readonly id: string; readonly ref: SnapshotRef }
  /** Another sync was first. */
  | { readonly type: 'held' }
  /** It was forgotten at the source meanwhile. */
  | { readonly type: 'forgotten' }

export interface CopyParts {
  readonly lane: Lane
  readonly ends: Pick<Ends, 'ids'>
  readonly memory: RepositoryMemory
  readonly held: HeldReader
  /** Of the group at the destination. */
  readonly jobKey: string
  readonly snapshot: FoundSnapshot
  readonly underway: Underway
  readonly signal: AbortSignal
}

/**
 * Copies one snapshot in one session of the destination: whole, or not at all. A session that comes to no snapshot is ended; what it has stored is
 * the next one's. Errors: damaged, not-found, version (it cannot be read at the source), those of both storages.
 */
export class SnapshotCopy {
  readonly #parts: CopyParts
  readonly #keeper: SessionKeeper
  adoptedPacks = 0

  constructor(parts: CopyParts) {
    this.#parts = parts
    const { lane, memory, jobKey, snapshot } = parts
    const { clock, log } = lane.context
    this.#keeper = new SessionKeeper({
      repository: lane.destination, catalog: lane.catalog, home: lane.home, jobKey, memory, host: snapshot.manifest.host, clock, log, random: systemRandom, dryRun: false,
    })
  }

  async run(): Promise<Copied> {
    const { lane, signal } = this.#parts
    if (!await this.#stillStands()) return { type: 'forgotten' }
    if (await this.#isHeld()) return { type: 'held' }
    try {
      await this.#keeper.open(signal)
      this.adoptedPacks = await lane.takeUpSpool()
      // What earlier runs brought has to be where it was.
      if (!lane.catalog.lastSnapshot.closureUsable()) lane.forgetTrees()
      const copied = await this.#copy()
      this.adoptedPacks += this.#keeper.adoptedPacks
      return copied
    } catch (error) {
      lane.trees.forgetFresh()
      // What the storage does not take now a prune does later.
      if (!signal.aborted && lane.machine.failure === undefined) await this.#keeper.abandon(signal).catch(() => undefined)
      throw error
    } finally {
      await this.#keeper.stop()
    }
  }

  async #copy(): Promise<Copied> {
    const { lane, signal } = this.#parts
    for (let pass = 1; pass <= mostPasses; pass++) {
      const root = await this.#store()
      await lane.machine.flush()
      if (root === undefined || await this.#keeper.mustRedo(signal)) {
        lane.forgetTrees()
        continue
      }
      await this.#keeper.acknowledge(signal)
      await writeIndexes(lane.destination, lane.catalog, systemRandom, signal)
      if (await this.#isHeld()) {
        lane.trees.forgetFresh()
        await this.#keeper.abandon(signal)
        return { type: 'held' }
      }
      const commit = await this.#keeper.commit(() => this.#manifest(root), signal)
      if (commit.type === 'committed') return this.#committed(commit.ref, root)
      lane.forgetTrees()
    }
    throw new HoldfastError('expired', 'What was copied was pruned at the destination again and again. Run the sync again when no prune runs.')
  }

  /** @returns the root at the destination; undefined where something lacks again that was there. */
  async #store(): Promise<BlobId | undefined> {
    const { lane, ends: { ids }, snapshot, underway, signal } = this.#parts
    const { machine, catalog, trees, load, gate } = lane
    Object.assign(underway, { walkedBytes: 0, lackingBytes: 0, readBytes: 0 })
    const copy = new TreeCopy({ load, ids, catalog, trees, sink: machine.sink, gate, onFile: (bytes) => { underway.walkedBytes += bytes } })
    const root = rootOf(snapshot.manifest)
    using seen = catalog.idSet('seen_trees')
    const until = AbortSignal.any([signal, machine.signal])
    const data = new DataCopy({
      source: lane.source, places: lane.places, machine, ids, concurrency: lane.sourceConcurrency, gate,
      onWanted: (bytes) => { underway.lackingBytes += bytes },
      onRead: (bytes) => { underway.readBytes += bytes },
    })
    await data.run(copy.lacking(root, seen), until)
    return await copy.store(root)
  }

  #manifest(root: BlobId): Manifest {
    const { manifest: { parent: _parent, ...manifest }, origin } = this.#parts.snapshot
    return { ...manifest, version: 2, root: toHex(root), origin }
  }

  #committed(ref: SnapshotRef, root: BlobId): Copied {
    const { lane, snapshot: { manifest, origin } } = this.#parts
    const { host, finishedMs, counters: { files, bytes } } = manifest
    const id = snapshotId({ ...manifest, origin }, ref)
    lane.keepTrees({ id, host, revision: ref.revision, root: toHex(root), finishedMs, files, bytes, sources: [] })
    return { type: 'copied', id, ref }
  }

  async #stillStands(): Promise<boolean> {
    const { lane, snapshot: { ref }, signal } = this.#parts
    return (await readDecision(lane.source, ref, signal))?.type === 'manifest'
  }

  async #isHeld(): Promise<boolean> {
    const { held, jobKey, snapshot: { origin }, signal } = this.#parts
    const key = originKey(origin)
    return (await held.read(signal, jobKey)).some((each) => originKey(each.origin) === key)
  }
}
