import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { ObjectInfo, ObjectName } from '../../backend/backend.ts'
import { sessionJobName, type Manifest } from '../../snapshot/manifest.ts'
import { originRevision } from '../../snapshot/origin.ts'
import { fetchIfThere } from '../fetch.ts'
import type { Repository } from '../repository.ts'
import { isThere, listAll } from './listing.ts'
import { expiredName, parseSessionName, parseSnapshotName, revisionKey, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { openDecision } from './records.ts'
import type { Decision } from './records.ts'
import type { RevisionMemory } from './revision-memory.ts'

/** One revision as a listing shows it. Tombstones and expired sessions are no snapshots and do not appear. */
export type SnapshotEntry =
  | {
      readonly type: 'snapshot'
      readonly ref: SnapshotRef
      readonly manifest: Manifest
      /** Of the session that made it. */
      readonly nonce: string
      /** False only in flags mode: a prune had given the session up before its snapshot came, so blobs may lack. */
      readonly confirmed: boolean
    }
  /** Its object cannot be read; `error.code` is `damaged` or `version`. */
  | { readonly type: 'damaged', readonly ref: SnapshotRef, readonly error: HoldfastError }
  /** An object among the snapshots whose name this version does not write: a stranger's file, or a later version's. `error.code` is `version`. */
  | { readonly type: 'unknown', readonly object: ObjectName, readonly error: HoldfastError }

/** One that could be read. */
export type ReadableSnapshot = Extract<SnapshotEntry, { type: 'snapshot' }>

/** The number by which snapshots of a job and host follow each other: of a synced one, that which it had at its origin. */
export function revisionOf({ ref, manifest: { origin } }: Pick<ReadableSnapshot, 'ref' | 'manifest'>): number {
  return origin ? originRevision(origin) : ref.revision
}

interface CachedDecision {
  readonly size: number
  readonly modifiedMs: number
  readonly decision: Decision
}

/**
 * Decisions that were read once. What was decided stays; only a manifest may become a tombstone, which has another size, so an entry
 * counts while size and time are those of the listing. One entry per snapshot.
 */
export class DecisionCache {
  readonly #decisions = new Map<string, CachedDecision>()

  find(info: ObjectInfo): Decision | undefined {
    const cached = this.#decisions.get(info.name)
    return cached?.size === info.size && cached.modifiedMs === info.modifiedMs ? cached.decision : undefined
  }

  keep(info: ObjectInfo, decision: Decision): void {
    this.#decisions.set(info.name, { size: info.size, modifiedMs: info.modifiedMs, decision })
  }
}

/** `JOB@REV`, as people name a snapshot; one that was synced here has `JOB~<12 hex>` for its job. */
export function snapshotId(manifest: Pick<Manifest, 'job' | 'host' | 'origin'>, ref: SnapshotRef): string {
  return `${sessionJobName(manifest)}@${revisionKey(ref)}`
}

export interface SnapshotQuery {
  readonly jobKey?: string
  readonly cache?: DecisionCache
  /** Learns what is read. What it knows and the listing does not show is asked for by name: a listing may be late, or withhold it. */
  readonly memory?: RevisionMemory
}

/**
 * Every snapshot of the repository, or of one job, by job and revision; one that cannot be read, or is unknown, hides no other.
 * Whoever decides by them what is not needed stops at any that is no `snapshot` (rule R9). Errors: those of the storage.
 */
export async function* listSnapshots(repository: Repository, query: SnapshotQuery, signal: AbortSignal): AsyncGenerator<SnapshotEntry> {
  const scope = query.jobKey === undefined ? '' : `${query.jobKey}/`
  // Flags before snapshots: a snapshot that is forgotten in between counts as live once more, never the other way round.
  const deleted = await listFlags(repository, `deleted/${scope}`, signal)
  const expired = await listFlags(repository, `expired/${scope}`, signal)
  for (const ref of deleted.values()) query.memory?.seen(ref, { type: 'deleted' })
  const infos = await listAll(repository.backend, `snapshots/${scope}`, signal)
  const listed: Listed[] = []
  for (const info of infos) {
    const ref = knownName(info.name)
    if (ref instanceof HoldfastError) yield { type: 'unknown', object: info.name, error: ref }
    else listed.push({ info, ref })
  }
  listed.push(...await notListed(repository, query, infos, signal))
  for (const { info, ref } of listed.sort(byRevision)) {
    const key = flagKey(ref)
    if (deleted.has(key)) continue
    const entry = await readEntry(repository, { info, ref }, !expired.has(key), query, signal)
    if (entry) yield entry
  }
}

/**
 * Snapshots of one job, newest revision first, each read when it is asked for; what cannot be read, or was given up by a prune, is passed over.
 * For whoever wants to know of some, and decides nothing by them. Errors: those of the storage.
 */
export async function* newestSnapshots(repository: Repository, jobKey: string, signal: AbortSignal): AsyncGenerator<ReadableSnapshot> {
  const deleted = await listFlags(repository, `deleted/${jobKey}/`, signal)
  const expired = await listFlags(repository, `expired/${jobKey}/`, signal)
  const infos = await listAll(repository.backend, `snapshots/${jobKey}/`, signal)
  const listed = infos.flatMap((info) => {
    const ref = knownName(info.name)
    return ref instanceof HoldfastError || deleted.has(flagKey(ref)) || expired.has(flagKey(ref)) ? [] : [{ info, ref }]
  })
  for (const each of listed.sort(byRevision).reverse()) {
    const entry = await readEntry(repository, each, true, {}, signal)
    if (entry?.type === 'snapshot') yield entry
  }
}

async function notListed(repository: Repository, { jobKey, memory }: SnapshotQuery, infos: readonly ObjectInfo[], signal: AbortSignal): Promise<readonly Listed[]> {
  const names = new Set(infos.map(({ name }) => name))
  const found: Listed[] = []
  for (const known of memory?.known(jobKey) ?? []) {
    const ref = { jobKey: known.jobKey, revision: known.revision, suffix: known.suffix }
    const name = snapshotName(ref)
    if (known.state === 'snapshot' && !names.has(name) && await isThere(repository.backend, name, signal)) found.push({ info: { name, size: 0, modifiedMs: 0 }, ref })
  }
  return found
}

interface Listed {
  readonly info: ObjectInfo
  readonly ref: SnapshotRef
}

function knownName(name: ObjectName): SnapshotRef | HoldfastError {
  try {
    return parseSnapshotName(name)
  } catch (error) {
    if (hasCode(error, 'version')) return error
    throw error
  }
}

function byRevision(a: Listed, b: Listed): number {
  if (a.ref.jobKey !== b.ref.jobKey) return a.ref.jobKey < b.ref.jobKey ? -1 : 1
  return a.ref.revision - b.ref.revision || (a.ref.suffix < b.ref.suffix ? -1 : 1)
}

async function readEntry(
  repository: Repository, { info, ref }: Listed, confirmed: boolean, { cache, memory }: SnapshotQuery, signal: AbortSignal,
): Promise<SnapshotEntry | undefined> {
  try {
    const decision = cache?.find(info) ?? await readDecision(repository, ref, signal)
    if (!decision) return undefined
    cache?.keep(info, decision)
    memory?.seen(ref, decision)
    return decision.type === 'manifest' ? { type: 'snapshot', ref, manifest: decision.manifest, nonce: decision.nonce, confirmed } : undefined
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return { type: 'damaged', ref, error }
    throw error
  }
}

/** What was decided about a revision; undefined while nothing is. Errors: `damaged`, `version`. */
export async function readDecision(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<Decision | undefined> {
  return fetchIfThere(() => repository.backend.get(snapshotName(ref), 'all', signal), (bytes) => openDecision(repository.keys, ref, bytes))
}

async function listFlags(repository: Repository, prefix: string, signal: AbortSignal): Promise<ReadonlyMap<string, SnapshotRef>> {
  if (repository.config.arbiter === 'cas') return new Map()
  const infos = await listAll(repository.backend, prefix, signal)
  return new Map(infos.map((info) => parseSessionName(info.name)).map((ref) => [flagKey(ref), ref]))
}

/** The same for `expired/` and `deleted/`. */
function flagKey(ref: SnapshotRef): string {
  return expiredName(ref)
}
