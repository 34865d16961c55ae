import type { RetentionPolicy } from '../protocol/job.ts'
import { localPeriods } from './local-time.ts'
import type { LocalPeriods } from './local-time.ts'

/** What retention needs to know of a snapshot. */
export interface RetentionCandidate {
  /** `JOB@REV` */
  readonly id: string
  readonly job: string
  readonly host: string
  /** Decides between snapshots of one instant. */
  readonly revision: number
  /** When it was finished, ms since 1970. */
  readonly finishedMs: number
  /** Id of the repository that it was synced from; the revisions of two repositories say nothing about each other. */
  readonly syncedFrom?: string
  /** IANA name of the zone whose days and hours count. */
  readonly timeZone: string
  /** Somebody wants to keep it, whatever a policy says. */
  readonly pinned?: boolean
  /** A backup was unusual, and nobody has said yet that it is fine (see hold.ts). */
  readonly held?: boolean
}

const periodRules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

type PeriodRule = (typeof periodRules)[number]

/** Why a snapshot stays: a rule of the policy; `newest` of its job on its host; `future`, by its own clock; `pinned`; `held`, for an unusual backup; `all`, the policy has no rule. */
export type KeepReason = PeriodRule | 'within' | 'newest' | 'future' | 'pinned' | 'held' | 'all'

/** These stay however full a size budget is. */
const beyondBudget: readonly KeepReason[] = ['newest', 'future', 'pinned', 'held', 'last']

export interface Kept<Candidate> {
  readonly snapshot: Candidate
  /** One at least. */
  readonly reasons: readonly KeepReason[]
}

/** What a policy makes of the snapshots of one job on one host, newest first. */
export interface RetentionGroup<Candidate> {
  readonly job: string
  readonly host: string
  readonly kept: readonly Kept<Candidate>[]
  readonly forgotten: readonly Candidate[]
}

/** The period that counts for a rule. `last` gives each snapshot one of its own. */
const periodOf: Readonly<Record<PeriodRule, (periods: LocalPeriods, index: number) => string | number>> = {
  last: (_periods, index) => index,
  hourly: ({ hour }) => hour,
  daily: ({ day }) => day,
  weekly: ({ week }) => week,
  monthly: ({ month }) => month,
  yearly: ({ year }) => year,
}

/**
 * What the rules of a policy keep, and let go, of the snapshots of each job on each host for themselves, and those synced from another
 * repository too. A rule keeps the newest snapshot of each of
 * its newest n periods that have any, and `withinMs` everything not older than that before the newest; a snapshot stays when some rule keeps it. Hours,
 * days, weeks (from Monday), months and years are those of the place where a snapshot was made, so every machine decides alike. Which come last is told
 * by revision, whatever clocks say. The newest of each group always stays, by time and by revision, and so do pinned and held ones, which count for the
 * rules like any other, and what claims to be from the future (a clock was wrong). A policy without any rule lets nothing go. Applying it twice is the same as
 * once. The size budget is not looked at: see fitBudget.
 */
export function planRetention<Candidate extends RetentionCandidate>(snapshots: readonly Candidate[], policy: RetentionPolicy, nowMs: number): readonly RetentionGroup<Candidate>[] {
  const groups = Map.groupBy(snapshots, ({ host, job, syncedFrom = '' }) => `${job}\0${host}\0${syncedFrom}`)
  return [...groups.values()].map((group) => planGroup(group, policy, nowMs))
}

function planGroup<Candidate extends RetentionCandidate>(group: readonly Candidate[], policy: RetentionPolicy, nowMs: number): RetentionGroup<Candidate> {
  const newestFirst = group.toSorted((a, b) => b.finishedMs - a.finishedMs || b.revision - a.revision || (a.id < b.id ? 1 : -1))
  const reasons = reasonsOf(newestFirst, policy, nowMs)
  return {
    job: newestFirst[0]?.job ?? '',
    host: newestFirst[0]?.host ?? '',
    kept: newestFirst.flatMap((snapshot) => {
      const own = reasons.get(snapshot)
      return own ? [{ snapshot, reasons: own }] : []
    }),
    forgotten: newestFirst.filter((snapshot) => !reasons.has(snapshot)),
  }
}

function reasonsOf<Candidate extends RetentionCandidate>(newestFirst: readonly Candidate[], policy: RetentionPolicy, nowMs: number): ReadonlyMap<Candidate, readonly KeepReason[]> {
  const reasons = new Map<Candidate, KeepReason[]>()
  const keep = (reason: KeepReason, snapshots: readonly Candidate[]): void => {
    for (const snapshot of snapshots) reasons.set(snapshot, [...(reasons.get(snapshot) ?? []), reason])
  }
  const future = newestFirst.filter(({ finishedMs }) => finishedMs > nowMs)
  const past = newestFirst.slice(future.length)
  keep('newest', newestOf(newestFirst, past))
  keep('future', future)
  keep('pinned', newestFirst.filter(({ pinned }) => pinned === true))
  keep('held', newestFirst.filter(({ held }) => held === true))
  if (!hasRule(policy)) keep('all', newestFirst)
  const sinceMs = (past[0]?.finishedMs ?? 0) - (policy.withinMs ?? 0)
  if ((policy.withinMs ?? 0) > 0) keep('within', past.filter(({ finishedMs }) => finishedMs >= sinceMs))
  const dated = past.map((snapshot) => ({ snapshot, periods: localPeriods(snapshot.finishedMs, snapshot.timeZone) }))
  const last = dated.toSorted((a, b) => b.snapshot.revision - a.snapshot.revision)
  for (const rule of periodRules) keep(rule, newestOfPeriods(rule === 'last' ? last : dated, periodOf[rule], policy[rule] ?? 0))
  return reasons
}

/** By revision, and by time: of those too whose clock was right. */
function newestOf<Candidate extends RetentionCandidate>(newestFirst: readonly Candidate[], past: readonly Candidate[]): readonly Candidate[] {
  const highest = newestFirst.reduce<Candidate | undefined>((a, b) => (a && a.revision >= b.revision ? a : b), undefined)
  return [...new Set([highest, past[0]].filter((each) => each !== undefined))]
}

/** Whether a policy says what to keep. A size budget alone does not. */
function hasRule(policy: RetentionPolicy): boolean {
  return (policy.withinMs ?? 0) > 0 || periodRules.some((rule) => (policy[rule] ?? 0) > 0)
}

interface Dated<Candidate> {
  readonly snapshot: Candidate
  readonly periods: LocalPeriods
}

function newestOfPeriods<Candidate>(newestFirst: readonly Dated<Candidate>[], period: (periods: LocalPeriods, index: number) => string | number, count: number): Candidate[] {
  const kept = new Map<string | number, Candidate>()
  for (const [index, { snapshot, periods }] of newestFirst.entries()) {
    if (kept.size >= count) break
    const key = period(periods, index)
    if (!kept.has(key)) kept.set(key, snapshot)
  }
  return [...kept.values()]
}

/** What a size budget leaves of what the rules keep. */
export interface BudgetPlan<Candidate> {
  /** Let go for the budget's sake, oldest first. */
  readonly forgotten: readonly Candidate[]
  /** Bytes that what stays needs in the storage. More than the budget where what may not be let go needs more. */
  readonly keptBytes: number
}

/**
 * Lets the oldest of all groups go until what stays fits into the budget: never the newest of a group, nothing pinned or held, none of the `last` n. What is kept
 * only by other rules gives way.
 * @param othersBytes what snapshots need that are in no group
 * @param add bytes that a snapshot needs beyond what those before it need; asked for those that stay anyway, then from the newest on
 */
export async function fitBudget<Candidate extends RetentionCandidate>(
  groups: readonly RetentionGroup<Candidate>[], budgetBytes: number, othersBytes: number, add: (snapshot: Candidate) => Promise<number>,
): Promise<BudgetPlan<Candidate>> {
  const kept = groups.flatMap((group) => group.kept)
  const isFixed = ({ reasons }: Kept<Candidate>): boolean => reasons.some((reason) => beyondBudget.includes(reason))
  let keptBytes = othersBytes
  for (const { snapshot } of kept.filter(isFixed)) keptBytes += await add(snapshot)
  const newestFirst = kept.filter((each) => !isFixed(each)).map(({ snapshot }) => snapshot)
    .sort((a, b) => b.finishedMs - a.finishedMs || b.revision - a.revision || (a.id < b.id ? 1 : -1))
  for (const [at, snapshot] of newestFirst.entries()) {
    const bytes = keptBytes > budgetBytes ? 0 : await add(snapshot)
    if (keptBytes + bytes > budgetBytes) return { forgotten: newestFirst.slice(at).reverse(), keptBytes }
    keptBytes += bytes
  }
  return { forgotten: [], keptBytes }
}
