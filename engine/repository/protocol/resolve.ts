import { HoldfastError } from '../../base/errors.ts'
import { jobKeyOf } from '../keys.ts'
import type { Repository } from '../repository.ts'
import { parseRevisionKey } from './names.ts'
import type { SnapshotRef } from './names.ts'
import type { RevisionMemory } from './revision-memory.ts'
import { listSnapshots, revisionOf, type ReadableSnapshot } from './snapshots.ts'
import { listSnapshotsOfJob } from './synced.ts'

export interface ResolveOptions {
  /** Whose snapshots `latest` means first. */
  readonly host: string
  readonly memory?: RevisionMemory
}

/** Whether what is meant depends on what else there is. */
export function meansLatest(name: string): boolean {
  return latestPattern.test(name)
}

/** A job's name has no slash, a host may. */
const latestPattern = /^latest(?::(?:(.+)\/)?([^/]+))?$/s

/**
 * The snapshot that `JOB@REV`, `latest`, `latest:JOB` or `latest:HOST/JOB` names. `latest` is the highest revision of a job on a host, whatever
 * clocks say, and of several jobs that one which finished last. Without a host it is this machine's, or the only one's that there is.
 * Errors: `arguments` for another form, or where several hosts may be meant; `not-found`, `damaged`, `version`.
 */
export async function resolveSnapshot(repository: Repository, name: string, options: ResolveOptions, signal: AbortSignal): Promise<ReadableSnapshot> {
  const latest = latestPattern.exec(name)
  if (latest) return latestSnapshot(repository, { job: latest[2], host: latest[1] }, options, signal)
  const ref = findRevision(repository, name)
  for await (const entry of listSnapshots(repository, { jobKey: ref.jobKey, ...memoryOf(options) }, signal)) {
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
  if (!ref) throw new HoldfastError('arguments', `Not a snapshot: ${id}. A snapshot is named JOB@REVISION, latest, latest:JOB or latest:HOST/JOB.`)
  return ref
}

/**
 * The snapshot that came before another one of its job and host: the highest revision below its own, at the origin where it was synced. Undefined: there is none that can
 * be read. Errors: those of the storage.
 */
export async function snapshotBefore(repository: Repository, newer: ReadableSnapshot, options: Pick<ResolveOptions, 'memory'>, signal: AbortSignal): Promise<ReadableSnapshot | undefined> {
  let found: ReadableSnapshot | undefined
  for await (const entry of listSnapshots(repository, { jobKey: newer.ref.jobKey, ...memoryOf(options) }, signal)) {
    if (entry.type !== 'snapshot' || entry.manifest.host !== newer.manifest.host || revisionOf(entry) >= revisionOf(newer)) continue
    if (!found || revisionOf(found) < revisionOf(entry)) found = entry
  }
  return found
}

interface Wanted {
  readonly job: string | undefined
  readonly host: string | undefined
}

async function latestSnapshot(repository: Repository, { job, host }: Wanted, options: ResolveOptions, signal: AbortSignal): Promise<ReadableSnapshot> {
  const newest = new Map<string, ReadableSnapshot>()
  const entries = job === undefined ? listSnapshots(repository, memoryOf(options), signal) : listSnapshotsOfJob(repository, job, memoryOf(options), signal)
  for await (const entry of entries) {
    if (entry.type !== 'snapshot') continue
    const line = `${entry.ref.jobKey} ${entry.manifest.host}`
    const before = newest.get(line)
    if (!before || revisionOf(before) <= revisionOf(entry)) newest.set(line, entry)
  }
  const all = [...newest.values()].sort((a, b) => b.manifest.finishedMs - a.manifest.finishedMs)
  const [latest] = host === undefined ? ofOneHost(all, options.host) : all.filter(({ manifest }) => manifest.host === host)
  if (latest) return latest
  const whose = host === undefined ? '' : ` of the machine ${host}`
  throw new HoldfastError('not-found', job === undefined ? 'The repository holds no snapshot.' : `There is no snapshot of ${job}${whose}.`)
}

/** More are not shown to choose from. */
const shownChoices = 10

function ofOneHost(newest: readonly ReadableSnapshot[], own: string): readonly ReadableSnapshot[] {
  const ours = newest.filter(({ manifest }) => manifest.host === own)
  if (ours.length > 0) return ours
  if (new Set(newest.map(({ manifest }) => manifest.host)).size <= 1) return newest
  const choices = newest.slice(0, shownChoices).map(({ manifest }) => `latest:${manifest.host}/${manifest.job}`)
  const more = newest.length > shownChoices ? ', …' : ''
  throw new HoldfastError('arguments', `None of the snapshots is of this machine (${own}), and several others have some. Say which: ${choices.join(', ')}${more}.`)
}

function memoryOf({ memory }: Pick<ResolveOptions, 'memory'>): { readonly memory?: RevisionMemory } {
  return memory ? { memory } : {}
}
