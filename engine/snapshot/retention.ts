import type { RetentionPolicy } from '../protocol/job.ts'

/** What retention needs to know of a snapshot. */
export interface RetentionCandidate {
  /** `JOB@REV`; decides between snapshots of one instant. */
  readonly id: string
  readonly job: string
  /** When it was finished, ms since 1970. */
  readonly finishedMs: number
}

type Rule = keyof RetentionPolicy

const dayMs = 86_400_000
/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const mondayShiftMs = 3 * dayMs

/** The period that a time belongs to, in UTC, so that every machine decides alike. `last` gives each snapshot a period of its own. */
const periodOf: Readonly<Record<Rule, (timeMs: number, index: number) => number>> = {
  last: (_timeMs, index) => index,
  hourly: (timeMs) => Math.floor(timeMs / 3_600_000),
  daily: (timeMs) => Math.floor(timeMs / dayMs),
  weekly: (timeMs) => Math.floor((timeMs + mondayShiftMs) / (7 * dayMs)),
  monthly: (timeMs) => new Date(timeMs).getUTCFullYear() * 12 + new Date(timeMs).getUTCMonth(),
  yearly: (timeMs) => new Date(timeMs).getUTCFullYear(),
}

const rules: readonly Rule[] = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly']

/**
 * The snapshots that a policy lets go, each job for itself. A rule keeps the newest snapshot of each of its newest n periods that have
 * any; a snapshot stays when some rule keeps it. The newest of each job always stays, and so does what claims to be from the future
 * (a clock was wrong). A policy without any rule lets nothing go. Applying it twice is the same as once.
 */
export function selectForgotten<Candidate extends RetentionCandidate>(snapshots: readonly Candidate[], policy: RetentionPolicy, nowMs: number): Candidate[] {
  if (!rules.some((rule) => (policy[rule] ?? 0) > 0)) return []
  const groups = Map.groupBy(snapshots, ({ job }) => job)
  const kept = new Set([...groups.values()].flatMap((group) => keptOf(group, policy, nowMs)))
  return snapshots.filter((snapshot) => !kept.has(snapshot))
}

function keptOf<Candidate extends RetentionCandidate>(group: readonly Candidate[], policy: RetentionPolicy, nowMs: number): Candidate[] {
  const newestFirst = group.toSorted((a, b) => b.finishedMs - a.finishedMs || (a.id < b.id ? 1 : -1))
  const future = newestFirst.filter(({ finishedMs }) => finishedMs > nowMs)
  const past = newestFirst.slice(future.length)
  return [...future, ...rules.flatMap((rule) => newestOfPeriods(past, periodOf[rule], policy[rule] ?? 0))]
}

function newestOfPeriods<Candidate extends RetentionCandidate>(newestFirst: readonly Candidate[], period: (timeMs: number, index: number) => number, count: number): Candidate[] {
  const kept = new Map<number, Candidate>()
  for (const [index, snapshot] of newestFirst.entries()) {
    if (kept.size >= count) break
    const key = period(snapshot.finishedMs, index)
    if (!kept.has(key)) kept.set(key, snapshot)
  }
  return [...kept.values()]
}
