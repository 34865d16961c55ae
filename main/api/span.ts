import * as m from '../text/compiled/messages.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** The mean of the calendar. */
const monthMs = 30.436875 * dayMs

/** How long ago something was, as words: `just now`, `12 minutes ago`, `3 days ago`. @param ms below two minutes, also below 0, is just now */
export function agoWords(ms: number): string {
  return ms < 2 * minuteMs ? m.span_now() : m.span_ago({ span: spanWords(ms) })
}

/**
 * A stretch of time in its one unit that is neither coarse nor long, rounded down: `1 minute`, `90 minutes`, `3 hours`, `59 days`, `14 months`, `2 years`.
 * Messages have it behind “since” and “ago” alone: other languages decline it.
 */
export function spanWords(ms: number): string {
  if (ms < 2 * hourMs) return m.span_minutes({ count: Math.floor(Math.max(0, ms) / minuteMs) })
  if (ms < 2 * dayMs) return m.span_hours({ count: Math.floor(ms / hourMs) })
  if (ms < 60 * dayMs) return m.span_days({ count: Math.floor(ms / dayMs) })
  if (ms < 24 * monthMs) return m.span_months({ count: Math.floor(ms / monthMs) })
  return m.span_years({ count: Math.floor(ms / (12 * monthMs)) })
}
