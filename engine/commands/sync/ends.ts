import { HoldfastError } from '../../base/errors.ts'
import { IdMap, openIdMap, sameIds, type KnownIds } from '../../catalog/id-map.ts'
import { lockJob } from '../../catalog/lock.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { EngineJob, SyncJob } from '../../protocol/job.ts'
import { jobKeyOf } from '../../repository/keys.ts'
import { repositoryIdAt, type Repository } from '../../repository/repository.ts'
import type { CommandContext } from '../context.ts'
import { createRepository } from '../create.ts'
import { likeOf } from '../init.ts'
import { rolledBack } from '../memory.ts'
import { openForCommand, openStorage, type OpenRepository } from '../open.ts'
import { openReader, type Reader } from '../reader.ts'
import type { SyncRunProgress } from './sync-progress.ts'

/** Both repositories of a sync, opened and known to be as new as this machine knows. */
export interface Ends extends AsyncDisposable {
  readonly source: Reader
  readonly destination: OpenRepository
  /** Of the source: how its storages are opened. */
  readonly sourceJob: EngineJob
  readonly sourceContext: CommandContext
  readonly ids: KnownIds
}

/**
 * Opens both; with `create`, the destination is made like the source where there is none. The destination is locked against another sync from the same source on this machine, unless it is a dry run.
 * Errors: arguments (one and the same repository), rolled-back, busy, and those of opening either.
 */
export async function openEnds(job: SyncJob, context: CommandContext, progress: SyncRunProgress): Promise<Ends> {
  await using cleanup = new AsyncDisposableStack()
  const { from } = context.secrets
  if (!from) throw new HoldfastError('arguments', 'There is no password for the source.')
  const sourceContext = { ...context, secrets: from, meter: progress.meter }
  const sourceJob = sourceJobOf(job)
  if (job.create && !job.dryRun) await makeDestination(job, { ...context, meter: progress.meter })
  const destination = cleanup.use(await openForCommand(job, { ...context, meter: progress.meter }, { lanes: progress.destination }))
  const source = cleanup.use(await atSource(openReader(sourceJob, sourceContext, { lanes: progress.source })))
  const [sourceId, destinationId] = [source.repository.config.repositoryId, destination.repository.config.repositoryId]
  if (sourceId === destinationId) throw new HoldfastError('arguments', 'The source and the destination are one and the same repository.')
  await destination.memory.require(context.signal)
  const missed = await source.memory.missed(context.signal)
  if (missed.length > 0) throw rolledBackSource(rolledBack(missed))
  if (!job.dryRun) cleanup.use(lockJob(job.home, destinationId, laneKeyOf(destination.repository, sourceId, 0)))
  const ids = namesAlike(source.repository, destination.repository) ? sameIds : openIdMap(job.home, destinationId, sourceId)
  if (ids instanceof IdMap) cleanup.use(ids)
  const owned = cleanup.move()
  return { source, destination, sourceJob, sourceContext, ids, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Key of a lane's catalog, lock and spool, as if it were a job: no backup's, since those have no `~`. */
export function laneKeyOf({ keys }: Repository, sourceId: string, lane: number): string {
  return jobKeyOf(keys, `~sync ${sourceId} ${String(lane)}`)
}

/** Whether a blob has one id in both: the destination was made like the source, or both like a third. */
function namesAlike(one: Repository, other: Repository): boolean {
  return equalBytes(one.keys.blobId, other.keys.blobId)
}

function sourceJobOf({ from, home, concurrency, patienceMs, host, expectSourceId, acceptOlderSource, acceptOtherSource }: SyncJob): EngineJob {
  return {
    type: 'browse', repository: from, home, concurrency,
    ...(patienceMs === undefined ? {} : { patienceMs }), ...(host === undefined ? {} : { host }), ...(expectSourceId === undefined ? {} : { expectRepositoryId: expectSourceId }),
    ...(acceptOlderSource ? { acceptOlderRepository: true } : {}), ...(acceptOtherSource ? { acceptOtherRepository: true } : {}),
  }
}

/** A repository that is there stays as it is, whichever it is. Errors: arguments (the folder holds other things), and those of both storages. */
async function makeDestination(job: SyncJob, context: CommandContext): Promise<void> {
  await using storage = await openStorage(job, context, { create: true })
  if (await repositoryIdAt(storage.backend, context.signal) !== undefined) return
  const like = await atSource(likeOf(sourceJobOf(job), context))
  await createRepository(storage.backend, context, job.home, like)
}

/** The same error, that says at which end it came up. */
async function atSource<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    throw new HoldfastError(error.code, error.message, { cause: error.cause, data: { ...error.data, side: 'source' } })
  }
}

function rolledBackSource(error: HoldfastError): HoldfastError {
  return new HoldfastError('rolled-back', `At the source: ${error.message}`, { data: { ...error.data, side: 'source' } })
}
