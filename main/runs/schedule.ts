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
}

/**
 * When a job is to start next; it may lie in the past (missed while asleep or not started), then it is due at once. Any run
 * counts, also one that was started by hand.
 */
export function nextRunMs({ schedule, scheduledSinceMs, lastRun, timezone, spreadMs: later = 0 }: Scheduled): number | undefined {
  const since = Math.max(scheduledSinceMs, lastRun?.finishedMs ?? 0)
  // An interval counts from the last run, which was late already.
  const next = schedule.type === 'interval' ? nextTimeMs(schedule, since) : add(nextTimeMs(schedule, since - later, timezone), later)
  if (next === undefined || !lastRun || !isForNow(lastRun)) return next
  return Math.min(next, lastRun.finishedMs + retryMs)
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
