import { probeBackend } from '../backend/probe.ts'
import type { TestJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { repositoryIdAt } from '../repository/repository.ts'
import { expectBearable } from './capabilities.ts'
import type { CommandContext } from './context.ts'
import { expectRepository, openAt, openStorage } from './open.ts'
import { plainSummary } from './plain-summary.ts'

/** `details` of a test's summary. */
export interface TestDetails {
  readonly repository: 'none' | 'exists'
  readonly repositoryId?: string
  readonly exclusiveCreate: boolean
  readonly maxConnections: number
  /** What the server proved itself with, where people can compare it. */
  readonly serverKey?: string
}

/**
 * Tries a destination: reachable, writable (objects below `probe/` come and go; a folder without a repository stays as it is), what it
 * can do, whether a repository is there and the password opens it. Errors: offline, denied, credentials, password, another-repository, unsupported, …
 */
export async function test(job: TestJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await using storage = await openStorage(job, context)
  const { backend, traffic } = storage
  const repositoryId = await repositoryIdAt(backend, context.signal)
  if (repositoryId !== undefined) expectRepository(job, repositoryId)
  const repository = repositoryId === undefined ? undefined : await openAt(backend, job, context)
  // Nothing is put into a folder that may be somebody's: there it is told without a trace whether it can be written to.
  const untouched = repository === undefined && ((await backend.tryWriting?.(context.signal)) ?? false)
  const probe = untouched ? { exclusiveCreate: backend.traits.exclusiveCreate, listsAtOnce: true } : await probeBackend(backend, context.signal)
  expectBearable(backend.label, probe, repository?.config.arbiter)
  const serverKey = backend.serverKey?.()
  const details: TestDetails = {
    repository: repositoryId === undefined ? 'none' : 'exists',
    exclusiveCreate: probe.exclusiveCreate,
    maxConnections: backend.traits.maxConnections,
    ...(repositoryId === undefined ? {} : { repositoryId }),
    ...(serverKey === undefined ? {} : { serverKey }),
  }
  return plainSummary('test', startedMs, context.clock.now(), traffic, { details, ...(repositoryId === undefined ? {} : { repositoryId }) })
}
