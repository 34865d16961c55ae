import type { RunView } from './bridge.ts'

/** How a day went. `good`: its backups were complete; `warn`: one was, with warnings or beside a failure; `bad`: none was, and one failed; `stopped`: all were stopped. */
export type DayState = 'good' | 'warn' | 'bad' | 'stopped'

export interface Day {
  /** 1 to 31. */
  readonly date: number
  /** Its first moment in local time, ms since 1970. */
  readonly startMs: number
  /** Newest first. */
  readonly runs: readonly RunView[]
  /** Absent on days without a run. */
  readonly state?: DayState
}

/** A month of local time; `month` is 0 to 11, as in Date. */
export interface Month {
  readonly year: number
  readonly month: number
}

export interface RunStatistics {
  readonly runs: number
  /** Of them, those that were complete. */
  readonly complete: number
  readonly addedBytes: number
  /** How long a complete one takes, in the mean, in ms; absent without any. */
  readonly meanMs?: number
}

export function monthOf(ms: number): Month {
  const date = new Date(ms)
  return { year: date.getFullYear(), month: date.getMonth() }
}

/** So many months later; earlier where `by` is below 0. */
export function monthAfter({ year, month }: Month, by: number): Month {
  return monthOf(new Date(year, month + by, 1).getTime())
}

/** -1, 0 or 1: whether a month comes before, is, or comes after another. */
export function compareMonths(a: Month, b: Month): number {
  return Math.sign(a.year * 12 + a.month - (b.year * 12 + b.month))
}

/** The weeks of a month from Monday on; undefined where a week reaches beyond it. A run belongs to the day on which it began. Pure, but for the time zone. */
export function weeksOf(month: Month, runs: readonly RunView[]): readonly (readonly (Day | undefined)[])[] {
  const byDay = new Map<number, RunView[]>()
  for (const run of runs) {
    const key = new Date(run.startedMs).setHours(0, 0, 0, 0)
    byDay.set(key, [...(byDay.get(key) ?? []), run])
  }
  const first = new Date(month.year, month.month, 1)
  // getDay begins with Sunday.
  const before = (first.getDay() + 6) % 7
  const count = new Date(month.year, month.month + 1, 0).getDate()
  const weeks = Math.ceil((before + count) / 7)
  return Array.from({ length: weeks }, (_week, week) => Array.from({ length: 7 }, (_day, weekday) => {
    const date = week * 7 + weekday - before + 1
    return date < 1 || date > count ? undefined : dayOf(month, date, byDay)
  }))
}

function dayOf({ year, month }: Month, date: number, byDay: ReadonlyMap<number, readonly RunView[]>): Day {
  const startMs = new Date(year, month, date).setHours(0, 0, 0, 0)
  const runs = (byDay.get(startMs) ?? []).toSorted((a, b) => b.startedMs - a.startedMs)
  const state = stateOf(runs)
  return { date, startMs, runs, ...(state && { state }) }
}

/** Undefined without any run. */
function stateOf(runs: readonly RunView[]): DayState | undefined {
  if (runs.length === 0) return undefined
  const failed = runs.some(({ outcome }) => outcome === 'failed' || outcome === 'partial')
  if (!runs.some(isComplete)) return failed ? 'bad' : 'stopped'
  return failed || runs.some(({ outcome }) => outcome === 'warnings') ? 'warn' : 'good'
}

/** What runs were like together. */
export function statisticsOf(runs: readonly RunView[]): RunStatistics {
  const complete = runs.filter(isComplete)
  const tookMs = complete.reduce((sum, { startedMs, finishedMs }) => sum + Math.max(0, finishedMs - startedMs), 0)
  return {
    runs: runs.length,
    complete: complete.length,
    addedBytes: runs.reduce((sum, { uploadedBytes }) => sum + uploadedBytes, 0),
    ...(complete.length > 0 && { meanMs: tookMs / complete.length }),
  }
}

function isComplete({ outcome }: RunView): boolean {
  return outcome === 'success' || outcome === 'unchanged' || outcome === 'warnings'
}

/** The day that a key leads to from another, within the month; undefined for other keys. */
export function dayByKey(key: string, date: number, days: number): number | undefined {
  const step = steps[key]
  return step === undefined ? (key === 'Home' ? 1 : key === 'End' ? days : undefined) : Math.min(days, Math.max(1, date + step))
}

const steps: Readonly<Partial<Record<string, number>>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }
