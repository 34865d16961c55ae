import { openMarks } from '../catalog/marks.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'
import { createRepository } from './create.ts'
import { openStorage } from './open.ts'
import { plainSummary } from './plain-summary.ts'

/** What every job names. */
export interface RepositoryAddress {
  readonly repository: string
  readonly home: string
  readonly concurrency: number
  readonly patienceMs?: number
}

/** Makes a repository at the address. Errors: those of createRepository. */
export async function init(address: RepositoryAddress, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await using storage = await openStorage({ ...address, type: 'test' }, context, { create: true, operation: 'init' })
  const { config } = await createRepository(storage.backend, context)
  using marks = openMarks(address.home).marks
  marks.rememberAddress(storage.backend.label, config.repositoryId, context.clock.now())
  return plainSummary('init', startedMs, context.clock.now(), storage.traffic, { repositoryId: config.repositoryId, details: { mode: config.arbiter } })
}
