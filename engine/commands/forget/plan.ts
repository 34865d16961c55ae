import { fromHex } from '../../base/bytes.ts'
import type { RetentionPolicy } from '../../protocol/job.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import { fitBudget, planRetention, type KeepReason, type RetentionCandidate, type RetentionGroup } from '../../snapshot/retention.ts'
import type { NeededBytes } from './needed-bytes.ts'

/** A snapshot that is there and can be read. */
export interface Found extends RetentionCandidate {
  readonly ref: SnapshotRef
  /** Tree blob of its root directory, 64 hex digits. */
  readonly root: string
}

/** What a policy makes of the snapshots of one job on one host, newest first. */
export interface ForgetGroup {
  readonly job: string
  readonly host: string
  readonly kept: readonly { readonly id: string, readonly finishedMs: number, readonly reasons: readonly KeepReason[] }[]
  /** `rules`: no rule keeps it; `budget`: it was to go for the size budget's sake. */
  readonly forgotten: readonly { readonly id: string, readonly finishedMs: number, readonly because: 'rules' | 'budget' }[]
}

/** Bytes in the storage, as the catalog knows them; what no snapshot needs is not counted. */
export interface SpaceEstimate {
  /** What all that stays needs together. */
  readonly keptBytes: number
  /** What only goes with the forgotten ones, and so is free after the next prune. */
  readonly freedBytes: number
  /** Of the policy. */
  readonly budgetBytes?: number
}

/** What a policy would do, as a value: shown first, executed second. */
export interface ForgetPlan {
  readonly groups: readonly ForgetGroup[]
  /** Oldest first, as they go: broken off, the newer ones are still there. */
  readonly forgotten: readonly Found[]
  readonly estimate?: SpaceEstimate
}

/**
 * @param ours what the policy is for
 * @param others what is there beside, which stays
 * @param needed absent: nothing is estimated, and a size budget not looked at
 */
export async function planForget(
  { ours, others }: { readonly ours: readonly Found[], readonly others: readonly Found[] }, policy: RetentionPolicy, nowMs: number, needed: NeededBytes | undefined, signal: AbortSignal,
): Promise<ForgetPlan> {
  const groups = planRetention(ours, policy, nowMs)
  const byRules = groups.flatMap((group) => group.forgotten)
  if (!needed) return { groups: groups.map((group) => describe(group, new Set())), forgotten: oldestFirst(byRules) }
  const add = (snapshot: Found): Promise<number> => needed.add(fromHex(snapshot.root), signal)
  let othersBytes = 0
  for (const other of others) othersBytes += await add(other)
  const { budgetBytes } = policy
  const budget = await fitBudget(groups, budgetBytes ?? Infinity, othersBytes, add)
  let freedBytes = 0
  for (const snapshot of [...budget.forgotten, ...byRules]) freedBytes += await add(snapshot)
  const forBudget = new Set(budget.forgotten)
  return {
    groups: groups.map((group) => describe(group, forBudget)),
    forgotten: oldestFirst([...byRules, ...budget.forgotten]),
    estimate: { keptBytes: budget.keptBytes, freedBytes, ...(budgetBytes === undefined ? {} : { budgetBytes }) },
  }
}

function oldestFirst(snapshots: readonly Found[]): readonly Found[] {
  return snapshots.toSorted((a, b) => a.finishedMs - b.finishedMs)
}

function describe({ job, host, kept, forgotten }: RetentionGroup<Found>, forBudget: ReadonlySet<Found>): ForgetGroup {
  const gone = [...forgotten, ...kept.map(({ snapshot }) => snapshot).filter((snapshot) => forBudget.has(snapshot))]
  return {
    job,
    host,
    kept: kept.filter(({ snapshot }) => !forBudget.has(snapshot)).map(({ snapshot: { id, finishedMs }, reasons }) => ({ id, finishedMs, reasons })),
    forgotten: gone.toSorted((a, b) => b.finishedMs - a.finishedMs).map((snapshot) => ({
      id: snapshot.id, finishedMs: snapshot.finishedMs, because: forBudget.has(snapshot) ? 'budget' : 'rules',
    })),
  }
}
