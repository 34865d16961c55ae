import { intlLocale } from '../../main/text/language.ts'
import type { IconName } from '../parts/icons.ts'
import type { Day, DayState, Month, RunStatistics } from '../state/calendar.ts'
import { formatBytes, formatCount, formatDuration, formatThings } from './format.ts'
import type { Status } from './status.ts'

const locale = intlLocale()
const monthName = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' })
const dayName = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' })
const weekday = { short: new Intl.DateTimeFormat(locale, { weekday: 'short' }), long: new Intl.DateTimeFormat(locale, { weekday: 'long' }) } as const

/** 1 January 2024 was a Monday. */
const weekdays = Array.from({ length: 7 }, (_none, at) => new Date(2024, 0, 1 + at))

/** The history of a job as a calendar. */
export const calendarWords = {
  show: 'Show the history as',
  views: { list: 'List', calendar: 'Calendar' },
  earlier: 'Earlier month',
  later: 'Later month',
  month: ({ year, month }: Month) => monthName.format(new Date(year, month, 1)),
  // Put together here: runtimes differ in whether a comma follows the weekday.
  day: (startMs: number) => `${weekday.long.format(startMs)} ${dayName.format(startMs)}`,
  weekdays: weekdays.map((day) => ({ short: weekday.short.format(day), long: weekday.long.format(day) })),
  hint: 'Arrow keys move from day to day, Enter shows the runs of one.',
  noRun: 'No run on this day.',
  figures: 'Figures of this month',
  labels: { runs: 'Runs', complete: 'Complete', added: 'Sent', mean: 'Takes, in the mean' },
  legend: 'What the signs mean',
} as const

export const dayStates: Readonly<Record<DayState, Status & { readonly icon: IconName }>> = {
  good: { tone: 'good', icon: 'success', words: 'backed up' },
  warn: { tone: 'warn', icon: 'warning', words: 'backed up, not without trouble' },
  bad: { tone: 'bad', icon: 'error', words: 'not backed up: a run failed' },
  stopped: { tone: 'neutral', icon: 'never', words: 'stopped' },
}

/** `Thursday 12 November 2026: 2 runs, backed up`. */
export function dayWords({ startMs, runs, state }: Day): string {
  const what = state === undefined ? 'no run' : `${formatThings(runs.length, 'run', 'runs')}, ${dayStates[state].words}`
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
