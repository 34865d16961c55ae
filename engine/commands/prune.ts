import type { StorageBackend } from '../backend/backend.ts'
import { clearProbes } from '../backend/probe.ts'
import { hasCode } from '../base/errors.ts'
import { keepNativeMemorySmall } from '../base/memory.ts'
import { LivenessDatabase } from '../catalog/liveness.ts'
import { spoolFolder } from '../catalog/paths.ts'
import type { HeldJob } from '../protocol/changes.ts'
import type { PruneJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { systemRandom } from '../repository/crypto.ts'
import { removeAnnotationsOfForgotten } from '../repository/protocol/annotations.ts'
import { pruneContext, type PruneOptions } from '../repository/protocol/prune-context.ts'
import type { PrunePlan, PruneResult } from '../repository/protocol/prune-plan.ts'
import { planPrune } from '../repository/protocol/prune-prepare.ts'
import { executePrune } from '../repository/protocol/prune.ts'
import { spoolPacks } from '../repository/protocol/spool-packs.ts'
import { requireCapabilities } from './capabilities.ts'
import type { CommandContext } from './context.ts'
import { heldJob, readHolds } from './holds.ts'
import { openForCommand, type OpenRepository } from './open.ts'
import { plainSummary } from './plain-summary.ts'
import { StepProgress } from './step-progress.ts'

/** `details` of a prune's summary. */
export interface PruneDetails {
  readonly plan: PrunePlan
  /** Of a dry run: as of HeldPrune, what would keep it from removing anything. Absent: nothing. */
  readonly held?: readonly HeldJob[]
  /** Absent in a dry run. */
  readonly result?: PruneResult
  /** Uploads that nobody continued, cleared away. */
  readonly staleUploads: number
  /** Pins, names and notes of snapshots that are forgotten, cleared away. */
  readonly annotations?: number
}

/** `details` of the summary of a prune that did nothing, since a backup was unusual and nobody has said yet that it is fine. */
export interface HeldPrune {
  /** One at least. */
  readonly held: readonly HeldJob[]
}

type PruneEnd =
  | { readonly type: 'pruned', readonly details: PruneDetails, readonly outcome: RunSummary['outcome'] }
  | { readonly type: 'held', readonly details: HeldPrune, readonly outcome: 'warnings' }

/** Nobody continues an upload, or a probe, that rested for a week. */
const staleMs = 7 * 24 * 3_600_000

/**
 * Reclaims what no snapshot needs, while anything else may go on in the repository. Outcome `warnings` when a backup elsewhere is
 * still open or packs cannot be read: then a later prune goes on; and, with nothing removed, while an unusual backup is not acknowledged. May be broken off at any time.
 * Errors: `damaged`, `version` when it is not certain what is needed (nothing is deleted), `rolled-back`, `unsupported`, those of opening a repository.
 */
export async function prune(job: PruneJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await keepNativeMemorySmall()
  await using open = await openForCommand(job, context)
  await open.memory.require(context.signal)
  const { type, details, outcome } = await pruneIn(open, job, new StepProgress(context, open.meter), context)
  return plainSummary('prune', startedMs, context.clock.now(), open.traffic, {
    outcome, problems: type === 'held' ? details.held.length : details.plan.unreadable.length, repositoryId: open.repository.config.repositoryId, details,
  })
}

/** The same in a repository that is open and whose memory was asked. @param meanwhile what else there is to do before it is looked again whether a backup elsewhere has ended */
export async function pruneIn(
  open: OpenRepository, job: Omit<PruneJob, 'type' | 'repository' | 'concurrency'>, progress: StepProgress, context: CommandContext, meanwhile?: () => Promise<void>,
): Promise<PruneEnd> {
  const { signal } = context
  const { repository, memory } = open
  using store = new LivenessDatabase()
  const staging = job.dryRun ? undefined : await repository.backend.openStaging?.('', signal)
  const folder = staging?.path ?? spoolFolder(job.home, repository.config.repositoryId, 'prune')
  const packs = spoolPacks(folder, repository.keys, systemRandom)
  const work = pruneContext({ repository, store, packs, clock: context.clock, random: systemRandom, memory }, optionsOf(job))
  progress.phase('scanning')
  if (!job.dryRun) await requireCapabilities(repository, signal)
  const held = job.despiteUnusual === true ? [] : (await readHolds(open, work.decisions, signal)).map(heldJob)
  if (held.length > 0 && !job.dryRun) return { type: 'held', details: { held }, outcome: 'warnings' }
  const plan = await planPrune(work, signal)
  progress.phase('working')
  const result = job.dryRun ? undefined : await executePrune(work, plan, signal, meanwhile)
  const staleUploads = job.dryRun ? 0 : await clearLeftovers(repository.backend, context)
  const annotations = job.dryRun ? 0 : await removeAnnotationsOfForgotten(repository, signal)
  const details: PruneDetails = { plan, staleUploads, ...(result ? { result } : {}), ...(annotations > 0 ? { annotations } : {}), ...(held.length > 0 ? { held } : {}) }
  return { type: 'pruned', details, outcome: outcomeOf(plan, result) }
}

/** Returns how many unfinished uploads were ended. That is no prune's purpose: where rights or the storage do not allow it, they stay. */
async function clearLeftovers(backend: StorageBackend, { clock, log, signal }: CommandContext): Promise<number> {
  await clearProbes(backend, staleMs, clock.now(), signal)
  try {
    return await backend.abortStaleUploads?.(staleMs, signal) ?? 0
  } catch (error) {
    if (!hasCode(error, 'denied', 'unsupported')) throw error
    log.write('warning', `Unfinished uploads of former runs, if there are any, stay in the storage: ${error.message}`)
    return 0
  }
}

function optionsOf(job: Pick<PruneJob, 'minimumAgeMs' | 'expireAfterMs'>): Partial<PruneOptions> {
  return {
    ...(job.minimumAgeMs === undefined ? {} : { minimumAgeMs: job.minimumAgeMs }),
    ...(job.expireAfterMs === undefined ? {} : { expireAfterMs: job.expireAfterMs }),
  }
}

function outcomeOf(plan: PrunePlan, result: PruneResult | undefined): RunSummary['outcome'] {
  if (result?.outcome === 'waiting' || (result?.damagedPacks ?? 0) > 0 || plan.unreadable.length > 0) return 'warnings'
  return plan.retire.length === 0 && plan.records.length === 0 ? 'unchanged' : 'success'
}
