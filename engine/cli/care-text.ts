import { parseCareDetails, type CareDetails } from '../protocol/care.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { formatBytes, formatPlural, formatTime } from './format.ts'
import { heldLine } from './held-text.ts'

/** What care did, in one line, and what it found. */
export function careLines(summary: RunSummary): string[] {
  const details = parseCareDetails(summary.details)
  if (!details) return []
  return [
    `  ${careLine(details)}`,
    ...(details.held ?? []).map((each) => heldLine(each)),
    ...(details.affectedCount > 0 ? [`  ${formatPlural(details.affectedCount, 'path')} cannot be restored whole: run a check`] : []),
    ...(details.drill === 'failed' ? ['  the restore drill FAILED: files could not be restored as they were stored: run a check'] : []),
    ...(details.left.bytes <= 0 || details.left.ms <= 0 ? ['  the budget of this day is used up; the next days go on'] : []),
  ]
}

function careLine(details: CareDetails): string {
  const { forgotten, prune, deletedPacks, freedBytes, structure, snapshots, verifiedPacks, verifiedBytes } = details
  return [
    `${formatPlural(forgotten.length, 'snapshot')} forgotten`,
    prune === 'done' ? `${formatPlural(deletedPacks, 'pack')} removed, ${formatBytes(freedBytes)} freed` : `prune ${pruneWords[prune]}`,
    structure === 'done' ? `${formatPlural(snapshots, 'snapshot')} checked` : `check ${structure === 'no budget' ? 'put off' : 'not due'}`,
    drillWords(details),
    `${formatPlural(verifiedPacks, 'pack')} (${formatBytes(verifiedBytes)}) read back`,
    oldestWords(details),
  ].join(' · ')
}

const pruneWords = { 'not due': 'not due', 'no budget': 'put off', waiting: 'waits for a backup', held: 'held back', failed: 'failed' } as const

function drillWords({ drill, drilledFiles, drilledBytes }: CareDetails): string {
  switch (drill) {
    case 'not due': return 'drill not due'
    case 'no budget': return 'drill put off'
    case 'no room': return 'no room for a drill'
    case 'nothing': return 'nothing to restore'
    default: return `${formatPlural(drilledFiles, 'file')} (${formatBytes(drilledBytes)}) restored and compared`
  }
}

/** Which packs were not read back for how long. */
export function oldestWords({ packs, unreadPacks, oldestVerifiedMs }: Pick<CareDetails, 'packs' | 'unreadPacks' | 'oldestVerifiedMs'>): string {
  if (packs === 0) return 'no packs'
  if (unreadPacks > 0 || oldestVerifiedMs === undefined) return `${String(unreadPacks)} of ${formatPlural(packs, 'pack')} not read back yet`
  return `oldest pack not read since ${formatTime(oldestVerifiedMs)}`
}
