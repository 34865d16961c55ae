import { visibleText } from '../../main/api/text.ts'
import type { LateBackup, SpaceOutlook, UnusualReason } from '../state/bridge.ts'
import { formatBytes, formatCount, formatThings } from './format.ts'

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
