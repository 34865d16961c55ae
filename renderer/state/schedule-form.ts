import { cronProblem, leastContinuousMinutes, leastMinutes, mostContinuousMinutes, mostMinutes, mostQuietMinutes, mostTimes, type Weekday } from '../../main/api/schedule.ts'
import { scheduleText } from '../text/schedule.ts'
import type { Schedule } from './bridge.ts'
import type { FieldProblem } from './destination-form.ts'

/** The part of the job form that says when it runs, as it is typed. */
export interface ScheduleFields {
  schedule: Schedule['type']
  at: string
  every: string
  unit: 'minutes' | 'hours'
  /** Minutes without a change, and between two backups. */
  quiet: string
  apart: string
  days: readonly Weekday[]
  /** Separated by commas. */
  times: string
  cron: string
}

type ScheduleErrors = Partial<Record<'at' | 'every' | 'quiet' | 'apart' | 'days' | 'times' | 'cron', FieldProblem>>

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/

export function isTimeOfDay(text: string): boolean {
  return timeOfDay.test(text)
}

/** What is of another kind than the schedule is what somebody begins with. */
export function scheduleFieldsOf(schedule: Schedule): ScheduleFields {
  const hours = schedule.type === 'interval' && schedule.minutes % 60 === 0
  return {
    schedule: schedule.type,
    at: schedule.type === 'daily' ? schedule.at : '20:00',
    every: schedule.type === 'interval' ? String(hours ? schedule.minutes / 60 : schedule.minutes) : '4',
    unit: schedule.type !== 'interval' || hours ? 'hours' : 'minutes',
    quiet: schedule.type === 'continuous' ? String(schedule.quietMinutes) : '2',
    apart: schedule.type === 'continuous' ? String(schedule.everyMinutes) : '15',
    days: schedule.type === 'times' ? schedule.days : [1, 2, 3, 4, 5],
    times: schedule.type === 'times' ? schedule.at.join(', ') : '12:00, 18:00',
    cron: schedule.type === 'cron' ? schedule.expression : '30 9 * * 1-5',
  }
}

export function validateSchedule(fields: ScheduleFields): ScheduleErrors {
  const problem = (error: keyof typeof scheduleText.errors): FieldProblem => ({ words: scheduleText.errors[error] })
  switch (fields.schedule) {
    case 'daily':
      return isTimeOfDay(fields.at) ? {} : { at: 'timeOfDay' }
    case 'interval': {
      const minutes = minutesOf(fields)
      return Number.isInteger(minutes) && minutes >= leastMinutes && minutes <= mostMinutes ? {} : { every: problem('interval') }
    }
    case 'continuous':
      return {
        ...(!isWhole(fields.quiet, 1, mostQuietMinutes) && { quiet: problem('quiet') }),
        ...(!isWhole(fields.apart, leastContinuousMinutes, mostContinuousMinutes) && { apart: problem('apart') }),
      }
    case 'times': {
      const times = timesOf(fields)
      const good = times.length > 0 && times.length <= mostTimes && times.every(isTimeOfDay)
      return { ...(fields.days.length === 0 && { days: problem('days') }), ...(!good && { times: problem('times') }) }
    }
    case 'cron': {
      const wrong = cronProblem(fields.cron.trim())
      return wrong ? { cron: problem(wrong) } : {}
    }
    default:
      return {}
  }
}

/** Only for fields that `validateSchedule` finds nothing wrong with. */
export function scheduleOf(fields: ScheduleFields): Schedule {
  switch (fields.schedule) {
    case 'daily':
      return { type: 'daily', at: fields.at }
    case 'interval':
      return { type: 'interval', minutes: minutesOf(fields) }
    case 'continuous':
      return { type: 'continuous', quietMinutes: Number(fields.quiet), everyMinutes: Number(fields.apart) }
    case 'times':
      return { type: 'times', days: [...fields.days].sort((a, b) => a - b), at: timesOf(fields) }
    case 'cron':
      return { type: 'cron', expression: fields.cron.trim() }
    default:
      return { type: fields.schedule }
  }
}

function isWhole(text: string, least: number, most: number): boolean {
  const number = text.trim() === '' ? NaN : Number(text)
  return Number.isInteger(number) && number >= least && number <= most
}

/** NaN for what is no number. */
function minutesOf({ every, unit }: ScheduleFields): number {
  const number = every.trim() === '' ? NaN : Number(every.trim().replace(',', '.'))
  return number * (unit === 'hours' ? 60 : 1)
}

/** In order, each once; `9:00` is as good as `09:00`. */
function timesOf({ times }: ScheduleFields): readonly string[] {
  const typed = times.split(/[,;\s]+/).filter((one) => one !== '').map((one) => one.replace(/^(\d):/, '0$1:'))
  return [...new Set(typed)].sort()
}
