const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** The mean of the calendar. */
const monthMs = 30.436875 * dayMs

/** How long ago something was, as words: `just now`, `12 minutes ago`, `3 days ago`. @param ms below two minutes, also below 0, is just now */
export function agoWords(ms: number): string {
  return ms < 2 * minuteMs ? 'just now' : `${spanWords(ms)} ago`
}

/** A stretch of time in its one unit that is neither coarse nor long, rounded down: `1 minute`, `90 minutes`, `3 hours`, `59 days`, `14 months`, `2 years`. */
export function spanWords(ms: number): string {
  if (ms < 2 * hourMs) return counted(Math.max(0, ms) / minuteMs, 'minute')
  if (ms < 2 * dayMs) return counted(ms / hourMs, 'hour')
  if (ms < 60 * dayMs) return counted(ms / dayMs, 'day')
  if (ms < 24 * monthMs) return counted(ms / monthMs, 'month')
  return counted(ms / (12 * monthMs), 'year')
}

function counted(count: number, unit: string): string {
  const whole = Math.floor(count)
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`
}
