import { Cron } from 'croner'
import { leastMinutes, type Schedule } from '../../engine/protocol/schedule.ts'

export { leastContinuousMinutes, leastMinutes, mostContinuousMinutes, mostMinutes, mostQuietMinutes, mostTimes, type Weekday } from '../../engine/protocol/schedule.ts'

const minuteMs = 60_000
const weekMs = 7 * 24 * 60 * minuteMs

/** The first time of the schedule after `sinceMs`, in local time (or `timezone`); undefined for manual, and where none comes; of a continuous one the first that it may take. */
export function nextTimeMs(schedule: Schedule, sinceMs: number, timezone?: string): number | undefined {
  if (schedule.type === 'interval') return sinceMs + schedule.minutes * minuteMs
  if (schedule.type === 'continuous') return sinceMs + schedule.everyMinutes * minuteMs
  const times = patternsOf(schedule).flatMap((pattern) => cronOf(pattern, timezone)?.nextRun(new Date(sinceMs))?.getTime() ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The next times of a schedule, at most `count`, each after the one before. */
export function nextTimesMs(schedule: Schedule, sinceMs: number, count: number, timezone?: string): readonly number[] {
  const times: number[] = []
  while (times.length < count) {
    const next = nextTimeMs(schedule, times.at(-1) ?? sinceMs, timezone)
    if (next === undefined) break
    times.push(next)
  }
  return times
}

/** How often a schedule runs in a week, about; none of the times of a manual one comes. */
export function timesAWeek(schedule: Schedule): number {
  if (schedule.type === 'interval') return weekMs / (schedule.minutes * minuteMs)
  if (schedule.type === 'continuous') return weekMs / (schedule.everyMinutes * minuteMs)
  const times = nextTimesMs(schedule, sampleMs, sampled, 'UTC')
  const [first, last] = [times[0], times.at(-1)]
  if (first === undefined || last === undefined) return 0
  // Fewer than that never come again, or once in years.
  return times.length < 2 ? 1 / 52 : ((times.length - 1) * weekMs) / (last - first)
}

/** What is wrong with a cron expression: it is none, its time never comes, or two runs would be closer together than `leastMinutes`. */
export function cronProblem(expression: string): 'pattern' | 'never' | 'often' | undefined {
  if (!isPlain(expression) || !cronOf(expression)) return 'pattern'
  const times = nextTimesMs({ type: 'cron', expression }, sampleMs, sampled, 'UTC')
  if (times.length === 0) return 'never'
  return times.some((time, at) => at > 0 && time - (times[at - 1] ?? 0) < leastMinutes * minuteMs) ? 'often' : undefined
}

/** Monday, 1 January 2024: what is sampled begins with a leap year. */
const sampleMs = Date.UTC(2024, 0, 1)
/** More than a day with a run every quarter of an hour. */
const sampled = 100

/** Five fields; no nicknames, which not every cron knows. */
function isPlain(expression: string): boolean {
  return expression.trim().split(/\s+/).length === 5 && !expression.includes('@')
}

function patternsOf(schedule: Exclude<Schedule, { type: 'interval' | 'continuous' }>): readonly string[] {
  switch (schedule.type) {
    case 'manual':
      return []
    case 'hourly':
      return ['0 * * * *']
    case 'daily':
      return [`${minuteAndHour(schedule.at)} * * *`]
    case 'times':
      return schedule.at.map((at) => `${minuteAndHour(at)} * * ${schedule.days.map((day) => day % 7).join(',')}`)
    case 'cron':
      return [schedule.expression]
  }
}

function minuteAndHour(at: string): string {
  const [hour, minute] = at.split(':').map(Number)
  return `${minute ?? 0} ${hour ?? 0}`
}

/** Undefined where it is no pattern: an expression of the file that is none any more starts nothing. */
function cronOf(pattern: string, timezone?: string): Cron | undefined {
  try {
    return new Cron(pattern, { paused: true, mode: '5-part', ...(timezone !== undefined && { timezone }) })
  } catch {
    return undefined
  }
}
