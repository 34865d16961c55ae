import type { LateBackup, RestoreView, Route, RunView, SettingsView, UnusualReason } from '../api/contract.ts'
import { awaitedCondition } from '../api/conditions.ts'
import { careTrouble, copyTrouble } from '../api/protection.ts'
import { serviceName, signInKinds } from '../../engine/accounts/services.ts'
import { shownBytes } from '../../engine/protocol/shown-bytes.ts'
import { visibleText } from '../../engine/protocol/visible-text.ts'
import type { Overdue } from '../runs/overdue.ts'
import { announceAwayDisks } from './disk-announcements.ts'
import { assertNever } from './never.ts'

/** A notification before it is shown. */
export interface Announcement {
  readonly title: string
  readonly body: string
  readonly urgent: boolean
  /** Where a click leads. */
  readonly route: Route
}

/** What the user hears of a backup that has ended: failures and warnings, and the first success ever. Pure. */
export function announceRun(run: RunView, jobName: string, level: SettingsView['notifications'], firstSuccessShown: boolean): Announcement | undefined {
  const route: Route = { page: 'job', jobId: run.jobId, runId: run.id }
  switch (run.outcome) {
    case 'success':
    case 'unchanged':
      if (level !== 'all' || firstSuccessShown) return undefined
      return { title: 'Your first backup is complete', body: `${visibleText(jobName)} is safe. From now on Holdfast works quietly and speaks up only when something needs you.`, urgent: false, route }
    case 'warnings':
      if (level === 'none') return undefined
      if (run.unusual && run.unusual.length > 0) return unusualAnnouncement(run.unusual, jobName, route)
      return { title: `${visibleText(jobName)}: backed up with ${counted(run.problems, 'warning')}`, body: 'Some files are not in the backup. Click to see which.', urgent: false, route }
    case 'partial':
    case 'failed':
      if (level === 'none') return undefined
      if (run.error?.data?.['signIn'] === true) return signInAnnouncement(run.error.data['service'], jobName, route)
      return { title: `${visibleText(jobName)}: backup failed`, body: failureText(run), urgent: true, route }
    case 'stopped':
      return undefined
    default:
      return assertNever(run.outcome)
  }
}

/** What may be an attack, or only a large change: a person knows. */
function unusualAnnouncement(reasons: readonly UnusualReason[], jobName: string, route: Route): Announcement {
  const isAttack = reasons.some(({ code }) => code === 'scrambled' || code === 'random')
  const what = isAttack ? 'Very many files look encrypted that did not before.'
    : reasons.every(({ code }) => code === 'source-changed') ? 'A folder is suddenly empty, or on another disk.'
      : 'Very many files are gone or different.'
  return { title: `${visibleText(jobName)}: an unusual change`, body: `${what} Older backups are kept until you have said that it is fine.`, urgent: true, route }
}

/** It is no trouble, so only who hears of everything hears of it; the window asks in any case. */
export function announcePassword(jobName: string, level: SettingsView['notifications']): Announcement | undefined {
  if (level !== 'all') return undefined
  return { title: 'Do you still know the password?', body: `Without it nobody can restore ${visibleText(jobName)} once this computer is gone. Click to try it.`, urgent: false, route: { page: 'jobs' } }
}

/** Backups that their own conditions keep from running, in any case but by hand, or disks that are away. */
export function announceOverdue(overdue: readonly Overdue[], level: SettingsView['notifications']): Announcement | undefined {
  const [first] = overdue
  if (level === 'none' || !first) return undefined
  if (overdue.every(({ wait }) => wait.type === 'disk')) return announceAwayDisks(overdue)
  const title = overdue.length === 1 ? `${visibleText(first.name)} waits for ${awaitedCondition(first.wait)}` : `${overdue.length} backups wait for their conditions`
  const route: Route = overdue.length === 1 ? { page: 'job', jobId: first.jobId } : { page: 'jobs' }
  return { title, body: 'It has been due for more than a day. Click to back up now all the same.', urgent: false, route }
}

const mostNamed = 3

/** Backups that have not come for too long, in one notification. */
export function announceLate(late: readonly LateBackup[], level: SettingsView['notifications']): Announcement | undefined {
  const [first] = late
  if (level === 'none' || !first) return undefined
  const named = late.slice(0, mostNamed).map((one) => `${lateName(one)}: ${counted(one.days, 'day')}`)
  const title = late.length === 1 ? `${lateName(first)}: no backup for ${counted(first.days, 'day')}` : `${late.length} backups have not come for long`
  const more = late.length > mostNamed ? `, and ${late.length - mostNamed} more` : ''
  return { title, body: late.length === 1 ? 'Click to see why.' : `${named.join(', ')}${more}.`, urgent: true, route: { page: 'jobs' } }
}

function lateName({ job, host }: LateBackup): string {
  return host === undefined ? visibleText(job) : `${visibleText(job)} on ${visibleText(host)}`
}

/** The job has not failed for good: it waits, and goes on by itself. */
function signInAnnouncement(service: unknown, jobName: string, route: Route): Announcement {
  const named = signInKinds.find((kind) => kind === service)
  const title = named === undefined ? 'Sign in again' : `Sign in to ${serviceName(named)} again`
  return { title, body: `${visibleText(jobName)} waits until you have. Click to do that.`, urgent: true, route }
}

/**
 * Of care, which nobody asked for, only what somebody has to do something about is told, and only once as long as it stays the same.
 * @param before the care before it
 */
export function announceCare(run: RunView, before: RunView | undefined, of: { readonly name: string } | { readonly copyOf: string }, level: SettingsView['notifications']): Announcement | undefined {
  const trouble = careTrouble(run)
  if (level === 'none' || trouble === undefined || trouble === careTrouble(before)) return undefined
  const name = 'name' in of ? visibleText(of.name) : `Copy of ${visibleText(of.copyOf)}`
  const route: Route = { page: 'job', jobId: run.jobId }
  switch (trouble) {
    case 'damaged':
      return { title: `${name}: its backup is damaged`, body: `${counted(run.care?.affectedCount ?? 0, 'file')} of it cannot be restored whole. Click for details.`, urgent: true, route }
    case 'drill':
      return { title: `${name}: a restore that was tried has failed`, body: 'Some files of its backup did not come back as they were. Click for details.', urgent: true, route }
    default:
      return { title: `${name}: it could not be looked after`, body: failureText(run), urgent: true, route }
  }
}

/**
 * Of copies, too, only what somebody has to do something about, once as long as it stays the same. A place that is away is no news: it is copied to when it is back.
 * @param before the sync before it
 */
export function announceCopy(run: RunView, before: RunView | undefined, jobName: string, level: SettingsView['notifications']): Announcement | undefined {
  const trouble = copyTrouble(run)
  if (level === 'none' || trouble === undefined || trouble === before?.error?.code) return undefined
  return { title: `${visibleText(jobName)}: its backup could not be copied`, body: failureText(run), urgent: true, route: { page: 'job', jobId: run.jobId } }
}

/** A restore is always announced unless notifications are off: somebody waits for it. */
export function announceRestore(restore: RestoreView, level: SettingsView['notifications']): Announcement | undefined {
  const outcome = restore.result?.outcome
  if (level === 'none' || outcome === undefined || outcome === 'stopped') return undefined
  const route: Route = { page: 'restore', restoreId: restore.id }
  const failed = outcome === 'failed' || outcome === 'partial'
  if (failed) return { title: 'Restore failed', body: restore.result ? failureText(restore.result) : '', urgent: true, route }
  const warned = outcome === 'warnings' ? ` with ${counted(restore.result?.problems ?? 0, 'warning')}` : ''
  return { title: `Restore complete${warned}`, body: `The files are in ${visibleText(restore.target)}.`, urgent: false, route }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function fullText(error: RunView['error']): string {
  const missing = error?.data?.['missingBytes']
  return typeof missing === 'number' ? `There is too little space: about ${shownBytes(missing)} more are needed.` : 'There is no space left.'
}

/** One sentence for the few causes that a user can do something about; all else is told in the window. */
function failureText(run: RunView): string {
  switch (run.error?.code) {
    case 'offline':
    case 'unavailable':
      if (run.error.data?.['reason'] === 'folder') return 'The disk of the backup is not there. The backup goes on where it stopped as soon as it is back.'
      return 'The storage cannot be reached. The next run continues where this one stopped.'
    case 'credentials':
    case 'denied':
      return 'The storage refused access. Click to check its settings.'
    case 'password':
      return 'The password does not open the repository.'
    case 'full':
      return fullText(run.error)
    case 'source-missing':
      return 'A source folder is missing.'
    case 'crashed':
      return 'The backup broke off several times. Click for details.'
    default:
      return 'Click for details.'
  }
}
