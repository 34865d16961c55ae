import { HoldfastError } from '../base/errors.ts'
import { openMarks } from '../catalog/marks.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'
import { createRepository, type Like } from './create.ts'
import { openForCommand, openStorage } from './open.ts'
import { plainSummary } from './plain-summary.ts'

/** What every job names. */
export interface RepositoryAddress {
  readonly repository: string
  readonly home: string
  readonly concurrency: number
  readonly patienceMs?: number
}

/**
 * Makes a repository at the address.
 * @param likeAddress another repository, whose pieces the new one shall know: it is cut and named as there, sealed with keys of its own, and has its own
 * password. The context's secrets have those `from` it. Errors: those of createRepository, and of opening the other.
 */
export async function init(address: RepositoryAddress, context: CommandContext, likeAddress?: string): Promise<RunSummary> {
  const startedMs = context.clock.now()
  const like = likeAddress === undefined ? undefined : await likeOf({ ...address, repository: likeAddress, type: 'test' }, context)
  await using storage = await openStorage({ ...address, type: 'test' }, context, { create: true, operation: 'init' })
  const { config } = await createRepository(storage.backend, context, address.home, like)
  using marks = openMarks(address.home).marks
  marks.rememberAddress(storage.backend.label, config.repositoryId, context.clock.now())
  return plainSummary('init', startedMs, context.clock.now(), storage.traffic, { repositoryId: config.repositoryId, details: { mode: config.arbiter } })
}

/** What a new repository takes over from the one that a job names, which the secrets `from` of the context open. Errors: those of opening it. */
export async function likeOf(job: EngineJob, context: CommandContext): Promise<Like> {
  const { from } = context.secrets
  if (!from) throw new HoldfastError('arguments', 'There is no password for the repository that the new one is to be like.')
  await using other = await openForCommand(job, { ...context, secrets: from })
  const { keys: { blobId, chunker }, config } = other.repository
  return { chunker: config.chunker, content: { blobId, chunker } }
}
