import * as m from '../../main/text/compiled/messages.js'
import { visibleText } from '../../main/api/text.ts'
import type { LateBackup, OtherHold, SpaceOutlook, UnusualReason } from '../state/bridge.ts'
import { formatBytes, formatCount, formatMoment } from './format.ts'

/** What is unusual about a backup, in whole sentences. */
export function unusualWords(reasons: readonly UnusualReason[]): string {
  return [...new Set(reasons.map(reasonWords))].join(' ')
}

function reasonWords({ code, files, of }: UnusualReason): string {
  const share = m.unusual_reason_share({ min: formatCount(Math.min(files, of)), of })
  switch (code) {
    case 'scrambled':
      return m.unusual_reason_scrambled({ share })
    case 'random':
      return m.unusual_reason_random({ share })
    case 'removed':
      return m.unusual_reason_removed({ share })
    case 'rewritten':
      return m.unusual_reason_rewritten({ share })
    case 'source-changed':
      return files === 1 ? m.unusual_reason_sourceChanged() : m.unusual_reason_sourceChanged2({ files: formatCount(files) })
  }
}

/** A hold of another computer's job, which one sees here since both go to one place: who, what, since when, and what it keeps from happening. */
export function otherHoldWords({ job, host, since, sinceMs, reasons }: OtherHold, now: number): { readonly title: string; readonly text: string; readonly fine: string; readonly released: string } {
  const [name, computer, snapshot] = [visibleText(job), visibleText(host), visibleText(since)]
  const moment = sinceMs === undefined ? snapshot : `${snapshot} (${formatMoment(sinceMs, now)})`
  return {
    title: m.unusual_otherHold_title({ name, computer }),
    text: m.unusual_otherHold_text({ unusual: unusualWords(reasons), moment }),
    fine: m.unusual_otherHold_fine({ name, computer }),
    released: m.unusual_otherHold_released({ name, computer }),
  }
}

const dayMs = 24 * 3_600_000
/** Later than that, nobody has to do anything yet. */
const soonDays = 30

/** What the destination has left, and when it will be full where that can be told. `soon`: within a month. */
export function spaceWords({ freeBytes, fullMs }: SpaceOutlook, now: number): { readonly text: string; readonly soon: boolean } {
  const left = m.unusual_space_left({ freeBytes: formatBytes(freeBytes) })
  if (fullMs === undefined) return { text: left, soon: false }
  const days = Math.max(0, Math.round((fullMs - now) / dayMs))
  return { text: days === 0 ? m.unusual_space_text({ left }) : m.unusual_space_text2({ left, days }), soon: days <= soonDays }
}

const mostLate = 5

/** Which backups have not come for how long. */
export function lateWords(late: readonly LateBackup[]): string {
  const named = late.slice(0, mostLate).map(({ job, host, days }) => `${visibleText(host === undefined ? job : m.unusual_late_named({ job, host }))}: ${m.unusual_late_named2({ days })}`)
  return `${named.join('; ')}${late.length > mostLate ? m.unusual_late({ more: late.length - mostLate }) : ''}.`
}
