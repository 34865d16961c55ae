import { toHex } from '../../engine/base/bytes.ts'
import { HoldfastError, hasCode } from '../../engine/base/errors.ts'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { packObject, randomName } from '../../engine/repository/names.ts'
import { readPackContents } from '../../engine/repository/pack-reader.ts'
import { putIndexes } from '../../engine/repository/protocol/index-objects.ts'
import { forgetSnapshot } from '../../engine/repository/protocol/forget.ts'
import type { SnapshotRef } from '../../engine/repository/protocol/names.ts'
import { pruneContext } from '../../engine/repository/protocol/prune-context.ts'
import type { PruneOptions } from '../../engine/repository/protocol/prune-context.ts'
import { planPrune } from '../../engine/repository/protocol/prune-prepare.ts'
import type { PrunePlan, PruneResult } from '../../engine/repository/protocol/prune-plan.ts'
import { executePrune } from '../../engine/repository/protocol/prune.ts'
import { openSession } from '../../engine/repository/protocol/session.ts'
import type { BackupSession, Commit, UsablePacks } from '../../engine/repository/protocol/session.ts'
import type { PackContents } from '../../engine/repository/pack-info.ts'
import type { Repository } from '../../engine/repository/repository.ts'
import { MemoryLiveness } from './memory-liveness.ts'
import { closure, jobKey, makePack, manifestOf, memoryPacks, randomOf, repositoryOn, stillClock, tree } from './repository.ts'
import { retrying } from './world.ts'
import type { AtOnce } from './world.ts'

const never = new AbortController().signal

export interface BackupSpec {
  readonly job: string
  /** One letter per chunk. */
  readonly need: string
  /** Puts index objects too. */
  readonly index?: boolean
  /** Looks at its session once more before it commits, and acknowledges. */
  readonly refresh?: boolean
  /** Uploads against what it sees before it opens its session, and declares its root. */
  readonly late?: boolean
  /** Declares its root, though it uploads the tree only in its session. */
  readonly declares?: boolean
  /** Uploads the tree (with the new chunks) even when nothing is missing below it, as a mutant's control. */
  readonly skipsChildrenOfStoredTrees?: boolean
  /** How it names a pack attempt; default: at random. */
  readonly nameOf?: (blobs: string, attempt: number) => string
}

export interface BackupOutcome {
  readonly ref: SnapshotRef
  readonly uploadedBlobs: readonly string[]
  readonly sessions: number
}

/** A backup as the pipeline does it, with the file pipeline left out: commits a snapshot that needs the chunks. */
export async function backup(backend: StorageBackend, name: string, spec: BackupSpec, arbiter: 'cas' | 'flags'): Promise<BackupOutcome> {
  const repository = repositoryOn(retrying(backend), arbiter)
  const work = new BackupWork(repository, name, spec)
  const root = spec.late || spec.declares ? { root: tree(spec.need).id } : {}
  if (spec.late) await work.uploadMissing(await work.stored(allPacks(repository)))
  let sessions = 0
  const options = { host: 'h', clock: stillClock, random: work.random, shards: 1, ...root } as const
  while (sessions < 5) {
    sessions++
    const session = await openSession(repository, jobKey(spec.job), options, never)
    const commit = await work.run(session)
    await session.close(never)
    if (commit.type === 'committed') return { ref: commit.ref, uploadedBlobs: work.uploadedBlobs, sessions }
  }
  throw new HoldfastError('expired', 'expired five times')
}

function allPacks(repository: Repository): UsablePacks {
  return {
    retired: new Set(),
    async *packs() {
      for await (const info of repository.backend.list('packs/', never)) yield { name: info.name.slice(9), size: info.size, modifiedMs: info.modifiedMs }
    },
  }
}

class BackupWork {
  readonly uploadedBlobs: string[] = []
  readonly random
  readonly #repository: Repository
  readonly #spec: BackupSpec
  #uploaded = new Set<string>()

  constructor(repository: Repository, name: string, spec: BackupSpec) {
    this.#repository = repository
    this.#spec = spec
    this.random = randomOf(name)
  }

  async run(session: BackupSession): Promise<Commit> {
    this.#uploaded = new Set()
    await this.uploadMissing(await this.stored(await session.retired(never)))
    if (this.#spec.refresh) {
      const refreshed = await session.refresh(never)
      if (refreshed.type === 'expired') return refreshed
      if (refreshed.type === 'retired') {
        this.#uploaded = new Set()
        await this.uploadMissing(await this.stored(refreshed.usable))
        await refreshed.acknowledge(never)
      }
    }
    return session.commit(() => manifestOf(this.#spec.job, this.#spec.need), never)
  }

  /** Ids in usable packs. */
  async stored(usable: UsablePacks): Promise<ReadonlySet<string>> {
    const ids = new Set<string>()
    for await (const pack of usable.packs(never)) {
      const contents = await this.#contents(pack)
      if (!contents) continue
      for (const segment of contents.segments) for (const blob of segment.blobs) ids.add(toHex(blob.id))
    }
    return ids
  }

  async uploadMissing(stored: ReadonlySet<string>): Promise<void> {
    const blobs = closure(this.#spec.need)
    const rootStored = stored.has(toHex(blobs[0]?.id ?? new Uint8Array(0)))
    if (this.#spec.skipsChildrenOfStoredTrees && rootStored) return
    const missing = blobs.filter(({ id }) => !stored.has(toHex(id)) && !this.#uploaded.has(toHex(id)))
    if (missing.length === 0) return
    const pack = makePack([missing])
    const ids = missing.map(({ id }) => toHex(id))
    for (let attempt = 0; ; attempt++) {
      const name = this.#spec.nameOf?.(ids.join(), attempt) ?? randomName(this.random)
      try {
        await this.#repository.backend.put(packObject(name), { type: 'bytes', bytes: pack.bytes }, { once: true }, never)
        if (this.#spec.index) await putIndexes(this.#repository, [{ name, size: pack.bytes.length, contents: pack.contents }], this.random, never)
        break
      } catch (error) {
        if (!hasCode(error, 'unavailable')) throw error
      }
    }
    for (const id of ids) this.#uploaded.add(id)
    this.uploadedBlobs.push(...ids)
  }

  async #contents(pack: { readonly name: string, readonly size: number }): Promise<PackContents | undefined> {
    try {
      return await readPackContents(this.#repository.backend, this.#repository.keys, pack, never)
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    }
  }
}

export interface PruneSpec {
  readonly options?: Partial<PruneOptions>
  /** Changes the plan before it is executed: any candidates at all must be safe. */
  readonly change?: (plan: PrunePlan) => PrunePlan
}

/** Expires at once, spares no age, repacks whatever has dead bytes. */
const eager: Partial<PruneOptions> = { minimumAgeMs: 0, expireAfterMs: 0, repackAboveDeadShare: 0, shards: 1, smallIndexObjects: 2 }

export async function prune(
  backend: StorageBackend, name: string, spec: PruneSpec, arbiter: 'cas' | 'flags', plan: AtOnce = (work) => work(),
): Promise<PruneResult> {
  const repository = repositoryOn(retrying(backend), arbiter)
  using store = new MemoryLiveness()
  const context = pruneContext({ repository, store, packs: memoryPacks, clock: stillClock, random: randomOf(name) }, { ...eager, ...spec.options })
  const found = await plan(() => planPrune(context, never))
  if (!spec.change) return await executePrune(context, found, never)
  // Candidates of its own choice: what the real plan retired in its store must not count.
  using fresh = new MemoryLiveness()
  return await executePrune(pruneContext({ ...context, store: fresh }, context.options), spec.change(found), never)
}

export async function forget(backend: StorageBackend, ref: SnapshotRef, arbiter: 'cas' | 'flags'): Promise<void> {
  try {
    await forgetSnapshot(repositoryOn(retrying(backend), arbiter), ref, never)
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error
  }
}

/** Opens a session and never ends it, as a backup that died. */
export async function openAndDie(backend: StorageBackend, name: string, job: string, arbiter: 'cas' | 'flags'): Promise<void> {
  await openSession(repositoryOn(backend, arbiter), jobKey(job), { host: 'h', clock: stillClock, random: randomOf(name), shards: 1 }, never)
}
