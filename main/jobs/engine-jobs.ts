import { sep } from 'node:path'
import type { BackupJob, BrowseJob, CareJob, ForgetJob, RestoreJob, RestorePart, ServeJob, SyncJob, TestJob, WatchJob } from '../../engine/protocol/job.ts'
import type { KnownRepository } from '../../engine/protocol/known.ts'
import type { Destination, JobConfig, PlaceRef, Retention } from '../api/contract.ts'
import { keepsAll } from '../api/retention.ts'
import { repositoryUrl } from '../repositories/address.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import type { Place } from '../repositories/places.ts'
import type { JobRecord } from './store.ts'

/** How long `destination.test` waits for a storage that is away: somebody sits in front of it. */
const testPatienceMs = 4_000
const browsePatienceMs = 20_000
const helperConcurrency = 4
/** It yields to everything. */
const careConcurrency = 2
/** A storage that is away is cared for, or copied to, another time. */
const carePatienceMs = 60_000
const groupsAtOnce = 2

/** Asks the engine to tell what it learns. */
const nothingKnown: KnownRepository = { repositoryId: '0'.repeat(32), revisions: [], floors: [] }

/** A restore whose target, or the places where the files were, main itself learned. */
export interface RestoreRequest extends Pick<RestoreJob, 'target' | 'snapshot' | 'paths' | 'except' | 'only' | 'overwrite' | 'more'> {
  readonly place: PlaceRef
}

/** @param acceptOlderRepository somebody said that the repository may be older than what is known of it */
export function backupJobOf(record: JobRecord, home: string, acceptOlderRepository = false): BackupJob {
  const { config, repository: { repositoryId } } = record
  return {
    type: 'backup',
    name: config.name,
    sources: config.sources,
    excludes: config.excludes,
    dryRun: false,
    onFailure: 'drain',
    ...repositoryOf(record, home),
    concurrency: config.concurrency,
    ...(acceptOlderRepository && { acceptOlderRepository }),
    // Only the first run may make a repository: later, none at the address is an error that the user must hear of.
    ...(repositoryId === undefined && { create: true }),
  }
}

export function restoreJobOf(place: Place, home: string, request: RestoreRequest): RestoreJob {
  return {
    type: 'restore',
    ...partOf(request),
    target: request.target,
    overwrite: request.overwrite,
    ...(request.more && request.more.length > 0 && { more: request.more.map(partOf) }),
    ...repositoryOf(place, home),
    concurrency: place.concurrency,
  }
}

function partOf({ snapshot, paths, except, only }: RestorePart): RestorePart {
  return { snapshot, paths, ...(except && { except }), ...(only && { only }) }
}

export function browseJobOf(place: Place, home: string): BrowseJob {
  return { type: 'browse', ...repositoryOf(place, home), concurrency: helperConcurrency, patienceMs: browsePatienceMs }
}

/** @param quiet absolute paths whose content changes by itself */
export function watchJobOf(record: JobRecord, home: string, quiet: readonly string[]): WatchJob {
  const { config: { sources, excludes } } = record
  return { type: 'watch', sources, excludes, quiet, ...repositoryOf(record, home), concurrency: helperConcurrency }
}

/** All snapshots; it ends by itself. */
export function serveJobOf(place: Place, home: string, idleMs: number): ServeJob {
  return { type: 'serve', ...repositoryOf(place, home), concurrency: helperConcurrency, patienceMs: browsePatienceMs, snapshots: [], port: 0, idleMs }
}

/** Of the jobs of one repository for which somebody has chosen what is kept. Those that keep all take no part in forgetting. */
export function careJobOf(jobs: readonly JobRecord[], home: string): CareJob {
  const [first] = jobs
  if (!first) throw new Error('care without a job')
  return {
    type: 'care',
    retention: jobs.flatMap(({ config: { name, retention } }) => (retention && !keepsAll(retention) ? [{ name, policy: retention }] : [])),
    ...repositoryOf(first, home),
    concurrency: careConcurrency,
    patienceMs: carePatienceMs,
  }
}

/** Of a copy: what is forgotten there is what is forgotten in the repository. */
export function copyCareJobOf({ host }: JobRecord, { destination, repositoryId }: CopyRecord, home: string): CareJob {
  return {
    type: 'care',
    retention: [],
    repository: repositoryUrl(destination),
    home,
    concurrency: careConcurrency,
    patienceMs: carePatienceMs,
    ...(repositoryId !== undefined && { expectRepositoryId: repositoryId }),
    ...(host !== undefined && { host }),
  }
}

/** Brings a copy of a job's whole repository up to date; the first run makes it. */
export function syncJobOf({ config, repository, host }: JobRecord, copy: CopyRecord, home: string): SyncJob {
  const { repositoryId } = copy
  return {
    type: 'sync',
    repository: repositoryUrl(copy.destination),
    from: repositoryUrl(repository.destination),
    home,
    concurrency: config.concurrency,
    patienceMs: carePatienceMs,
    groups: [],
    removeVanished: copy.removeVanished,
    carryFine: true,
    parallelGroups: groupsAtOnce,
    dryRun: false,
    ...(repositoryId === undefined ? { create: true, acceptOtherRepository: true } : { expectRepositoryId: repositoryId }),
    ...(repository.repositoryId !== undefined && { expectSourceId: repository.repositoryId }),
    ...(host !== undefined && { host }),
  }
}

/** A forget that forgets nothing. */
export function previewJobOf(record: JobRecord, home: string, retention: Retention): ForgetJob {
  return {
    type: 'forget', dryRun: true, snapshots: [], policy: retention, name: record.config.name,
    ...repositoryOf(record, home), concurrency: helperConcurrency, patienceMs: browsePatienceMs,
  }
}

/** @param expectRepositoryId refuse another one before a password is tried on it */
export function testJobOf(destination: Destination, home: string, expectRepositoryId: string | undefined): TestJob {
  return {
    type: 'test', repository: repositoryUrl(destination), home, concurrency: helperConcurrency, patienceMs: testPatienceMs,
    ...(expectRepositoryId !== undefined && { expectRepositoryId }),
  }
}

type RepositoryOfJob = Pick<BackupJob, 'repository' | 'home' | 'expectRepositoryId' | 'acceptOtherRepository' | 'known' | 'host'>

/** Where it is not known yet which repository is there, any is taken: its address was just entered. */
function repositoryOf({ repository: { destination, repositoryId, known }, host }: Pick<JobRecord, 'repository' | 'host'>, home: string): RepositoryOfJob {
  return {
    repository: repositoryUrl(destination),
    home,
    ...(repositoryId === undefined ? { acceptOtherRepository: true } : { expectRepositoryId: repositoryId }),
    known: known ?? nothingKnown,
    ...(host !== undefined && { host }),
  }
}

/** Why a configuration cannot work, as the name of the field, or undefined. A backup must not contain its own repository. */
export function configProblem(config: JobConfig): 'sources' | 'destination' | undefined {
  if (new Set(config.sources).size !== config.sources.length) return 'sources'
  const { destination } = config
  if (destination.type !== 'folder') return undefined
  const inside = config.sources.some((source) => isWithin(destination.path, source))
  return inside ? 'destination' : undefined
}

function isWithin(path: string, folder: string): boolean {
  const prefix = folder.endsWith(sep) ? folder : folder + sep
  return path === folder || path.startsWith(prefix)
}
