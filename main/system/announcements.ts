import * as m from '../text/compiled/messages.js'
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
      return { title: m.tell_run_success_title(), body: m.tell_run_success_body({ jobName: visibleText(jobName) }), urgent: false, route }
    case 'warnings':
      if (level === 'none') return undefined
      if (run.unusual && run.unusual.length > 0) return unusualAnnouncement(run.unusual, jobName, route)
      return { title: m.tell_run_warnings_title({ jobName: visibleText(jobName), problems: run.problems }), body: m.tell_run_warnings_body(), urgent: false, route }
    case 'partial':
    case 'failed':
      if (level === 'none') return undefined
      if (run.error?.data?.['signIn'] === true) return signInAnnouncement(run.error.data['service'], jobName, route)
      return { title: m.tell_run_failed_title({ jobName: visibleText(jobName) }), body: failureText(run), urgent: true, route }
    case 'stopped':
      return undefined
    default:
      return assertNever(run.outcome)
  }
}

/** What may be an attack, or only a large change: a person knows. */
function unusualAnnouncement(reasons: readonly UnusualReason[], jobName: string, route: Route): Announcement {
  const isAttack = reasons.some(({ code }) => code === 'scrambled' || code === 'random')
  const what = isAttack ? m.tell_unusual_what()
    : reasons.every(({ code }) => code === 'source-changed') ? m.tell_unusual_what2()
      : m.tell_unusual_what3()
  return { title: m.tell_unusual_title({ jobName: visibleText(jobName) }), body: m.tell_unusual_body({ what }), urgent: true, route }
}

/** It is no trouble, so only who hears of everything hears of it; the window asks in any case. */
export function announcePassword(jobName: string, level: SettingsView['notifications']): Announcement | undefined {
  if (level !== 'all') return undefined
  return { title: m.tell_password_title(), body: m.tell_password_body({ jobName: visibleText(jobName) }), urgent: false, route: { page: 'jobs' } }
}

/** Backups that their own conditions keep from running, in any case but by hand, or disks that are away. */
export function announceOverdue(overdue: readonly Overdue[], level: SettingsView['notifications']): Announcement | undefined {
  const [first] = overdue
  if (level === 'none' || !first) return undefined
  if (overdue.every(({ wait }) => wait.type === 'disk')) return announceAwayDisks(overdue)
  const title = overdue.length === 1 ? m.tell_overdue_title({ name: visibleText(first.name), awaited: awaitedCondition(first.wait) ?? '' }) : m.tell_overdue_title2({ count: overdue.length })
  const route: Route = overdue.length === 1 ? { page: 'job', jobId: first.jobId } : { page: 'jobs' }
  return { title, body: m.tell_overdue_body(), urgent: false, route }
}

const mostNamed = 3

/** Backups that have not come for too long, in one notification. */
export function announceLate(late: readonly LateBackup[], level: SettingsView['notifications']): Announcement | undefined {
  const [first] = late
  if (level === 'none' || !first) return undefined
  const named = late.slice(0, mostNamed).map((one) => `${lateName(one)}: ${m.tell_late_named({ days: one.days })}`)
  const title = late.length === 1 ? m.tell_late_title({ late: lateName(first), days: first.days }) : m.tell_late_title2({ count: late.length })
  const more = late.length > mostNamed ? m.tell_late_more({ more: late.length - mostNamed }) : ''
  return { title, body: late.length === 1 ? m.tell_late_body() : `${named.join(', ')}${more}.`, urgent: true, route: { page: 'jobs' } }
}

function lateName({ job, host }: LateBackup): string {
  return host === undefined ? visibleText(job) : m.tell_lateName({ job: visibleText(job), host: visibleText(host) })
}

/** The job has not failed for good: it waits, and goes on by itself. */
function signInAnnouncement(service: unknown, jobName: string, route: Route): Announcement {
  const named = signInKinds.find((kind) => kind === service)
  const title = named === undefined ? m.tell_signIn_title() : m.tell_signIn_title2({ service: serviceName(named) })
  return { title, body: m.tell_signIn_body({ jobName: visibleText(jobName) }), urgent: true, route }
}

/**
 * Of care, which nobody asked for, only what somebody has to do something about is told, and only once as long as it stays the same.
 * @param before the care before it
 */
export function announceCare(run: RunView, before: RunView | undefined, of: { readonly name: string } | { readonly copyOf: string }, level: SettingsView['notifications']): Announcement | undefined {
  const trouble = careTrouble(run)
  if (level === 'none' || trouble === undefined || trouble === careTrouble(before)) return undefined
  const name = 'name' in of ? visibleText(of.name) : m.tell_care_name({ copyOf: visibleText(of.copyOf) })
  const route: Route = { page: 'job', jobId: run.jobId }
  switch (trouble) {
    case 'damaged':
      return { title: m.tell_care_damaged_title({ name }), body: m.tell_care_damaged_body({ affectedCount: run.care?.affectedCount ?? 0 }), urgent: true, route }
    case 'drill':
      return { title: m.tell_care_drill_title({ name }), body: m.tell_care_drill_body(), urgent: true, route }
    default:
      return { title: m.tell_care_title({ name }), body: failureText(run), urgent: true, route }
  }
}

/**
 * Of copies, too, only what somebody has to do something about, once as long as it stays the same. A place that is away is no news: it is copied to when it is back.
 * @param before the sync before it
 */
export function announceCopy(run: RunView, before: RunView | undefined, jobName: string, level: SettingsView['notifications']): Announcement | undefined {
  const trouble = copyTrouble(run)
  if (level === 'none' || trouble === undefined || trouble === before?.error?.code) return undefined
  return { title: m.tell_copy_title({ jobName: visibleText(jobName) }), body: failureText(run), urgent: true, route: { page: 'job', jobId: run.jobId } }
}

/** A restore is always announced unless notifications are off: somebody waits for it. */
export function announceRestore(restore: RestoreView, level: SettingsView['notifications']): Announcement | undefined {
  const outcome = restore.result?.outcome
  if (level === 'none' || outcome === undefined || outcome === 'stopped') return undefined
  const route: Route = { page: 'restore', restoreId: restore.id }
  const failed = outcome === 'failed' || outcome === 'partial'
  if (failed) return { title: m.tell_restore_title(), body: restore.result ? failureText(restore.result) : '', urgent: true, route }
  const warned = outcome === 'warnings' ? m.tell_restore_warned({ problems: restore.result?.problems ?? 0 }) : ''
  return { title: m.tell_restore_title2({ warned }), body: restore.target === undefined ? m.tell_restore_originals() : m.tell_restore_body({ target: visibleText(restore.target) }), urgent: false, route }
}

function fullText(error: RunView['error']): string {
  const missing = error?.data?.['missingBytes']
  return typeof missing === 'number' ? m.tell_full({ missing: shownBytes(missing) }) : m.tell_full2()
}

/** One sentence for the few causes that a user can do something about; all else is told in the window. */
function failureText(run: RunView): string {
  switch (run.error?.code) {
    case 'offline':
    case 'unavailable':
      if (run.error.data?.['reason'] === 'folder') return m.tell_failure_folder()
      return m.tell_failure_unavailable()
    case 'credentials':
    case 'denied':
      return m.tell_failure_denied()
    case 'password':
      return m.tell_failure_password()
    case 'full':
      return fullText(run.error)
    case 'source-missing':
      return m.tell_failure_sourceMissing()
    case 'crashed':
      return m.tell_failure_crashed()
    default:
      return m.tell_failure()
  }
}
