import Database from 'better-sqlite3'
import type { ObjectInfo, StorageBackend } from '../../engine/backend/backend.ts'
import { toHex } from '../../engine/base/bytes.ts'
import { HoldfastError, hasCode } from '../../engine/base/errors.ts'
import { Catalog } from '../../engine/catalog/catalog.ts'
import { refreshIndex } from '../../engine/catalog/refresh.ts'
import { schema } from '../../engine/catalog/schema.ts'
import { BlobPlaces } from '../../engine/commands/blob-places.ts'
import { HeldReader } from '../../engine/commands/sync/held.ts'
import { groupOf, whyAllStay, type GroupPlan } from '../../engine/commands/sync/plan.ts'
import { jobKeyOfGroup, readPlan, type FoundSnapshot, type FoundVanished } from '../../engine/commands/sync/read-plan.ts'
import { TreeLoader } from '../../engine/commands/tree-loader.ts'
import type { SyncJob } from '../../engine/protocol/job.ts'
import { packObject, randomName } from '../../engine/repository/names.ts'
import { readPackContents } from '../../engine/repository/pack-reader.ts'
import { forgetSnapshot } from '../../engine/repository/protocol/forget.ts'
import { snapshotName } from '../../engine/repository/protocol/names.ts'
import type { CopiedBlob } from '../../engine/repository/protocol/prune-context.ts'
import { treeReferences } from '../../engine/repository/protocol/references.ts'
import type { RevisionMemory } from '../../engine/repository/protocol/revision-memory.ts'
import { openSession, type BackupSession, type UsablePacks } from '../../engine/repository/protocol/session.ts'
import { listSnapshots, readDecision } from '../../engine/repository/protocol/snapshots.ts'
import type { Repository } from '../../engine/repository/repository.ts'
import { rootOf } from '../../engine/snapshot/manifest.ts'
import type { BlobId } from '../../engine/snapshot/node.ts'
import { originKey } from '../../engine/snapshot/origin.ts'
import { context } from './reader.ts'
import { makePack, randomOf, repositoryOn, sourceFolder, sourceId, stillClock } from './repository.ts'
import { retrying } from './world.ts'

const never = new AbortController().signal

/** A sync that breaks what the real one keeps to. */
export type BrokenSync =
  /** What it knew of the source when it began is all it ever knows. */
  | 'reads the source once'
  /** What the source does not hold any more is left out. */
  | 'passes over what it cannot read'
  /** What is at the destination and not in its listing of the source vanished. */
  | 'takes the unlisted for forgotten'
  /** After an expiry it counts on what it had stored before. */
  | 'counts on an expired session'

export interface SyncSpec {
  readonly removeVanished?: boolean
  readonly breaks?: BrokenSync
}

export interface SyncEnd {
  /** Objects of the destination. */
  readonly committed: readonly string[]
  /** Something could not be read at the source. */
  readonly unreadable: boolean
}

/** The source of a sync lies in the same store as the destination, in a folder of its own. */
export function sourceOf(backend: StorageBackend): StorageBackend {
  const there = (name: string): string => `${sourceFolder}${name}`
  const here = (info: ObjectInfo): ObjectInfo => ({ ...info, name: info.name.slice(sourceFolder.length) })
  return {
    ...backend,
    put: (name, body, options, signal) => backend.put(there(name), body, options, signal),
    get: (name, range, signal) => backend.get(there(name), range, signal),
    stat: async (name, signal) => here(await backend.stat(there(name), signal)),
    remove: (name, signal) => backend.remove(there(name), signal),
    async *list(prefix, signal) {
      for await (const info of backend.list(there(prefix), signal)) yield here(info)
    },
  }
}

/** The clock stands still, so what was read once would count for whatever takes its place. Each listing looks new. */
function restless(backend: StorageBackend): StorageBackend {
  let listings = 0
  return {
    ...backend,
    async *list(prefix, signal) {
      const modifiedMs = ++listings
      for await (const info of backend.list(prefix, signal)) yield { ...info, modifiedMs }
    },
  }
}

const forgetful: RevisionMemory = { known: () => [], floor: () => 0, seen: () => undefined }

/** A sync as engine/commands/sync does it, with the pipeline left out: its plan, what it asks of both sides and in which order are the real ones. */
export async function sync(backend: StorageBackend, name: string, spec: SyncSpec, arbiter: 'cas' | 'flags'): Promise<SyncEnd> {
  const source = repositoryOn(retrying(sourceOf(backend)), arbiter, sourceId)
  const destination = repositoryOn(retrying(backend), arbiter)
  const held = new HeldReader({ repository: { ...destination, backend: restless(destination.backend) }, memory: forgetful, log: context.log })
  const job: SyncJob = {
    type: 'sync', repository: '', home: '', concurrency: 1, from: '', groups: [], removeVanished: spec.removeVanished === true, parallelGroups: 1, dryRun: false,
  }
  const listed = spec.breaks === 'takes the unlisted for forgotten' ? await keysOf(source) : undefined
  const plan = await readPlan(job, { source: { repository: source, memory: forgetful }, destination: { repository: destination } }, held, context, (what) => { throw new Error(what) })
  const work = new SyncWork({ source, destination, held, name, spec })
  for (const group of plan.groups) await work.group(group)
  for (const { origin, ref, state } of listed ? await held.read(never) : []) if (state === 'held' && !listed?.has(originKey(origin))) await forgetSnapshot(destination, ref, never)
  return { committed: work.committed, unreadable: work.unreadable }
}

async function keysOf(source: Repository): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const entry of listSnapshots(source, {}, never)) {
    if (entry.type === 'snapshot') keys.add(`${sourceId} ${entry.ref.revision} ${entry.nonce} ${entry.manifest.job}`)
  }
  return keys
}

interface WorkParts {
  readonly source: Repository
  readonly destination: Repository
  readonly held: HeldReader
  readonly name: string
  readonly spec: SyncSpec
}

type Copied = 'arrived' | 'forgotten' | 'unreadable'

class SyncWork {
  readonly committed: string[] = []
  unreadable = false
  readonly #parts: WorkParts
  readonly #random
  #loader: TreeLoader | undefined

  constructor(parts: WorkParts) {
    this.#parts = parts
    this.#random = randomOf(parts.name)
  }

  async group(plan: GroupPlan<FoundSnapshot, FoundVanished>): Promise<void> {
    const ends: Copied[] = []
    for (const snapshot of plan.copy) ends.push(await this.#try(snapshot))
    const failed = ends.filter((end) => end === 'unreadable').length
    this.unreadable ||= failed > 0
    if (whyAllStay(plan, { failed, arrived: ends.filter((end) => end === 'arrived').length })) return
    for (const { ref } of plan.remove) {
      await forgetSnapshot(this.#parts.destination, ref, never).catch((error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error
      })
    }
  }

  /** As `Groups` does: what is not found is looked for once more. */
  async #try(snapshot: FoundSnapshot): Promise<Copied> {
    for (const last of this.#parts.spec.breaks === 'reads the source once' ? [true] : [false, true]) {
      try {
        return await this.#once(snapshot)
      } catch (error) {
        if (!hasCode(error, 'damaged', 'not-found', 'version')) throw error
        if (last) break
        this.#loader = undefined
      }
    }
    return 'unreadable'
  }

  /** As `SnapshotCopy` does. */
  async #once(snapshot: FoundSnapshot): Promise<Copied> {
    const { source, destination, spec: { breaks } } = this.#parts
    if ((await readDecision(source, snapshot.ref, never))?.type !== 'manifest') return 'forgotten'
    if (await this.#isHeld(snapshot)) return 'arrived'
    let before: ReadonlySet<string> = new Set()
    for (let sessions = 0; sessions < 5; sessions++) {
      const session = await openSession(destination, jobKeyOfGroup(destination, groupOf(snapshot)), { host: 'h', clock: stillClock, random: this.#random, shards: 1 }, never)
      const usable = await session.retired(never)
      const stored = breaks === 'counts on an expired session' && before.size > 0 ? before : await this.#stored(usable)
      try {
        before = new Set([...stored, ...await this.#store(snapshot, stored)])
        if (await this.#isHeld(snapshot)) {
          await session.abandon(never)
          return 'arrived'
        }
        if (await this.#commit(session, snapshot)) return 'arrived'
      } catch (error) {
        await session.abandon(never)
        throw error
      } finally {
        await session.close(never)
      }
    }
    throw new HoldfastError('expired', 'expired five times')
  }

  async #commit(session: BackupSession, { manifest: { parent: _parent, ...manifest }, origin }: FoundSnapshot): Promise<boolean> {
    const commit = await session.commit(() => ({ ...manifest, version: 2, origin }), never)
    if (commit.type === 'committed') this.committed.push(snapshotName(commit.ref))
    return commit.type === 'committed'
  }

  /** Ids in usable packs. */
  async #stored(usable: UsablePacks): Promise<ReadonlySet<string>> {
    const { backend, keys } = this.#parts.destination
    const ids = new Set<string>()
    for await (const pack of usable.packs(never)) {
      const contents = await readPackContents(backend, keys, pack, never).catch((error: unknown) => {
        if (hasCode(error, 'not-found')) return { segments: [] }
        throw error
      })
      for (const segment of contents.segments) for (const { id } of segment.blobs) ids.add(toHex(id))
    }
    return ids
  }

  /** Reads from the source what the destination lacks, and stores it. @returns its ids. */
  async #store(snapshot: FoundSnapshot, stored: ReadonlySet<string>): Promise<readonly string[]> {
    const root = rootOf(snapshot.manifest)
    const tree = await this.#read(root)
    const missing: CopiedBlob[] = []
    for (const blob of [{ id: root, bytes: tree }, ...await this.#children(tree, stored)]) if (blob.bytes && !stored.has(toHex(blob.id))) missing.push({ id: blob.id, bytes: blob.bytes })
    if (missing.length > 0) {
      const { bytes } = makePack([missing])
      const put = (): Promise<void> => this.#parts.destination.backend.put(packObject(randomName(this.#random)), { type: 'bytes', bytes }, { once: true }, never)
      // R5: each attempt has a name of its own.
      await put().catch((error: unknown) => {
        if (!hasCode(error, 'unavailable')) throw error
        return put()
      })
    }
    return missing.map(({ id }) => toHex(id))
  }

  async #children(tree: Uint8Array | undefined, stored: ReadonlySet<string>): Promise<{ readonly id: BlobId, readonly bytes: Uint8Array | undefined }[]> {
    const blobs: { readonly id: BlobId, readonly bytes: Uint8Array | undefined }[] = []
    for (const id of tree ? treeReferences(tree).data : []) if (!stored.has(toHex(id))) blobs.push({ id: id.slice(), bytes: await this.#read(id) })
    return blobs
  }

  /** Undefined only where the mutant leaves it out. */
  async #read(id: BlobId): Promise<Uint8Array | undefined> {
    const loader = (this.#loader ??= await this.#look())
    try {
      return (await loader.load(id)).slice()
    } catch (error) {
      if (this.#parts.spec.breaks === 'passes over what it cannot read' && hasCode(error, 'damaged', 'not-found')) return undefined
      throw error
    }
  }

  async #look(): Promise<TreeLoader> {
    const { source, spec: { breaks } } = this.#parts
    const database = new Database(':memory:')
    database.exec(schema)
    const catalog = new Catalog(database)
    await refreshIndex(source, catalog, never)
    const places = new BlobPlaces(source, catalog, context)
    if (breaks !== 'reads the source once') return new TreeLoader(source, catalog, never, places)
    // Its table of contents, too, is that of the beginning.
    await places.search(new Uint8Array(32), 'tree')
    return new TreeLoader(source, catalog, never)
  }

  async #isHeld(snapshot: FoundSnapshot): Promise<boolean> {
    const { destination, held } = this.#parts
    const key = originKey(snapshot.origin)
    return (await held.read(never, jobKeyOfGroup(destination, groupOf(snapshot)))).some(({ origin }) => originKey(origin) === key)
  }
}
