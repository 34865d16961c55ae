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
}

type Rule = keyof RetentionPolicy

/** The period that counts for a rule. `last` gives each snapshot one of its own. */
const periodOf: Readonly<Record<Rule, (periods: LocalPeriods, index: number) => string | number>> = {
  last: (_periods, index) => index,
  hourly: ({ hour }) => hour,
  daily: ({ day }) => day,
  weekly: ({ week }) => week,
  monthly: ({ month }) => month,
  yearly: ({ year }) => year,
}

const rules: readonly Rule[] = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly']

/**
 * The snapshots that a policy lets go, those of each job on each host for themselves, and those synced from another repository too. A rule keeps the newest snapshot of each of its
 * newest n periods that have any; a snapshot stays when some rule keeps it. Hours, days, weeks (from Monday), months and years are those
 * of the place where a snapshot was made, so every machine decides alike. Which come last is told by revision, whatever clocks say. The
 * newest of each group always stays, by time and by revision, and so does what claims to be from the future (a clock was wrong). So do pinned ones, which count for the rules like any other. A policy without any rule lets nothing go. Applying it twice is the same as once.
 */
export function selectForgotten<Candidate extends RetentionCandidate>(snapshots: readonly Candidate[], policy: RetentionPolicy, nowMs: number): Candidate[] {
  if (!rules.some((rule) => (policy[rule] ?? 0) > 0)) return []
  const groups = Map.groupBy(snapshots, ({ host, job, syncedFrom = '' }) => `${job}\0${host}\0${syncedFrom}`)
  const kept = new Set([...groups.values()].flatMap((group) => keptOf(group, policy, nowMs)))
  return snapshots.filter((snapshot) => snapshot.pinned !== true && !kept.has(snapshot))
}

function keptOf<Candidate extends RetentionCandidate>(group: readonly Candidate[], policy: RetentionPolicy, nowMs: number): Candidate[] {
  const newestFirst = group.toSorted((a, b) => b.finishedMs - a.finishedMs || b.revision - a.revision || (a.id < b.id ? 1 : -1))
  const future = newestFirst.filter(({ finishedMs }) => finishedMs > nowMs)
  const past = newestFirst.slice(future.length).map((snapshot) => ({ snapshot, periods: localPeriods(snapshot.finishedMs, snapshot.timeZone) }))
  const highest = group.reduce((a, b) => (b.revision > a.revision ? b : a))
  const last = past.toSorted((a, b) => b.snapshot.revision - a.snapshot.revision)
  return [...future, highest, ...rules.flatMap((rule) => newestOfPeriods(rule === 'last' ? last : past, periodOf[rule], policy[rule] ?? 0))]
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
