import type { LogFilter, LogLevel } from './bridge.ts'
import type { LogSpan } from '../text/logs.ts'

/** What the page's fields hold. */
export interface LogFields {
  readonly level: LogLevel
  /** Name of a job, empty for all, `allButJobs` for what belongs to none. */
  readonly job: string
  readonly runId: string | undefined
  readonly text: string
  readonly span: LogSpan
  /** As `datetime-local` has it: local time, empty for none. */
  readonly from: string
  readonly to: string
}

/** No job has such a name. */
export const allButJobs = '/'
export const longestText = 256
const spans: Readonly<Record<Exclude<LogSpan, 'any' | 'between'>, number>> = { hour: 3_600_000, day: 24 * 3_600_000, week: 7 * 24 * 3_600_000 }

/** What is to be looked for, at the time `now`. Pure. */
export function filterOf({ level, job, runId, text, span, from, to }: LogFields, now: number): LogFilter {
  const fromMs = span === 'any' ? undefined : span === 'between' ? momentOf(from) : now - spans[span]
  // The minute that was chosen is meant to its end.
  const toMs = span === 'between' ? momentOf(to) : undefined
  return {
    ...(level !== 'debug' && { level }),
    ...(job !== '' && { job: job === allButJobs ? null : job }),
    ...(runId !== undefined && { runId }),
    ...(text.trim() !== '' && { text: text.trim().slice(0, longestText) }),
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs: toMs + 59_999 }),
  }
}

function momentOf(local: string): number | undefined {
  const ms = local === '' ? Number.NaN : new Date(local).getTime()
  return Number.isNaN(ms) || ms < 0 ? undefined : ms
}
