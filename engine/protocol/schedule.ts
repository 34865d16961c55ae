import * as v from 'valibot'

/** Monday is 1, Sunday 7. */
export type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7

/** Local time; times are `HH:MM`. A run that was missed (asleep, not started) is made up once. */
export type Schedule =
  | { readonly type: 'manual' }
  | { readonly type: 'hourly' }
  | { readonly type: 'daily'; readonly at: string }
  /** So long after the end of the last run. */
  | { readonly type: 'interval'; readonly minutes: number }
  /**
   * When something has changed in the sources, and nothing more has for the quiet time; while things go on changing, every `everyMinutes`, which
   * always lie between two runs at least. Once a day in any case.
   */
  | { readonly type: 'continuous'; readonly quietMinutes: number; readonly everyMinutes: number }
  /** On each of the days, at each of the times; both in order, without repetition. */
  | { readonly type: 'times'; readonly days: readonly Weekday[]; readonly at: readonly string[] }
  /** Five fields of crontab(5): minute, hour, day of the month, month, weekday. */
  | { readonly type: 'cron'; readonly expression: string }

/** What a schedule may ask for, in minutes between two runs. */
export const leastMinutes = 15
export const mostMinutes = 31 * 24 * 60
/** What a continuous schedule may ask for, in minutes without a change, and between two runs. */
export const mostQuietMinutes = 60
export const leastContinuousMinutes = 5
export const mostContinuousMinutes = 12 * 60
/** Times a day. */
export const mostTimes = 24

/** In order, each once. */
export const weekdaysSchema: v.GenericSchema<unknown, readonly Weekday[]> = v.pipe(v.array(v.picklist([1, 2, 3, 4, 5, 6, 7])), v.minLength(1), v.maxLength(7), v.check((days) => isAscending(days)))
/** `HH:MM` */
export const timeSchema: v.GenericSchema<unknown, string> = v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/))

/** The shape; whether a cron expression means anything is another question. */
export const scheduleSchema: v.GenericSchema<unknown, Schedule> = v.variant('type', [
  v.strictObject({ type: v.literal('manual') }),
  v.strictObject({ type: v.literal('hourly') }),
  v.strictObject({ type: v.literal('daily'), at: timeSchema }),
  v.strictObject({ type: v.literal('interval'), minutes: minutesSchema(leastMinutes, mostMinutes) }),
  v.strictObject({
    type: v.literal('times'),
    days: weekdaysSchema,
    at: v.pipe(v.array(timeSchema), v.minLength(1), v.maxLength(mostTimes), v.check((times) => isAscending(times))),
  }),
  v.strictObject({ type: v.literal('continuous'), quietMinutes: minutesSchema(1, mostQuietMinutes), everyMinutes: minutesSchema(leastContinuousMinutes, mostContinuousMinutes) }),
  v.strictObject({ type: v.literal('cron'), expression: v.pipe(v.string(), v.minLength(9), v.maxLength(100)) }),
])

function minutesSchema(least: number, most: number): v.GenericSchema<unknown, number> {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most))
}

function isAscending(list: readonly (number | string)[]): boolean {
  return list.every((one, at) => at === 0 || (list[at - 1] ?? one) < one)
}

const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const

/** In a few words, for questions and for the terminal: `daily at 20:00`. */
export function scheduleText(schedule: Schedule): string {
  switch (schedule.type) {
    case 'manual':
    case 'hourly':
      return schedule.type
    case 'daily':
      return `daily at ${schedule.at}`
    case 'interval':
      return `every ${schedule.minutes % 60 === 0 ? `${schedule.minutes / 60} h` : `${schedule.minutes} min`}`
    case 'continuous':
      return `when something changes, every ${schedule.everyMinutes} min at most`
    case 'times':
      return `${schedule.days.map((day) => dayNames[day - 1]).join(', ')} at ${schedule.at.join(', ')}`
    case 'cron':
      return `by cron expression ${schedule.expression}`
  }
}
