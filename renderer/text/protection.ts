import * as m from '../../main/text/compiled/messages.js'
import { diskNames } from '../../main/api/conditions.ts'
import { agoWords, spanWords } from '../../main/api/span.ts'
import type { Concern, Protection } from '../../main/api/protection.ts'
import { visibleText } from '../../main/api/text.ts'
import type { AppState, DestinationView, JobView, RecentBackup } from '../state/bridge.ts'
import { accountWords } from './account-words.ts'
import { errorText } from './errors.ts'
import { formatBytes } from './format.ts'
import { pauseWords } from './pause.ts'
import { afterColon } from './sentence.ts'
import { waitWords } from './status.ts'
import { destinationWords } from './words.ts'

/** How safe the files are. */
export const protectionWords = {
  attention: m.protection_attention(),
  leave: m.protection_leave(),
  leaveLabel: m.protection_leaveLabel(),
  actions: {
    run: m.protection_actions_run(),
    'try-again': m.protection_actions_tryAgain(),
    show: m.protection_actions_show(),
    'show-run': m.protection_actions_showRun(),
    edit: m.protection_actions_edit(),
    'sign-in': accountWords.again,
  } satisfies Record<ConcernAction, string>,
  actionLabel: (action: string, name: string) => `${action}: ${name}`,
  size: (bytes: number) => formatBytes(bytes),
  sizeTitle: m.protection_sizeTitle(),
} as const

/** What a person can do about a concern: the one thing that helps most. */
export type ConcernAction = 'run' | 'try-again' | 'show' | 'show-run' | 'edit' | 'sign-in'

/** What is told on top of the home page: one sentence, and what follows from it. */
export interface Headline {
  readonly tone: 'good' | 'warn' | 'bad' | 'neutral'
  readonly title: string
  readonly text: string
  /** What the sentence is about; what else needs attention follows below. */
  readonly concern?: Concern
}

/** The state of everything in a sentence, the worst first. Pure. */
export function headlineOf(protection: Protection, app: Pick<AppState, 'pausedAll' | 'pausedUntilMs'>, now: number): Headline {
  const [worst] = protection.concerns
  const paused = app.pausedAll ? [pausedSentence(app, now)] : []
  const text = (...sentences: readonly string[]): string => [...sentences, ...paused].filter((one) => one !== '').join(' ')
  switch (protection.level) {
    case 'none':
      return { tone: 'neutral', title: m.protection_headline_none_title(), text: text(beginWords(worst?.job, now)), ...(worst && { concern: worst }) }
    case 'bad':
    case 'warn': {
      if (!worst) break
      const { title, text: why } = concernText(worst, now)
      return { tone: protection.level, title: protection.allProtected ? m.protection_headline_warn_title({ title: afterColon(title) }) : title, text: text(why, protection.allProtected ? lastWords(protection, now) : ''), concern: worst }
    }
    case 'good':
  }
  const open = protection.concerns.filter(({ severity }) => severity === 'note')
  return { tone: open.length > 0 ? 'neutral' : 'good', title: goodTitle(protection, open, now), text: text(lastWords(protection, now), ...(open[0]?.what.type === 'disk' ? [`${concernText(open[0], now).title}.`] : [])), ...(open[0] && { concern: open[0] }) }
}

function goodTitle({ newest }: Protection, open: readonly Concern[], now: number): string {
  const [first] = open
  if (!first) return m.protection_goodTitle()
  // Where the newest backup of all is an old one, nothing is protected by the others.
  if (open.some(({ job }) => job.id === newest?.job.id)) return m.protection_goodTitle2({ span: spanWords(now - (newest?.completeMs ?? now)) })
  const more = open.length > 1 ? m.protection_goodTitle_more({ more: open.length - 1 }) : ''
  const what = first.job.completeMs === undefined ? m.protection_goodTitle_what() : m.protection_goodTitle_what2({ span: spanWords(now - first.job.completeMs) })
  return m.protection_goodTitle3({ name: first.job.config.name, more, what })
}

/** `Last backup 12 minutes ago to Blue Disk; the oldest copy is 14 months old.` */
function lastWords({ newest, oldestMs }: Protection, now: number): string {
  if (!newest) return ''
  const oldest = oldestMs === undefined || oldestMs >= newest.completeMs ? '' : m.protection_last_oldest({ span: spanWords(now - oldestMs) })
  return m.protection_last({ age: agoWords(now - newest.completeMs), place: backupPlace(newest.job), oldest })
}

function beginWords(job: JobView | undefined, now: number): string {
  if (!job) return ''
  if (job.state !== 'idle') return m.protection_begin()
  const next = job.waits ? waitWords(job.waits, now) : ''
  return next === '' ? '' : m.protection_begin_next({ name: job.config.name, next })
}

function pausedSentence({ pausedUntilMs }: Pick<AppState, 'pausedUntilMs'>, now: number): string {
  return m.protection_paused({ part: pausedUntilMs === undefined ? m.protection_paused2() : m.protection_paused3({ end: pauseWords.end(pausedUntilMs, now) }) })
}

/** Title and explanation of what somebody has to know or do. Titles begin with a capital, and end without a full stop. */
export function concernText({ what, job }: Concern, now: number): { readonly title: string; readonly text: string } {
  const name = m.quoted({ name: job.config.name })
  switch (what.type) {
    case 'damaged':
      return { title: m.protection_concern_damaged_title({ part: what.copy ? m.protection_concern_damaged_title2({ name, place: placeName(what.copy.destination) }) : m.protection_concern_damaged_title3({ name }) }), text: m.protection_concern_damaged_text({ files: what.files }) }
    case 'drill':
      return { title: m.protection_concern_drill_title({ part: what.copy ? m.protection_concern_drill_title2({ name, place: placeName(what.copy.destination) }) : m.protection_concern_drill_title3({ name }) }), text: m.protection_concern_drill_text() }
    case 'password':
      return { title: m.protection_concern_password_title({ name }), text: sinceText(job, now) }
    case 'late':
      return { title: lateTitle(name, what.sinceMs, now), text: lateWhy(job, now) }
    case 'failed':
      return { title: failedTitle(name, what.run.outcome === 'partial', job.completeMs, now), text: what.run.error ? `${errorText(what.run.error).title}. ${job.waits?.wait.type === 'retry' ? `${waitWords(job.waits, now)}.` : ''}`.trim() : '' }
    case 'sign-in':
      return { title: m.protection_concern_signIn_title({ name }), text: sinceText(job, now) }
    case 'disk':
      return { title: m.protection_concern_disk_title({ name, disks: diskNames(what.names) }), text: sinceText(job, now) }
    case 'held':
      return { title: m.protection_concern_held_title({ name }), text: m.protection_concern_held_text() }
    case 'care':
      return { title: m.protection_concern_care_title({ part: what.copy ? m.protection_concern_care_title2({ name, place: placeName(what.copy.destination) }) : m.protection_concern_care_title3({ name }) }), text: `${errorText(what.error).title}.` }
    case 'copy':
      return { title: m.protection_concern_copy_title({ name, place: placeName(what.copy.destination) }), text: `${errorText(what.error).title}.` }
    case 'warnings':
      return { title: m.protection_concern_warnings_title({ name, problems: what.run.problems }), text: '' }
    case 'first':
      return { title: m.protection_concern_first_title({ name }), text: '' }
  }
}

function lateTitle(name: string, sinceMs: number | undefined, now: number): string {
  return sinceMs === undefined ? m.protection_lateTitle({ name }) : m.protection_lateTitle2({ span: spanWords(now - sinceMs), name })
}

function lateWhy(job: JobView, now: number): string {
  const { lastRun, waits, signIn } = job
  if (signIn) return `${accountWords.jobWaits(signIn)}.`
  if (lastRun?.error && waits?.wait.type !== 'disk') return `${errorText(lastRun.error).title}.`
  const why = waits ? waitWords(waits, now) : ''
  return why === '' ? '' : `${why}.`
}

function failedTitle(name: string, isPartial: boolean, completeMs: number | undefined, now: number): string {
  const how = isPartial ? m.protection_failedTitle_how() : m.protection_failedTitle_how2()
  return completeMs === undefined ? m.protection_failedTitle({ name, how }) : m.protection_failedTitle2({ span: spanWords(now - completeMs), name, how })
}

function sinceText({ completeMs }: JobView, now: number): string {
  return completeMs === undefined ? m.protection_since() : m.protection_since2({ span: spanWords(now - completeMs) })
}

/** What helps; undefined while the job is at work, and where nothing has to be done. */
export function concernAction({ what, job }: Concern): ConcernAction | undefined {
  const isIdle = job.state === 'idle'
  switch (what.type) {
    case 'password':
      return 'edit'
    case 'late':
      return job.signIn ? 'sign-in' : isIdle ? 'run' : undefined
    case 'first':
      return isIdle ? 'run' : undefined
    case 'failed':
      if (!isIdle) return undefined
      return what.run.error?.retryable === false ? 'show' : 'try-again'
    case 'sign-in':
      return 'sign-in'
    case 'warnings':
      return 'show-run'
    default:
      return 'show'
  }
}

const mounted = /^\/(?:media\/[^/]+|run\/media\/[^/]+|Volumes)\/([^/]+)/

/** Where the backups of a job go: its disk by its own name. */
function backupPlace({ disks = [], config }: JobView): string {
  const disk = disks.find(({ current }) => current)
  return disk ? visibleText(disk.name) : placeName(config.destination)
}

/** A disk by its name, all else as everywhere. */
export function placeName(destination: DestinationView): string {
  const disk = destination.type === 'folder' ? mounted.exec(destination.folder.path)?.[1] : undefined
  return visibleText(disk ?? destinationWords(destination))
}

/** What a chart of added bytes shows, for who cannot see it; empty without any. */
export function trendWords(recent: readonly RecentBackup[]): string {
  const last = recent.at(-1)
  if (!last) return ''
  const most = recent.reduce((highest, { addedBytes }) => Math.max(highest, addedBytes), 0)
  return recent.length === 1 ? m.protection_trend({ addedBytes: formatBytes(last.addedBytes) }) : m.protection_trend2({ count: recent.length, addedBytes: formatBytes(last.addedBytes), most: formatBytes(most) })
}
