import { diskNames } from '../../main/api/conditions.ts'
import { agoWords, spanWords } from '../../main/api/span.ts'
import type { Concern, Protection } from '../../main/api/protection.ts'
import { visibleText } from '../../main/api/text.ts'
import type { AppState, DestinationView, JobView, RecentBackup } from '../state/bridge.ts'
import { accountWords } from './account-words.ts'
import { errorText } from './errors.ts'
import { formatBytes, formatThings } from './format.ts'
import { pauseWords } from './pause.ts'
import { waitWords } from './status.ts'
import { destinationWords } from './words.ts'

/** How safe the files are. */
export const protectionWords = {
  attention: 'Needs attention',
  leave: 'Leave it so',
  leaveLabel: 'Do not tell of backups that do not come',
  actions: {
    run: 'Back up now',
    'try-again': 'Try again',
    show: 'Show',
    'show-run': 'Show which',
    edit: 'Enter it…',
    'sign-in': accountWords.again,
  } satisfies Record<ConcernAction, string>,
  actionLabel: (action: string, name: string) => `${action}: ${name}`,
  size: (bytes: number) => formatBytes(bytes),
  sizeTitle: 'In the last backup',
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
      return { tone: 'neutral', title: 'Nothing is backed up yet', text: text(beginWords(worst?.job, now)), ...(worst && { concern: worst }) }
    case 'bad':
    case 'warn': {
      if (!worst) break
      const { title, text: why } = concernText(worst, now)
      return { tone: protection.level, title: protection.allProtected ? `Protected, but ${uncapital(title)}` : title, text: text(why, protection.allProtected ? lastWords(protection, now) : ''), concern: worst }
    }
    case 'good':
  }
  const open = protection.concerns.filter(({ severity }) => severity === 'note')
  return { tone: open.length > 0 ? 'neutral' : 'good', title: goodTitle(protection, open, now), text: text(lastWords(protection, now), ...(open[0]?.what.type === 'disk' ? [`${concernText(open[0], now).title}.`] : [])), ...(open[0] && { concern: open[0] }) }
}

function goodTitle({ newest }: Protection, open: readonly Concern[], now: number): string {
  const [first] = open
  if (!first) return 'Protected'
  // Where the newest backup of all is an old one, nothing is protected by the others.
  if (open.some(({ job }) => job.id === newest?.job.id)) return `No backup for ${spanWords(now - (newest?.completeMs ?? now))}`
  const more = open.length > 1 ? ` and ${formatThings(open.length - 1, 'other', 'others')}` : ''
  const what = first.job.completeMs === undefined ? 'never backed up so far' : `not backed up for ${spanWords(now - first.job.completeMs)}`
  return `Protected, except for “${first.job.config.name}”${more}: ${what}`
}

/** `Last backup 12 minutes ago to Blue Disk; the oldest copy is 14 months old.` */
function lastWords({ newest, oldestMs }: Protection, now: number): string {
  if (!newest) return ''
  const oldest = oldestMs === undefined || oldestMs >= newest.completeMs ? '' : `; the oldest copy is ${spanWords(now - oldestMs)} old`
  return `Last backup ${agoWords(now - newest.completeMs)} to ${placeName(newest.job.config.destination)}${oldest}.`
}

function beginWords(job: JobView | undefined, now: number): string {
  if (!job) return ''
  if (job.state !== 'idle') return 'The first backup is under way.'
  const next = job.waits ? waitWords(job.waits, now) : ''
  return next === '' ? '' : `“${job.config.name}”: ${next}.`
}

function pausedSentence({ pausedUntilMs }: Pick<AppState, 'pausedUntilMs'>, now: number): string {
  return `No backup starts by itself ${pausedUntilMs === undefined ? 'until you resume' : `before ${pauseWords.end(pausedUntilMs, now)}`}.`
}

/** Title and explanation of what somebody has to know or do. Titles begin with a capital, and end without a full stop. */
export function concernText({ what, job }: Concern, now: number): { readonly title: string; readonly text: string } {
  const name = `“${job.config.name}”`
  switch (what.type) {
    case 'damaged':
      return { title: `The ${what.copy ? `copy of ${name} at ${placeName(what.copy.destination)}` : `backup of ${name}`} is damaged`, text: `${formatThings(what.files, 'file of it cannot', 'files of it cannot')} be restored whole.` }
    case 'drill':
      return { title: `A test restore ${what.copy ? `from the copy of ${name} at ${placeName(what.copy.destination)}` : `of ${name}`} failed`, text: 'Some files did not come back as they were.' }
    case 'password':
      return { title: `${name} cannot be backed up: its password is not kept here`, text: sinceText(job, now) }
    case 'late':
      return { title: lateTitle(name, what.sinceMs, now), text: lateWhy(job, now) }
    case 'failed':
      return { title: failedTitle(name, what.run.outcome === 'partial', job.completeMs, now), text: what.run.error ? `${errorText(what.run.error).title}. ${job.waits?.wait.type === 'retry' ? `${waitWords(job.waits, now)}.` : ''}`.trim() : '' }
    case 'sign-in':
      return { title: `${name} waits until you sign in`, text: sinceText(job, now) }
    case 'disk':
      return { title: `${name} waits for the disk ${diskNames(what.names)}`, text: sinceText(job, now) }
    case 'held':
      return { title: `An unusual change in ${name} wants a look`, text: 'Nothing older is let go until you say that it is fine.' }
    case 'care':
      return { title: `The ${what.copy ? `copy of ${name} at ${placeName(what.copy.destination)}` : `backup of ${name}`} could not be looked after`, text: `${errorText(what.error).title}.` }
    case 'copy':
      return { title: `${name} could not be copied to ${placeName(what.copy.destination)}`, text: `${errorText(what.error).title}.` }
    case 'warnings':
      return { title: `The last backup of ${name} had ${formatThings(what.run.problems, 'warning', 'warnings')}`, text: '' }
    case 'first':
      return { title: `${name} was never backed up so far`, text: '' }
  }
}

function lateTitle(name: string, sinceMs: number | undefined, now: number): string {
  return sinceMs === undefined ? `Not protected: ${name} was never backed up` : `Not protected for ${spanWords(now - sinceMs)}: no backup of ${name} came`
}

function lateWhy(job: JobView, now: number): string {
  const { lastRun, waits, signIn } = job
  if (signIn) return `${accountWords.jobWaits(signIn)}.`
  if (lastRun?.error && waits?.wait.type !== 'disk') return `${errorText(lastRun.error).title}.`
  const why = waits ? waitWords(waits, now) : ''
  return why === '' ? '' : `${why}.`
}

function failedTitle(name: string, isPartial: boolean, completeMs: number | undefined, now: number): string {
  const how = isPartial ? 'was not finished' : 'failed'
  return completeMs === undefined ? `Not protected: the first backup of ${name} ${how}` : `Not protected for ${spanWords(now - completeMs)}: the last backup of ${name} ${how}`
}

function sinceText({ completeMs }: JobView, now: number): string {
  return completeMs === undefined ? 'It was never backed up so far.' : `What has changed in the last ${spanWords(now - completeMs)} is not backed up.`
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
  return recent.length === 1 ? `Added: ${formatBytes(last.addedBytes)}` : `Added by the last ${recent.length} backups: ${formatBytes(last.addedBytes)} by the newest, ${formatBytes(most)} at most`
}

function uncapital(title: string): string {
  return /^[A-Z][a-z ]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title
}
