import type { Weekday } from '../../engine/protocol/schedule.ts'
import type { LimitTime, SettingsView } from './views.ts'

/** How many times of their own the limits may have. */
export const mostLimitTimes = 12

type Limited = Pick<SettingsView, 'uploadBytesPerSecond' | 'downloadBytesPerSecond' | 'limitTimes'>

const days: Readonly<Record<string, Weekday>> = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 }
const formats = new Map<string | undefined, Intl.DateTimeFormat>()

/** The first of the times that a moment lies in, by the clock on the wall (or that of `timezone`); undefined: none, the limits of all day hold. */
export function limitTimeAt(times: readonly LimitTime[], nowMs: number, timezone?: string): LimitTime | undefined {
  const { day, minute } = wallTime(nowMs, timezone)
  return times.find((time) => isWithin(time, day, minute))
}

/** The limits of all jobs together at a moment, in bytes a second; absent: none. Those of a time take the place of those of all day, both of them. */
export function limitsAt(settings: Limited, nowMs: number, timezone?: string): Pick<SettingsView, 'uploadBytesPerSecond' | 'downloadBytesPerSecond'> {
  const { uploadBytesPerSecond: up, downloadBytesPerSecond: down } = limitTimeAt(settings.limitTimes ?? [], nowMs, timezone) ?? settings
  return { ...(up !== undefined && { uploadBytesPerSecond: up }), ...(down !== undefined && { downloadBytesPerSecond: down }) }
}

/** A time that goes over midnight belongs to the day on which it begins; from a time to the same one is a whole day. */
function isWithin({ days: on, from, to }: LimitTime, day: Weekday, minute: number): boolean {
  const [start, end] = [minuteOf(from), minuteOf(to)]
  if (start < end) return on.includes(day) && minute >= start && minute < end
  const before = (day === 1 ? 7 : day - 1) as Weekday
  return (on.includes(day) && minute >= start) || (on.includes(before) && minute < end)
}

function minuteOf(at: string): number {
  const [hour = 0, minute = 0] = at.split(':').map(Number)
  return hour * 60 + minute
}

function wallTime(nowMs: number, timezone: string | undefined): { readonly day: Weekday; readonly minute: number } {
  const format = formats.get(timezone) ?? new Intl.DateTimeFormat('en-GB', { timeZone: timezone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  // The machine may be taken to another timezone while the app runs.
  if (timezone !== undefined) formats.set(timezone, format)
  const parts = Object.fromEntries(format.formatToParts(nowMs).map(({ type, value }) => [type, value]))
  return { day: days[parts['weekday'] ?? ''] ?? 1, minute: Number(parts['hour']) * 60 + Number(parts['minute']) }
}
