import { join } from 'node:path'
import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import { openCatalog } from '../catalog/catalog.ts'
import { lockFile } from '../catalog/lock.ts'
import { catalogFolder } from '../catalog/paths.ts'
import type { CareDetails } from '../protocol/care.ts'
import type { CareJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { CareRun } from './care/run.ts'
import type { CommandContext } from './context.ts'
import { openForCommand } from './open.ts'
import { plainSummary } from './plain-summary.ts'

/** Name of the catalog that care uses: a check of its own goes on beside it. */
const careCatalog = 'care'

/**
 * Looks after a repository, as much as a day's budget allows: forgets by policy, prunes, follows the structure of all snapshots, and reads packs back,
 * those first that were not read for the longest time. What is not due is left out; what does not fit is done by the next run. It takes no locks in the
 * repository, so anything may go on beside it, here and elsewhere; it may be broken off anywhere and repeated at any time. While an unusual backup is not
 * acknowledged, nothing as old is forgotten and nothing pruned; the rest goes on.
 * Outcome `failed` when a file of a snapshot cannot be restored, `warnings` for other damage, `unchanged` when nothing was due.
 * Errors: `busy` (care of this repository runs on this machine), `rolled-back`, those of opening a repository.
 */
export async function care(job: CareJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await keepNativeMemorySmall()
  using _heap = new HeapKeeper()
  await using open = await openForCommand(job, context)
  await open.memory.require(context.signal)
  const { repositoryId } = open.repository.config
  using catalog = openCatalog(job.home, repositoryId, careCatalog).catalog
  using _lock = lockFile(join(catalogFolder(job.home, repositoryId), `${careCatalog}.lock`), 'This repository is being looked after on this machine already.')
  const run = new CareRun({ job, context, open, catalog, startedMs })
  const details = await run.run()
  return plainSummary('care', startedMs, context.clock.now(), open.traffic, {
    outcome: outcomeOf(details, run.problemCount), problems: run.problemCount, firstProblems: run.problems, repositoryId, details,
    ...(details.verifiedBytes > 0 ? { verifiedBytes: details.verifiedBytes } : {}),
  })
}

function outcomeOf({ affectedCount, forgotten, deletedPacks, structure, drill, drilledFiles, verifiedPacks }: CareDetails, problems: number): RunSummary['outcome'] {
  if (affectedCount > 0 || drill === 'failed') return 'failed'
  if (problems > 0) return 'warnings'
  return forgotten.length > 0 || deletedPacks > 0 || structure === 'done' || drilledFiles > 0 || verifiedPacks > 0 ? 'success' : 'unchanged'
}
