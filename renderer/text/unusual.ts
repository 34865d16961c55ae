import { visibleText } from '../../main/api/text.ts'
import type { LateBackup, OtherHold, SpaceOutlook, UnusualReason } from '../state/bridge.ts'
import { formatBytes, formatCount, formatMoment, formatThings } from './format.ts'

/** What is unusual about a backup, in whole sentences. */
export function unusualWords(reasons: readonly UnusualReason[]): string {
  return [...new Set(reasons.map(reasonWords))].join(' ')
}

function reasonWords({ code, files, of }: UnusualReason): string {
  const share = `${formatCount(Math.min(files, of))} of ${formatThings(of, 'file', 'files')}`
  switch (code) {
    case 'scrambled':
      return `As many as ${share} look encrypted now and did not before.`
    case 'random':
      return `As many as ${share} were replaced by what looks encrypted.`
    case 'removed':
      return `As many as ${share} are gone.`
    case 'rewritten':
      return `As many as ${share} have another content than before.`
    case 'source-changed':
      return files === 1 ? 'A folder is suddenly empty or on another disk.' : `${formatCount(files)} folders are suddenly empty or on another disk.`
  }
}

/** A hold of another computer's job, which one sees here since both go to one place: who, what, since when, and what it keeps from happening. */
export function otherHoldWords({ job, host, since, sinceMs, reasons }: OtherHold, now: number): { readonly title: string; readonly text: string; readonly fine: string; readonly released: string } {
  const [name, computer, snapshot] = [visibleText(job), visibleText(host), visibleText(since)]
  const moment = sinceMs === undefined ? snapshot : `${snapshot} (${formatMoment(sinceMs, now)})`
  return {
    title: `An unusual change on another computer: “${name}” on ${computer}`,
    text: `${unusualWords(reasons)} Since ${moment} nothing older of it is let go, and no space is freed at the destination. Ask whoever works there, and look at its files first; if all is as it should be, say so.`,
    fine: `“${name}” on ${computer} is fine…`,
    released: `“${name}” on ${computer} is no longer held`,
  }
}

const dayMs = 24 * 3_600_000
/** Later than that, nobody has to do anything yet. */
const soonDays = 30

/** What the destination has left, and when it will be full where that can be told. `soon`: within a month. */
export function spaceWords({ freeBytes, fullMs }: SpaceOutlook, now: number): { readonly text: string; readonly soon: boolean } {
  const left = `${formatBytes(freeBytes)} left at the destination`
  if (fullMs === undefined) return { text: left, soon: false }
  const days = Math.max(0, Math.round((fullMs - now) / dayMs))
  return { text: days === 0 ? `${left}; it is as good as full` : `${left}; at this rate full in about ${formatThings(days, 'day', 'days')}`, soon: days <= soonDays }
}

const mostLate = 5

/** Which backups have not come for how long. */
export function lateWords(late: readonly LateBackup[]): string {
  const named = late.slice(0, mostLate).map(({ job, host, days }) => `${visibleText(host === undefined ? job : `${job} on ${host}`)}: ${formatThings(days, 'day', 'days')}`)
  return `${named.join('; ')}${late.length > mostLate ? `; and ${late.length - mostLate} more` : ''}.`
}
