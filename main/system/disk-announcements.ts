import * as m from '../text/compiled/messages.js'
import { visibleText } from '../../engine/protocol/visible-text.ts'
import { diskNames } from '../api/conditions.ts'
import type { SettingsView } from '../api/contract.ts'
import { agoWords } from '../api/span.ts'
import type { Overdue } from '../runs/overdue.ts'
import type { Announcement } from './announcements.ts'

const mostNamed = 3

export interface SafeDisk {
  readonly disk: string
  readonly jobId: string
  readonly jobName: string
}

/** Somebody who plugged a disk in for its backup waits to take it away again. */
export function announceSafe({ disk, jobId, jobName }: SafeDisk, level: SettingsView['notifications']): Announcement | undefined {
  if (level !== 'all') return undefined
  return { title: m.tell_safe_title({ disk: visibleText(disk) }), body: m.tell_safe_body({ jobName: visibleText(jobName) }), urgent: false, route: { page: 'job', jobId } }
}

/** Asks for the disks that backups wait for. @param overdue at least one, all of them for want of a disk */
export function announceAwayDisks(overdue: readonly Overdue[]): Announcement | undefined {
  const asked = [...new Set(overdue.flatMap(({ wait }) => (wait.type === 'disk' ? [diskNames(wait.names)] : [])))]
  const [first] = overdue
  if (!first) return undefined
  const title = asked.length === 1 ? m.tell_away_title({ asked: asked.join('') }) : m.tell_away_titleMany({ count: asked.length })
  const lines = overdue.slice(0, mostNamed).map(({ name, completeAgoMs }) => `${visibleText(name)}: ${completeAgoMs === undefined ? m.tell_away_never() : m.tell_away_last({ age: agoWords(completeAgoMs) })}.`)
  return { title, body: lines.join(' '), urgent: false, route: overdue.length === 1 ? { page: 'job', jobId: first.jobId } : { page: 'jobs' } }
}
