import type { Weekday } from '../../main/api/schedule.ts'
import type { Schedule, WatchView } from '../state/bridge.ts'
import { formatMoment, formatThings } from './format.ts'

/** What the window says of when a job runs. */
export const scheduleText = {
  label: 'Schedule',
  types: { manual: 'By hand', continuous: 'When something changes', hourly: 'Every hour', daily: 'Every day', interval: 'Interval', times: 'Chosen times', cron: 'Cron' } satisfies Record<Schedule['type'], string>,
  at: 'Time',
  every: 'Time between two backups',
  units: { minutes: 'minutes', hours: 'hours' },
  unit: 'Unit',
  quiet: 'Minutes without a change',
  apart: 'Minutes between two backups',
  days: 'Days',
  times: 'Times',
  timesHint: 'Separated by commas: 09:00, 13:00, 18:30',
  cron: 'Cron expression',
  cronHint: 'Minute, hour, day of the month, month, weekday: 30 9 * * 1-5',
  hints: {
    manual: 'Runs only when you click “Back up now”.',
    continuous: 'Folders are watched. A backup begins when nothing has changed for so long, or, while changes go on, after the longer time. Once a day everything is looked at in any case.',
    hourly: 'Runs on the hour while this computer is on.',
    daily: 'A run that was missed is made up for, ten minutes after the computer is back.',
    interval: 'Counts from the end of the last backup.',
    times: 'A run that was missed is made up for once, ten minutes after the computer is back.',
    cron: 'A run that was missed is made up for once, ten minutes after the computer is back.',
  } satisfies Record<Schedule['type'], string>,
  spread: 'It begins up to ten minutes later, always by the same, so that not everybody comes to the storage on the hour.',
  next: (times: readonly number[], now: number) => `Next: ${times.map((time) => formatMoment(time, now)).join(' · ')}`,
  missed: (moment: string) => `Makes up for a missed backup: ${moment}`,
  errors: {
    interval: 'Choose 15 minutes to 31 days, in whole minutes.',
    quiet: 'Choose 1 to 60, in whole minutes.',
    apart: 'Choose 5 to 720, in whole minutes.',
    days: 'Choose at least one day.',
    times: 'Enter up to 24 times such as 09:00, 13:00.',
    pattern: 'This is no cron expression of five fields.',
    never: 'No such time ever comes.',
    often: 'Two backups would be closer together than 15 minutes.',
  },
} as const

const dayNames: Readonly<Record<Weekday, string>> = { 1: 'Mon', 2: 'Tue', 3: 'Wed', 4: 'Thu', 5: 'Fri', 6: 'Sat', 7: 'Sun' }
export const weekdays = Object.entries(dayNames).map(([day, name]) => ({ day: Number(day) as Weekday, name }))

/** `Mon–Fri, Sun`. */
export function daysWords(days: readonly Weekday[]): string {
  if (days.length === 7) return 'Every day'
  const runs: Weekday[][] = []
  for (const day of days) {
    const last = runs.at(-1)
    if (last?.at(-1) === day - 1) last.push(day)
    else runs.push([day])
  }
  return runs.flatMap((run) => {
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined) return []
    return run.length > 2 ? [`${dayNames[first]}–${dayNames[last]}`] : run.map((day) => dayNames[day])
  }).join(', ')
}

export function scheduleWords(schedule: Schedule): string {
  switch (schedule.type) {
    case 'manual':
      return 'Only by hand'
    case 'hourly':
      return scheduleText.types.hourly
    case 'daily':
      return `Every day at ${schedule.at}`
    case 'interval':
      return `Every ${schedule.minutes % 60 === 0 ? formatThings(schedule.minutes / 60, 'hour', 'hours') : formatThings(schedule.minutes, 'minute', 'minutes')}`
    case 'continuous':
      return `When something changes, ${formatThings(schedule.everyMinutes, 'minute', 'minutes')} apart at least`
    case 'times':
      return `${daysWords(schedule.days)} at ${schedule.at.join(', ')}`
    case 'cron':
      return `Cron: ${schedule.expression}`
  }
}

/** Whether the folders of a job are watched, and what is to be done where they are not. */
export function watchWords(watch: WatchView): string {
  switch (watch.state) {
    case 'starting':
      return 'Looking for folders to watch'
    case 'watching': {
      const words = `Watching ${formatThings(watch.folders, 'folder', 'folders')}`
      return watch.away === 0 ? words : `${words}; ${formatThings(watch.away, 'source is', 'sources are')} not there`
    }
    case 'too-many':
      return 'Too many folders to watch: backed up each hour instead'
    case 'broken':
      return 'Watching broke off: backed up each hour until it works again'
  }
}

/** What somebody can do about it; empty where that is nothing. */
export function watchAdvice(watch: WatchView): string {
  return watch.state === 'too-many' ? 'Leave out folders that need no backup, such as caches, or let the system watch more: raise fs.inotify.max_user_watches.' : ''
}
