/** No honest clock says another year. */
const earliestMs = Date.parse('0001-01-02T00:00:00Z')
const latestMs = Date.UTC(9998, 11, 31)
const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** 1970-01-01 was a Thursday; ISO weeks begin on Monday. */
const mondayShiftDays = 3

/** A snapshot's zone is text out of a manifest: no more formatters than there are zones. */
const maxFormatters = 1000
const formatters = new Map<string, Intl.DateTimeFormat>()

/** IANA name of the zone that this machine lives in. */
export function localTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** The calendar periods that a moment lies in, as the clocks of a place show it. Each is a label: equal for moments of one period. */
export interface LocalPeriods {
  /** Of the two hours that the end of summer time calls alike each is its own. */
  readonly hour: string
  /** Days since 1970-01-01; a day may have 23, 24 or 25 hours. */
  readonly day: number
  /** ISO weeks, Monday to Sunday. */
  readonly week: number
  /** Months since the year 0. */
  readonly month: number
  readonly year: number
}

/**
 * The periods of a time (ms since 1970) in a zone, daylight saving and all. A zone that this program does not know counts as UTC, a time
 * beyond the years 1 to 9998 as the nearest of them.
 */
export function localPeriods(timeMs: number, timeZone: string): LocalPeriods {
  const utcMs = Math.min(Math.max(timeMs, earliestMs), latestMs)
  const wallMs = wallClock(utcMs, timeZone)
  const date = new Date(wallMs)
  const day = Math.floor(wallMs / dayMs)
  return {
    hour: `${Math.floor(wallMs / hourMs)} ${Math.round((wallMs - utcMs) / 1000)}`,
    day,
    week: Math.floor((day + mondayShiftDays) / 7),
    month: date.getUTCFullYear() * 12 + date.getUTCMonth(),
    year: date.getUTCFullYear(),
  }
}

/** What the clocks show, as if it were UTC; whole seconds, and the milliseconds of the time. */
function wallClock(utcMs: number, timeZone: string): number {
  const parts = new Map(formatterOf(timeZone).formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const wall = new Date(0)
  wall.setUTCFullYear(part('year'), part('month') - 1, part('day'))
  wall.setUTCHours(part('hour'), part('minute'), part('second'))
  return wall.getTime() + (utcMs - Math.floor(utcMs / 1000) * 1000)
}

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone)
  if (known) return known
  if (formatters.size >= maxFormatters) formatters.clear()
  const made = makeFormatter(timeZone)
  formatters.set(timeZone, made)
  return made
}

function makeFormatter(timeZone: string): Intl.DateTimeFormat {
  const options = { calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone })
  } catch (error) {
    if (error instanceof RangeError) return new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' })
    throw error
  }
}
