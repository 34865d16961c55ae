import { Cron } from 'croner'
import type { PauseLength } from '../api/contract.ts'

/** Everything is paused. */
export interface Pause {
  /** When somebody asked for it, ms since 1970. */
  readonly sinceMs: number
  /** When it ends by itself; absent: when somebody says so. */
  readonly untilMs?: number
}

const hourMs = 3_600_000
/** A clock that is set right by so much ends no pause. */
const driftMs = 5 * 60_000
/** Until then the night belongs to the day before it: whoever says “tomorrow” then means the morning that comes. */
const nightEnds = '0 5 * * *'
const morning = '0 8 * * *'

/** A pause that begins now. Hours are hours, also over a change of the clocks; a morning is one of local time (or of `timezone`). */
export function pauseFrom(length: PauseLength, nowMs: number, timezone?: string): Pause {
  const untilMs = endOf(length, nowMs, timezone)
  return { sinceMs: nowMs, ...(untilMs !== undefined && { untilMs }) }
}

function endOf(length: PauseLength, nowMs: number, timezone: string | undefined): number | undefined {
  if (length === 'resumed') return undefined
  return length === 'tomorrow' ? tomorrowMorningMs(nowMs, timezone) : nowMs + length * hourMs
}

/** 8:00 of the next day; before 5:00 that of the same date. */
export function tomorrowMorningMs(nowMs: number, timezone?: string): number {
  const first = nextMs(morning, nowMs, timezone)
  return first < nextMs(nightEnds, nowMs, timezone) ? nextMs(morning, first, timezone) : first
}

function nextMs(pattern: string, sinceMs: number, timezone: string | undefined): number {
  const next = new Cron(pattern, { paused: true, ...(timezone !== undefined && { timezone }) }).nextRun(new Date(sinceMs))
  return next?.getTime() ?? sinceMs + 24 * hourMs
}

/** Whether it holds still. A clock that was set back makes no pause longer: one that has not begun yet is over. */
export function holds(pause: Pause | undefined, nowMs: number): pause is Pause {
  if (!pause) return false
  return pause.untilMs === undefined || (nowMs < pause.untilMs && nowMs >= pause.sinceMs - driftMs)
}
