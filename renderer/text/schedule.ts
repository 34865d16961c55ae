import * as m from '../../main/text/compiled/messages.js'
import { intlLocale } from '../../main/text/language.ts'
import type { Weekday } from '../../main/api/schedule.ts'
import type { Schedule, WatchView } from '../state/bridge.ts'
import { formatMoment } from './format.ts'

/** What the window says of when a job runs. */
export const scheduleText = {
  label: m.schedule_label(),
  types: { manual: m.schedule_types_manual(), continuous: m.schedule_types_continuous(), hourly: m.schedule_types_hourly(), daily: m.schedule_types_daily(), interval: m.schedule_types_interval(), times: m.schedule_types_times(), cron: m.schedule_types_cron() } satisfies Record<Schedule['type'], string>,
  at: m.schedule_at(),
  every: m.schedule_every(),
  units: { minutes: m.schedule_units_minutes(), hours: m.schedule_units_hours() },
  unit: m.schedule_unit(),
  quiet: m.schedule_quiet(),
  apart: m.schedule_apart(),
  days: m.schedule_days(),
  times: m.schedule_times(),
  timesHint: m.schedule_timesHint(),
  cron: m.schedule_cron(),
  cronHint: m.schedule_cronHint(),
  hints: {
    manual: m.schedule_hints_manual(),
    continuous: m.schedule_hints_continuous(),
    hourly: m.schedule_hints_hourly(),
    daily: m.schedule_hints_daily(),
    interval: m.schedule_hints_interval(),
    times: m.schedule_hints_times(),
    cron: m.schedule_hints_cron(),
  } satisfies Record<Schedule['type'], string>,
  spread: m.schedule_spread(),
  next: (times: readonly number[], now: number) => m.schedule_next({ times: times.map((time) => formatMoment(time, now)).join(' · ') }),
  missed: (moment: string) => m.schedule_missed({ moment }),
  errors: {
    interval: m.schedule_errors_interval(),
    quiet: m.schedule_errors_quiet(),
    apart: m.schedule_errors_apart(),
    days: m.schedule_errors_days(),
    times: m.schedule_errors_times(),
    pattern: m.schedule_errors_pattern(),
    never: m.schedule_errors_never(),
    often: m.schedule_errors_often(),
  },
} as const

/** 1 January 2024 was a Monday. */
const shortName = new Intl.DateTimeFormat(intlLocale(), { weekday: 'short' })
const dayName = (day: Weekday): string => shortName.format(new Date(2024, 0, day))
export const weekdays = ([1, 2, 3, 4, 5, 6, 7] as const).map((day) => ({ day, name: dayName(day) }))

/** `Mon–Fri, Sun`. */
export function daysWords(days: readonly Weekday[]): string {
  if (days.length === 7) return m.schedule_days2()
  const runs: Weekday[][] = []
  for (const day of days) {
    const last = runs.at(-1)
    if (last?.at(-1) === day - 1) last.push(day)
    else runs.push([day])
  }
  return runs.flatMap((run) => {
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined) return []
    return run.length > 2 ? [`${dayName(first)}–${dayName(last)}`] : run.map(dayName)
  }).join(', ')
}

export function scheduleWords(schedule: Schedule): string {
  switch (schedule.type) {
    case 'manual':
      return m.schedule_manual()
    case 'hourly':
      return scheduleText.types.hourly
    case 'daily':
      return m.schedule_daily({ at: schedule.at })
    case 'interval':
      return schedule.minutes % 60 === 0 ? m.schedule_everyHours({ count: schedule.minutes / 60 }) : m.schedule_everyMinutes({ count: schedule.minutes })
    case 'continuous':
      return m.schedule_continuous({ everyMinutes: schedule.everyMinutes })
    case 'times':
      return m.schedule_times2({ days: daysWords(schedule.days), at: schedule.at.join(', ') })
    case 'cron':
      return m.schedule_cron2({ expression: schedule.expression })
  }
}

/** Whether the folders of a job are watched, and what is to be done where they are not. */
export function watchWords(watch: WatchView): string {
  switch (watch.state) {
    case 'starting':
      return m.schedule_watch_starting()
    case 'watching': {
      const words = m.schedule_watch_watching_words({ folders: watch.folders })
      return watch.away === 0 ? words : m.schedule_watch_watching({ words, away: watch.away })
    }
    case 'too-many':
      return m.schedule_watch_tooMany()
    case 'broken':
      return m.schedule_watch_broken()
  }
}

/** What somebody can do about it; empty where that is nothing. */
export function watchAdvice(watch: WatchView): string {
  return watch.state === 'too-many' ? m.schedule_watchAdvice() : ''
}
