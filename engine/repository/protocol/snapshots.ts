import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { ObjectInfo, ObjectName } from '../../backend/backend.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import { jobKeyOf } from '../keys.ts'
import type { Repository } from '../repository.ts'
import { getIfThere, listAll } from './listing.ts'
import { expiredName, parseRevisionKey, parseSessionName, parseSnapshotName, revisionKey, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { openDecision } from './records.ts'
import type { Decision } from './records.ts'

/** One revision as a listing shows it. Tombstones and expired sessions are no snapshots and do not appear. */
export type SnapshotEntry =
  | {
      readonly type: 'snapshot'
      readonly ref: SnapshotRef
      readonly manifest: Manifest
      /** False only in flags mode: a prune had given the session up before its snapshot came, so blobs may lack. */
      readonly confirmed: boolean
    }
  /** Its object cannot be read; `error.code` is `damaged` or `version`. */
  | { readonly type: 'damaged', readonly ref: SnapshotRef, readonly error: HoldfastError }
  /** An object among the snapshots whose name this version does not write: a stranger's file, or a later version's. `error.code` is `version`. */
  | { readonly type: 'unknown', readonly object: ObjectName, readonly error: HoldfastError }

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

/** `JOB@REV`, as people name a snapshot. */
export function snapshotId(manifest: Pick<Manifest, 'job'>, ref: SnapshotRef): string {
  return `${manifest.job}@${revisionKey(ref)}`
}

/**
 * Every snapshot of the repository, or of one job, by job and revision; one that cannot be read, or is unknown, hides no other.
 * Whoever decides by them what is not needed stops at any that is no `snapshot` (rule R9). Errors: those of the storage.
 */
export async function* listSnapshots(
  repository: Repository, options: { readonly jobKey?: string, readonly cache?: DecisionCache }, signal: AbortSignal,
): AsyncGenerator<SnapshotEntry> {
  const scope = options.jobKey === undefined ? '' : `${options.jobKey}/`
  // Flags before snapshots: a snapshot that is forgotten in between counts as live once more, never the other way round.
  const deleted = await listFlags(repository, `deleted/${scope}`, signal)
  const expired = await listFlags(repository, `expired/${scope}`, signal)
  const infos = await listAll(repository.backend, `snapshots/${scope}`, signal)
  const listed: Listed[] = []
  for (const info of infos) {
    const ref = knownName(info.name)
    if (ref instanceof HoldfastError) yield { type: 'unknown', object: info.name, error: ref }
    else listed.push({ info, ref })
  }
  for (const { info, ref } of listed.sort(byRevision)) {
    const key = flagKey(ref)
    if (deleted.has(key)) continue
    const entry = await readEntry(repository, info, ref, !expired.has(key), options.cache, signal)
    if (entry) yield entry
  }
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
  repository: Repository, info: ObjectInfo, ref: SnapshotRef, confirmed: boolean, cache: DecisionCache | undefined, signal: AbortSignal,
): Promise<SnapshotEntry | undefined> {
  try {
    const decision = cache?.find(info) ?? await readDecision(repository, ref, signal)
    if (!decision) return undefined
    cache?.keep(info, decision)
    return decision.type === 'manifest' ? { type: 'snapshot', ref, manifest: decision.manifest, confirmed } : undefined
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return { type: 'damaged', ref, error }
    throw error
  }
}

/** What was decided about a revision; undefined while nothing is. Errors: `damaged`, `version`. */
export async function readDecision(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<Decision | undefined> {
  const bytes = await getIfThere(repository.backend, snapshotName(ref), signal)
  return bytes && openDecision(repository.keys, ref, bytes)
}

async function listFlags(repository: Repository, prefix: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  if (repository.config.arbiter === 'cas') return new Set()
  const infos = await listAll(repository.backend, prefix, signal)
  return new Set(infos.map((info) => flagKey(parseSessionName(info.name))))
}

/** The same for `expired/` and `deleted/`. */
function flagKey(ref: SnapshotRef): string {
  return expiredName(ref)
}

/**
 * The snapshot that `JOB@REV`, `latest` or `latest:JOB` names: the highest revision of a job, whatever clocks say, and of several
 * jobs that one which finished last.
 * Errors: `arguments` for another form, `not-found`, `damaged`, `version`.
 */
export async function resolveSnapshot(repository: Repository, name: string, signal: AbortSignal): Promise<SnapshotEntry & { readonly type: 'snapshot' }> {
  const latest = /^latest(?::(.+))?$/.exec(name)
  if (latest) return latestSnapshot(repository, latest[1], signal)
  const ref = findRevision(repository, name)
  for await (const entry of listSnapshots(repository, { jobKey: ref.jobKey }, signal)) {
    if (entry.type === 'unknown') continue
    const wanted = entry.ref.revision === ref.revision && (ref.suffix === '' || ref.suffix === entry.ref.suffix)
    if (wanted && entry.type === 'snapshot') return entry
    if (wanted && entry.type === 'damaged') throw entry.error
  }
  throw new HoldfastError('not-found', `There is no snapshot ${name}.`, { data: { snapshot: name } })
}

/** The revision that `JOB@REV` names, whether it exists or not. Error: `arguments`. */
export function findRevision(repository: Repository, id: string): SnapshotRef {
  const at = id.lastIndexOf('@')
  const ref = at > 0 ? parseRevisionKey(jobKeyOf(repository.keys, id.slice(0, at)), id.slice(at + 1)) : undefined
  if (!ref) throw new HoldfastError('arguments', `Not a snapshot: ${id}. A snapshot is named JOB@REVISION, latest or latest:JOB.`)
  return ref
}

async function latestSnapshot(repository: Repository, job: string | undefined, signal: AbortSignal): Promise<SnapshotEntry & { readonly type: 'snapshot' }> {
  const newest = new Map<string, SnapshotEntry & { readonly type: 'snapshot' }>()
  const scope = job === undefined ? {} : { jobKey: jobKeyOf(repository.keys, job) }
  for await (const entry of listSnapshots(repository, scope, signal)) if (entry.type === 'snapshot') newest.set(entry.ref.jobKey, entry)
  const [latest] = [...newest.values()].sort((a, b) => b.manifest.finishedMs - a.manifest.finishedMs)
  if (latest) return latest
  throw new HoldfastError('not-found', job === undefined ? 'The repository holds no snapshot.' : `There is no snapshot of ${job}.`)
}
