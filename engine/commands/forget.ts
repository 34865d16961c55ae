import { HoldfastError } from '../base/errors.ts'
import type { ForgetJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { HeldJob } from '../protocol/changes.ts'
import { isPinned, readAnnotations, scopeOf, type AnnotationCache } from '../repository/protocol/annotations.ts'
import { forgetSnapshot } from '../repository/protocol/forget.ts'
import type { SnapshotRef } from '../repository/protocol/names.ts'
import { findRevision } from '../repository/protocol/resolve.ts'
import { listSnapshots, snapshotId } from '../repository/protocol/snapshots.ts'
import { listSnapshotsOfJob } from '../repository/protocol/synced.ts'
import { originRevision } from '../snapshot/origin.ts'
import { heldBy, type Hold } from '../snapshot/hold.ts'
import type { ReadableSnapshot } from '../repository/protocol/snapshots.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import { NeededBytes } from './forget/needed-bytes.ts'
import { planForget, type ForgetGroup, type ForgetPlan, type Found, type SpaceEstimate } from './forget/plan.ts'
import { heldJob, holdsAmong } from './holds.ts'
import { hostOf } from './host.ts'
import { openForCommand, type OpenRepository } from './open.ts'
import { plainSummary } from './plain-summary.ts'
import { readerOf } from './reader.ts'
import { StepProgress } from './step-progress.ts'

/** `details` of a forget's summary. */
export interface ForgetDetails {
  /** `JOB@REV` of what is (or, in a dry run, would be) forgotten. */
  readonly forgotten: readonly string[]
  readonly kept: readonly string[]
  /** Snapshots that cannot be read; a policy leaves them alone. */
  readonly damaged: number
  /** Snapshots of other machines, which the policy left alone. */
  readonly ofOtherHosts: number
  /** Snapshots that a policy leaves alone because they are pinned. Absent: none. */
  readonly pinned?: readonly string[]
  /** Jobs of which a policy lets nothing go that is as old as an unusual backup. Absent: none. */
  readonly held?: readonly HeldJob[]
  /** Where there is a policy. */
  readonly groups?: readonly ForgetGroup[]
  /** Of a dry run with a policy, and wherever there is a size budget. */
  readonly estimate?: SpaceEstimate
}

type WhatToForget = Omit<ForgetJob, 'type' | 'repository' | 'concurrency'>

/**
 * Forgets snapshots by name, whosever they are, or by a policy for this machine's. Their data goes with the next prune. Broken off, what is forgotten is forgotten and the
 * rest is untouched; repeating goes on. Outcome `warnings` where a policy leaves something held. Errors: `not-found`, `arguments`, `rolled-back`, those of opening a repository.
 */
export async function forget(job: ForgetJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await using open = await openForCommand(job, context)
  await open.memory.require(context.signal)
  const details = await forgetIn(open, job, new StepProgress(context, open.meter), context)
  return plainSummary('forget', startedMs, context.clock.now(), open.traffic, {
    outcome: outcomeOf(details), problems: details.damaged + (details.held?.length ?? 0), repositoryId: open.repository.config.repositoryId, details,
  })
}

function outcomeOf({ held, forgotten }: ForgetDetails): RunSummary['outcome'] {
  if (held) return 'warnings'
  return forgotten.length === 0 ? 'unchanged' : 'success'
}

/** The same in a repository that is open and whose memory was asked. */
export async function forgetIn(open: OpenRepository, job: WhatToForget, progress: StepProgress, context: CommandContext): Promise<ForgetDetails> {
  const { repository, memory } = open
  progress.phase('scanning')
  const cache: AnnotationCache = new Map()
  const { found, damaged, holds } = await readSnapshots(open, job, cache, context.signal)
  const host = hostOf(job)
  const ofJob = found.filter((each) => job.name === undefined || each.job === job.name)
  const ours = ofJob.filter((each) => job.allHosts === true || each.host === host)
  const { chosen, plan } = await choose(open, job, { found, ours }, context)
  progress.phase('working')
  progress.expect(chosen.length)
  const gone = new Set(job.dryRun ? chosen.map(({ id }) => id) : [])
  for (const { ref, id } of job.dryRun ? [] : chosen) {
    await progress.step(context.signal)
    // Somebody may have pinned it since the plan was made.
    if (job.pinned !== true && isPinned(await readAnnotations(repository, scopeOf(ref), cache, context.signal), ref)) continue
    await forgetSnapshot(repository, ref, context.signal)
    memory.seen(ref, { type: 'deleted' })
    gone.add(id)
    context.log.write('info', `forgot ${id}`)
  }
  const pinned = job.policy ? ours.filter((each) => each.pinned).map(({ id }) => id) : []
  const held = job.policy ? holds.filter((hold) => ours.some((each) => heldBy(each, [hold]))).map(heldJob) : []
  return {
    forgotten: [...gone], kept: ofJob.filter(({ id }) => !gone.has(id)).map(({ id }) => id), damaged, ofOtherHosts: job.policy ? ofJob.length - ours.length : 0,
    ...(pinned.length > 0 ? { pinned } : {}),
    ...(held.length > 0 ? { held } : {}),
    ...(plan ? { groups: plan.groups } : {}),
    ...(plan?.estimate ? { estimate: plan.estimate } : {}),
  }
}

/** Of the job that is meant; of all where it must be known what they need together. */
async function readSnapshots(
  { repository, memory }: OpenRepository, job: WhatToForget, cache: AnnotationCache, signal: AbortSignal,
): Promise<{ readonly found: readonly Found[], readonly damaged: number, readonly holds: readonly Hold[] }> {
  const found: Found[] = []
  let damaged = 0
  const listing = job.name === undefined || wantsEstimate(job) ? listSnapshots(repository, { memory }, signal) : listSnapshotsOfJob(repository, job.name, { memory }, signal)
  const entries: ReadableSnapshot[] = []
  for await (const entry of listing) {
    if (entry.type !== 'snapshot') damaged++
    else entries.push(entry)
  }
  const annotations = await readAnnotations(repository, '', cache, signal)
  // What a later version of Holdfast says there may keep a snapshot.
  const [stranger] = job.policy ? annotations.unknown : []
  if (stranger) throw stranger.error
  const holds = job.despiteUnusual === true ? [] : holdsAmong(entries, annotations)
  for (const entry of entries) {
    const candidate = foundSnapshot(entry)
    found.push({ ...candidate, pinned: isPinned(annotations, entry.ref), held: heldBy(candidate, holds) !== undefined })
  }
  return { found, damaged, holds }
}

function foundSnapshot({ manifest, ref }: ReadableSnapshot): Found {
  const { job, host, finishedMs, timeZone, root, origin } = manifest
  const from = origin ? { revision: originRevision(origin), syncedFrom: origin.repository } : { revision: ref.revision }
  return { id: snapshotId(manifest, ref), job, host, finishedMs, timeZone, ref, root, ...from }
}

function wantsEstimate({ policy, dryRun }: WhatToForget): boolean {
  return policy !== undefined && (dryRun || policy.budgetBytes !== undefined)
}

interface Present {
  readonly found: readonly Found[]
  /** Those that a policy is for. */
  readonly ours: readonly Found[]
}

interface Choice {
  readonly chosen: readonly { readonly id: string, readonly ref: SnapshotRef }[]
  readonly plan?: ForgetPlan
}

/** What is named, and what the policy lets go, each once. A damaged snapshot can be forgotten by name only. */
async function choose(open: OpenRepository, job: WhatToForget, { found, ours }: Present, context: CommandContext): Promise<Choice> {
  if (job.snapshots.length === 0 && !job.policy) throw new HoldfastError('arguments', 'Nothing to forget: name snapshots or give a policy.')
  const named = job.snapshots.map((id) => findNamed(open.repository, found, id))
  const kept = job.pinned === true ? [] : named.filter(({ pinned }) => pinned)
  if (kept.length > 0) {
    const ids = kept.map(({ id }) => id).join(', ')
    throw new HoldfastError('arguments', `Pinned, so it is not forgotten: ${ids}. To forget it all the same, give --pinned, or unpin it first (holdfast annotate).`, { data: { pinned: ids } })
  }
  for (const { id } of named.filter(({ held }) => held)) context.log.write('warning', `${id} is held for an unusual backup that nobody has acknowledged. It is forgotten all the same, since it is named.`)
  if (!job.policy) return { chosen: once(named) }
  const isOurs = new Set(ours)
  const others = found.filter((each) => !isOurs.has(each))
  const plan = wantsEstimate(job) ? await planWithSizes(open, job, { ours, others }, context) : await planForget({ ours, others }, job.policy, context.clock.now(), undefined, context.signal)
  return { chosen: once([...named, ...plan.forgotten]), plan }
}

async function planWithSizes(open: OpenRepository, job: WhatToForget, snapshots: Parameters<typeof planForget>[0], context: CommandContext): Promise<ForgetPlan> {
  await using reader = await readerOf(open, job.home, context)
  using needed = new NeededBytes(reader.catalog, reader.trees.load)
  const plan = await planForget(snapshots, job.policy ?? {}, context.clock.now(), needed, context.signal)
  needed.forgetOthers()
  return plan
}

function once<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((each) => [each.id, each])).values()]
}

/** In flags mode `JOB@REV` may leave the random part out, as long as one snapshot only is meant. */
function findNamed(repository: Repository, found: readonly Found[], id: string): { readonly id: string, readonly ref: SnapshotRef, readonly pinned?: boolean, readonly held?: boolean } {
  const meant = found.filter((each) => each.id === id || each.id.startsWith(`${id}-`))
  if (meant.length > 1) throw new HoldfastError('arguments', `${id} may be ${meant.map((each) => each.id).join(' or ')}.`)
  return meant[0] ?? { id, ref: findRevision(repository, id) }
}
