import { HoldfastError } from '../base/errors.ts'
import { keepNativeMemorySmall } from '../base/memory.ts'
import type { SyncJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'
import { RunFailed } from './failure.ts'
import { openEnds, type Ends } from './sync/ends.ts'
import { Groups, type GroupResult } from './sync/groups.ts'
import { HeldReader } from './sync/held.ts'
import { hasWork } from './sync/lane-queues.ts'
import type { SideHold } from './sync/keepers.ts'
import type { Skipped, Staying } from './sync/plan.ts'
import { readPlan, type FoundPlan } from './sync/read-plan.ts'
import { SyncRunProgress } from './sync/sync-progress.ts'

/** `details` of a sync's summary. */
export interface SyncDetails {
  readonly sourceId: string
  /** Bytes that came from the source, and that went to the destination, over the network. */
  readonly readBytes: number
  readonly sentBytes: number
  readonly plan: readonly PlannedGroup[]
  /** Empty in a dry run. */
  readonly done: readonly GroupResult[]
  /** Groups that are held for an unusual backup, of which something stays that vanished. Absent: none. */
  readonly held?: readonly SideHold[]
}

/** A group of the plan. Ids are `JOB@REV`. */
export interface PlannedGroup {
  /** `HOST/JOB` */
  readonly group: string
  /** Id of the repository where its snapshots were made. */
  readonly origin: string
  /** Of the source, oldest first. */
  readonly copy: readonly string[]
  readonly skipped: Skipped
  /** Of the destination. */
  readonly remove: readonly string[]
  /** Of the destination: to say what is said at the source. What is copied says it from the beginning. */
  readonly annotate: readonly string[]
  /** Of the destination: vanished, and not removed. */
  readonly stays: readonly Staying[]
}

/**
 * Copies snapshots from one repository to another, each whole or not at all, and only what the destination lacks; there they keep job, host and time, and say where they are from. Names, notes
 * and pins come along, later ones too.
 * Interrupted, the same call goes on. A snapshot that cannot be read at the source is a problem of the summary; the others go on. Of what vanished nothing goes that is pinned, of a
 * group that is held on either side, or that nothing would be left of unless the group is named; but for pins the outcome is `warnings` then.
 * Errors: arguments, rolled-back (either is older than this machine knows), busy, those of both storages; RunFailed says how far it came.
 */
export async function sync(job: SyncJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  if (job.removeVanished && job.acceptOlderSource) {
    throw new HoldfastError('arguments', 'What vanished from an older state of the source was not forgotten there: accept the older source in a sync of its own, without removing what vanished.')
  }
  using progress = new SyncRunProgress(context)
  await using ends = await openEnds(job, context, progress)
  const held = new HeldReader({ repository: ends.destination.repository, memory: ends.destination.memory, log: context.log })
  progress.phase('scanning')
  const plan = await readPlan(job, ends, held, context, (name, message) => {
    progress.problem({ code: 'not-synced', path: name, message: `It cannot be read at the source, and is not copied: ${message}` })
  })
  for (const pattern of plan.unmatched) context.log.write('warning', `No group is named like ${pattern}. A group is HOST/JOB; --dry-run lists them.`)
  const groups = new Groups({ job, context, ends, held, progress })
  const summarize = (outcome: RunSummary['outcome']): RunSummary => summaryOf({ startedMs, finishedMs: context.clock.now(), outcome, ends, plan, groups, progress })
  if (job.dryRun) return summarize(outcomeOf(plan, groups, progress))
  await keepNativeMemorySmall()
  const copies = plan.groups.flatMap(({ copy }) => copy)
  progress.expect(plan.groups.filter(hasWork).length, copies)
  progress.phase('working')
  try {
    await groups.run(plan)
  } catch (error) {
    throw new RunFailed(error, summarize(progress.copied > 0 || progress.bytes.uploaded > 0 ? 'partial' : 'failed'))
  }
  return summarize(outcomeOf(plan, groups, progress))
}

function outcomeOf(plan: FoundPlan, groups: Groups, { problemCount }: SyncRunProgress): RunSummary['outcome'] {
  if (problemCount + heldBack(plan, groups) > 0) return 'warnings'
  return plan.groups.some(hasWork) ? 'success' : 'unchanged'
}

/** Holds, and groups that would be gone as a whole: what somebody has to look at. */
function heldBack({ groups, holds }: FoundPlan, { results }: Groups): number {
  const stays = [...groups.map((group) => group.stays), ...results.map(({ stayed }) => stayed)]
  return holds.length + stays.filter((each) => each.some(({ because }) => because === 'gone' || because === 'last')).length
}

interface Facts {
  readonly startedMs: number
  readonly finishedMs: number
  readonly outcome: RunSummary['outcome']
  readonly ends: Ends
  readonly plan: FoundPlan
  readonly groups: Groups
  readonly progress: SyncRunProgress
}

function summaryOf({ startedMs, finishedMs, outcome, ends, plan, groups, progress }: Facts): RunSummary {
  const details: SyncDetails = {
    sourceId: ends.source.repository.config.repositoryId,
    readBytes: progress.source.traffic.downloadedBytes,
    sentBytes: progress.destination.traffic.uploadedBytes,
    plan: plan.groups.map(({ name, group, copy, skipped, remove, annotate, stays }) => ({
      group: name, origin: group.repository, copy: copy.map(({ id }) => id), skipped, remove: remove.map(({ id }) => id), annotate: annotate.map(({ id }) => id), stays,
    })),
    done: groups.results,
    ...(plan.holds.length > 0 ? { held: plan.holds } : {}),
  }
  const { meter: { traffic }, problemCount, problems } = progress
  return {
    operation: 'sync', outcome, startedMs, finishedMs, files: progress.files, bytes: progress.bytes, uploadedBytes: traffic.uploadedBytes, downloadedBytes: traffic.downloadedBytes,
    adoptedPacks: groups.adoptedPacks, problems: problemCount + heldBack(plan, groups), firstProblems: problems, repositoryId: ends.destination.repository.config.repositoryId, details,
  }
}
