import type { Overdue } from '../protocol/overdue.ts'
import { formatPlural } from './format.ts'

/** `laptop/docs: no new snapshot for 12 days (usually every 24 hours)` */
export function overdueLine({ host, job, days, usualMs }: Overdue): string {
  const usual = usualMs === undefined ? '' : ` (usually one ${everyWords(usualMs)})`
  return `${host}/${job}: no new snapshot for ${formatPlural(days, 'day')}${usual}`
}

function everyWords(ms: number): string {
  const hours = Math.max(1, Math.round(ms / 3_600_000))
  const days = Math.round(hours / 24)
  if (hours < 20) return hours === 1 ? 'an hour' : `every ${hours} hours`
  return days <= 1 ? 'a day' : `every ${days} days`
}
