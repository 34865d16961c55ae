import type { MissingAccount } from './account-views.ts'
import type { AppState, CopyView, JobView, RunView, WireError } from './views.ts'

/**
 * `bad`: files are not protected, or their backup cannot be relied on. `warn`: somebody has to look. `note`: so it is, and nobody is called for it.
 */
export type Severity = 'bad' | 'warn' | 'note'

/** Something about a job that keeps it from being well. */
export interface Concern {
  readonly severity: Severity
  readonly job: JobView
  readonly what: Trouble
}

export type Trouble =
  /** Care has found files that cannot be restored whole; of the backup, or of a copy of it. */
  | { readonly type: 'damaged'; readonly files: number; readonly copy?: CopyView }
  /** A restore that care has tried has failed. */
  | { readonly type: 'drill'; readonly copy?: CopyView }
  /** The password is not kept here, so nothing can run. */
  | { readonly type: 'password' }
  /** Nothing has come for too long. */
  | { readonly type: 'late'; readonly sinceMs?: number }
  /** The last run was not complete. */
  | { readonly type: 'failed'; readonly run: RunView }
  | { readonly type: 'sign-in'; readonly missing: MissingAccount }
  /** It waits for its disk, and has not been complete for too long, or broke off when that was unplugged. */
  | { readonly type: 'disk'; readonly names: readonly string[] }
  | { readonly type: 'held' }
  | { readonly type: 'care'; readonly error: WireError; readonly copy?: CopyView }
  | { readonly type: 'copy'; readonly error: WireError; readonly copy: CopyView }
  | { readonly type: 'warnings'; readonly run: RunView }
  /** It has never been complete so far, and nothing went wrong. */
  | { readonly type: 'first' }

/** How safe the files are, as window and tray tell it. */
export interface Protection {
  /** `none`: no job has been complete so far, and nothing went wrong. */
  readonly level: 'none' | 'bad' | 'warn' | 'good'
  /** Worst first. */
  readonly concerns: readonly Concern[]
  /** Every job has been complete, lately enough, and can go on. */
  readonly allProtected: boolean
  /** The job that was complete last. */
  readonly newest?: { readonly job: JobView; readonly completeMs: number }
  /** When the oldest snapshot of all jobs was finished, ms since 1970, as far as somebody has looked. */
  readonly oldestMs?: number
}

/** Worst first. */
const order = ['damaged', 'drill', 'password', 'late', 'failed', 'sign-in', 'held', 'disk', 'care', 'copy', 'warnings', 'first'] as const satisfies readonly Trouble['type'][]
const severities = ['bad', 'warn', 'note'] as const satisfies readonly Severity[]

/** How safe the files of all jobs are. Pure. */
export function protectionOf({ jobs, notices }: Pick<AppState, 'jobs' | 'notices'>, nowMs: number): Protection {
  const told = new Set(notices.flatMap((notice) => (notice.type === 'late' ? notice.late : [])).flatMap(({ job, host }) => (host === undefined ? [job] : [])))
  const concerns = withoutDoubles(jobs.flatMap((job) => concernsOf(job, told.has(job.config.name), nowMs))).sort(compare)
  const complete = jobs.flatMap((job) => (job.completeMs === undefined ? [] : [{ job, completeMs: job.completeMs }]))
  const newest = complete.length > 0 ? complete.reduce((best, one) => (one.completeMs > best.completeMs ? one : best)) : undefined
  const oldest = jobs.flatMap(({ oldestMs }) => oldestMs ?? [])
  const worst = concerns[0]?.severity
  return {
    level: worst === 'bad' ? 'bad' : !newest ? (worst === 'warn' ? 'warn' : 'none') : worst === 'warn' ? 'warn' : 'good',
    concerns,
    allProtected: complete.length === jobs.length && jobs.length > 0 && !concerns.some(({ what }) => unprotected.has(what.type)),
    ...(newest && { newest }),
    ...(oldest.length > 0 && { oldestMs: Math.min(...oldest) }),
  }
}

/** Of these, files have changed that no backup has, or what is there cannot be relied on. */
const unprotected: ReadonlySet<Trouble['type']> = new Set(['damaged', 'drill', 'password', 'late', 'failed', 'sign-in', 'disk', 'first'])

/** What a care has come upon: `damaged`, `drill`, or the code of an error. Undefined where all is well, or where its backups tell of it, and it is tried again. */
export function careTrouble(run: RunView | undefined): string | undefined {
  if ((run?.care?.affectedCount ?? 0) > 0) return 'damaged'
  if (run?.care?.drill === 'failed') return 'drill'
  return lasting(run)?.code
}

/** What keeps a copy from being made until somebody does something. A place that is away is none: it is copied to when it is back. */
export function copyTrouble(run: RunView | undefined): string | undefined {
  return lasting(run)?.code
}

function lasting(run: RunView | undefined): WireError | undefined {
  return run?.error && !run.error.retryable ? run.error : undefined
}

function concernsOf(job: JobView, isTold: boolean, nowMs: number): readonly Concern[] {
  const of = (severity: Severity, what: Trouble): Concern => ({ severity, job, what })
  const copies = job.copies.flatMap((copy) => {
    const error = lasting(copy.lastRun)
    return [...careConcerns(copy.care?.lastRun, of, copy), ...(error && copyTrouble(copy.lastRun) !== undefined ? [of('warn', { type: 'copy', error, copy })] : [])]
  })
  return [...careConcerns(job.care?.lastRun, of), ...freshness(job, isTold, nowMs, of), ...(job.hold ? [of('warn', { type: 'held' })] : []), ...copies]
}

type Make = (severity: Severity, what: Trouble) => Concern

function careConcerns(run: RunView | undefined, of: Make, copy?: CopyView): readonly Concern[] {
  const at = copy && { copy }
  switch (careTrouble(run)) {
    case undefined:
      return []
    case 'damaged':
      return [of('bad', { type: 'damaged', files: run?.care?.affectedCount ?? 0, ...at })]
    case 'drill':
      return [of('bad', { type: 'drill', ...at })]
    default:
      return run?.error ? [of('warn', { type: 'care', error: run.error, ...at })] : []
  }
}

/** Whether what the job has is new enough: at most one, the worst. */
function freshness(job: JobView, isTold: boolean, nowMs: number, of: Make): readonly Concern[] {
  const { lastRun, completeMs, signIn } = job
  if (!job.secrets.password) return [of('bad', { type: 'password' })]
  const late: Trouble = { type: 'late', ...(completeMs !== undefined && { sinceMs: completeMs }) }
  if (isTold) return [of('bad', late)]
  // What waits for a sign-in has not failed for good: it goes on by itself.
  if (signIn) return [of('warn', { type: 'sign-in', missing: signIn })]
  // Nor has what waits for its disk.
  const away = job.waits?.wait.type === 'disk' ? job.waits.wait.names : undefined
  if (away && (lastRun?.error?.retryable === true || (completeMs !== undefined && nowMs > job.lateFromMs))) return [of('note', { type: 'disk', names: away })]
  if (lastRun?.outcome === 'failed' || lastRun?.outcome === 'partial') return [of('bad', { type: 'failed', run: lastRun })]
  // Somebody who does not want to hear of it any more is not called for it.
  if (completeMs !== undefined && nowMs > job.lateFromMs) return [of('note', late)]
  if (lastRun?.outcome === 'warnings') return [of('warn', { type: 'warnings', run: lastRun })]
  return completeMs === undefined ? [of('note', { type: 'first' })] : []
}

/** Jobs of one repository share its care and its copies. */
function withoutDoubles(concerns: readonly Concern[]): Concern[] {
  const seen = new Set<string>()
  return concerns.filter(({ job, what }) => {
    const shared = what.type === 'damaged' || what.type === 'drill' || what.type === 'care' ? sharedCare(job, what.copy) : what.type === 'copy' ? what.copy.lastRun?.id : undefined
    const key = shared === undefined ? undefined : `${what.type} ${shared}`
    if (key !== undefined && seen.has(key)) return false
    if (key !== undefined) seen.add(key)
    return true
  })
}

function sharedCare(job: JobView, copy: CopyView | undefined): string | undefined {
  return (copy ?? job).care?.lastRun?.id
}

function compare(a: Concern, b: Concern): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    order.indexOf(a.what.type) - order.indexOf(b.what.type) ||
    (a.job.completeMs ?? 0) - (b.job.completeMs ?? 0)
  )
}
