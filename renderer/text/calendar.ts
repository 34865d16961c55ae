import * as m from '../../main/text/compiled/messages.js'
import { intlLocale } from '../../main/text/language.ts'
import type { IconName } from '../parts/icons.ts'
import type { Day, DayState, Month, RunStatistics } from '../state/calendar.ts'
import { formatBytes, formatCount, formatDuration } from './format.ts'
import type { Status } from './status.ts'

const locale = intlLocale()
const monthName = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' })
const dayName = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' })
const weekday = { short: new Intl.DateTimeFormat(locale, { weekday: 'short' }), long: new Intl.DateTimeFormat(locale, { weekday: 'long' }) } as const

/** 1 January 2024 was a Monday. */
const weekdays = Array.from({ length: 7 }, (_none, at) => new Date(2024, 0, 1 + at))

/** The history of a job as a calendar. */
export const calendarWords = {
  show: m.calendar_show(),
  views: { list: m.calendar_views_list(), calendar: m.calendar_views_calendar() },
  earlier: m.calendar_earlier(),
  later: m.calendar_later(),
  month: ({ year, month }: Month) => monthName.format(new Date(year, month, 1)),
  // Put together here: runtimes differ in whether a comma follows the weekday.
  day: (startMs: number) => `${weekday.long.format(startMs)} ${dayName.format(startMs)}`,
  weekdays: weekdays.map((day) => ({ short: weekday.short.format(day), long: weekday.long.format(day) })),
  hint: m.calendar_hint(),
  noRun: m.calendar_noRun(),
  figures: m.calendar_figures(),
  labels: { runs: m.calendar_labels_runs(), complete: m.calendar_labels_complete(), added: m.calendar_labels_added(), mean: m.calendar_labels_mean() },
  legend: m.calendar_legend(),
} as const

export const dayStates: Readonly<Record<DayState, Status & { readonly icon: IconName }>> = {
  good: { tone: 'good', icon: 'success', words: m.calendar_dayStates_good_words() },
  warn: { tone: 'warn', icon: 'warning', words: m.calendar_dayStates_warn_words() },
  bad: { tone: 'bad', icon: 'error', words: m.calendar_dayStates_bad_words() },
  stopped: { tone: 'neutral', icon: 'never', words: m.calendar_dayStates_stopped_words() },
}

/** `Thursday 12 November 2026: 2 runs, backed up`. */
export function dayWords({ startMs, runs, state }: Day): string {
  const what = state === undefined ? m.calendar_day_what() : `${m.calendar_day_what2({ count: runs.length })}, ${dayStates[state].words}`
  return `${calendarWords.day(startMs)}: ${what}`
}

/** Label and value of each figure. */
export function figureWords({ runs, complete, addedBytes, meanMs }: RunStatistics): readonly (readonly [label: string, value: string])[] {
  const { labels } = calendarWords
  return [
    [labels.runs, formatCount(runs)],
    [labels.complete, formatCount(complete)],
    [labels.added, formatBytes(addedBytes)],
    [labels.mean, meanMs === undefined ? '–' : formatDuration(meanMs)],
  ]
}
