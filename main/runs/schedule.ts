import type { Destination, RunView, Schedule } from '../api/contract.ts'
import { nextTimeMs } from '../api/schedule.ts'

/** A scheduled run that ended because the storage or the network was away is tried again after this time. */
const retryMs = 15 * 60_000
/** A start that is later than this after its time is a catch-up. */
const lateMs = 5 * 60_000

/** Runs towards storages on the network begin within this time after the time of their schedule, so that not everybody comes on the hour. */
export const spreadMostMs = 10 * 60_000

/** How long after the times of its schedule a job starts: always the same for one id, whole seconds. A disk of this computer is nobody else's. */
export function spreadMs(id: string, destination: Destination): number {
  if (destination.type === 'folder') return 0
  let hash = 0x811c9dc5
  for (const character of id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return (hash % (spreadMostMs / 1000)) * 1000
}

export interface Scheduled {
  readonly schedule: Schedule
  readonly scheduledSinceMs: number
  readonly lastRun: RunView | undefined
  readonly timezone?: string
  /** See `spreadMs`. */
  readonly spreadMs?: number
  /** Of a continuous schedule. */
  readonly watching?: Watching
}

/** What is known of changes in the sources of a job. */
export interface Watching {
  /** Otherwise the sources cannot be watched, and the job runs each hour instead. */
  readonly works: boolean
  /** The first and the last of those that count. */
  readonly changes?: Changes
}

/** ms since 1970. */
export interface Changes {
  readonly firstMs: number
  readonly lastMs: number
}

/** What is not watched, or may have been missed, is found by a run in this time. */
const unwatchedMs = { works: 24 * 3_600_000, fails: 3_600_000 }

/**
 * When a job is to start next; it may lie in the past (missed while asleep or not started), then it is due at once. Any run
 * counts, also one that was started by hand.
 */
export function nextRunMs(scheduled: Scheduled): number | undefined {
  const { lastRun } = scheduled
  const next = nextScheduledMs(scheduled)
  if (next === undefined || !lastRun || !isForNow(lastRun)) return next
  return Math.min(next, lastRun.finishedMs + retryMs)
}

function nextScheduledMs(scheduled: Scheduled): number | undefined {
  const { schedule, scheduledSinceMs, lastRun, timezone, spreadMs: later = 0 } = scheduled
  const since = Math.max(scheduledSinceMs, lastRun?.finishedMs ?? 0)
  if (schedule.type === 'continuous') return nextChangedMs(schedule, scheduled, since)
  // An interval counts from the last run, which was late already.
  return schedule.type === 'interval' ? nextTimeMs(schedule, since) : add(nextTimeMs(schedule, since - later, timezone), later)
}

function nextChangedMs({ quietMinutes, everyMinutes }: Extract<Schedule, { type: 'continuous' }>, scheduled: Scheduled, since: number): number {
  const { lastRun, watching } = scheduled
  const inAnyCaseMs = since + (watching?.works === false ? unwatchedMs.fails : unwatchedMs.works)
  const changes = pendingChanges(scheduled)
  if (!changes) return inAnyCaseMs
  const everyMs = everyMinutes * 60_000
  const calmMs = Math.min(changes.lastMs + quietMinutes * 60_000, changes.firstMs + everyMs)
  return Math.min(inAnyCaseMs, Math.max(calmMs, lastRun ? lastRun.finishedMs + everyMs : calmMs))
}

/** What has changed and is in no run yet, whatever became of that run: what changes while one goes on is for the next. */
export function pendingChanges({ watching, lastRun }: Pick<Scheduled, 'watching' | 'lastRun'>): Changes | undefined {
  const { changes } = watching ?? {}
  if (!changes || !lastRun) return changes
  return changes.lastMs < lastRun.startedMs ? undefined : { firstMs: Math.max(changes.firstMs, lastRun.startedMs), lastMs: changes.lastMs }
}

function add(time: number | undefined, ms: number): number | undefined {
  return time === undefined ? undefined : time + ms
}

/** Whether a run ended for a reason that may be gone soon. */
export function isForNow(run: RunView | undefined): boolean {
  return run !== undefined && run.outcome !== 'stopped' && run.error?.retryable === true
}

/** Whether the job is to start now, and why. A clock that was set back makes nothing due. */
export function dueTrigger(scheduled: Scheduled, nowMs: number): 'schedule' | 'catch-up' | undefined {
  const next = nextRunMs(scheduled)
  if (next === undefined || next > nowMs) return undefined
  return nowMs - next > lateMs ? 'catch-up' : 'schedule'
}

/** A run that was missed is made up for so long after the app started or the computer woke up, when whoever sits down has got what they came for. */
const settleMs = 10 * 60_000

/** When a run that is due may start by itself: one whose time passed while the computer was off or asleep waits a while, all others do not. */
export function settledMs(scheduled: Scheduled, awakeSinceMs: number, nowMs: number): number {
  const next = nextRunMs(scheduled)
  // A clock that was set back is no reason to wait for it.
  if (next === undefined || next > awakeSinceMs || awakeSinceMs > nowMs) return nowMs
  return awakeSinceMs + settleMs + (scheduled.spreadMs ?? 0)
}
