import { Cron } from 'croner'
import { assertNever } from '../system/never.ts'
import type { RunView, Schedule } from '../api/contract.ts'

/** A scheduled run that ended because the storage or the network was away is tried again after this time. */
const retryMs = 15 * 60_000
/** A start that is later than this after its time is a catch-up. */
const lateMs = 5 * 60_000

/** The first time of the schedule after `sinceMs`, in local time (or `timezone`); undefined for manual. */
export function nextTimeMs(schedule: Schedule, sinceMs: number, timezone?: string): number | undefined {
  const pattern = cronPattern(schedule)
  if (pattern === undefined) return undefined
  const cron = new Cron(pattern, { paused: true, ...(timezone !== undefined && { timezone }) })
  return cron.nextRun(new Date(sinceMs))?.getTime()
}

function cronPattern(schedule: Schedule): string | undefined {
  switch (schedule.type) {
    case 'manual':
      return undefined
    case 'hourly':
      return '0 * * * *'
    case 'daily': {
      const [hour, minute] = schedule.at.split(':').map(Number)
      return `${minute ?? 0} ${hour ?? 0} * * *`
    }
    default:
      return assertNever(schedule)
  }
}

export interface Scheduled {
  readonly schedule: Schedule
  readonly scheduledSinceMs: number
  readonly lastRun: RunView | undefined
  readonly timezone?: string
}

/**
 * When a job is to start next; it may lie in the past (missed while asleep or not started), then it is due at once. Any run
 * counts, also one that was started by hand.
 */
export function nextRunMs({ schedule, scheduledSinceMs, lastRun, timezone }: Scheduled): number | undefined {
  const since = Math.max(scheduledSinceMs, lastRun?.finishedMs ?? 0)
  const next = nextTimeMs(schedule, since, timezone)
  if (next === undefined || !lastRun || !isForNow(lastRun)) return next
  return Math.min(next, lastRun.finishedMs + retryMs)
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
