import { fateOf, planClasses, planFates, type PlanFate } from '../../main/api/restore-rules.ts'
import type { OverwriteRule, PlannedEntry, PlanTotals } from '../state/bridge.ts'
import { formatBytes, formatCount, formatMoment, formatThings } from './format.ts'

/** What a restore would meet, and do with it. */
export const planWords = {
  title: 'What is there already',
  looking: (seen: number) => (seen === 0 ? 'Looking at what is there already…' : `Looking at what is there already… ${formatThings(seen, 'file', 'files')} so far`),
  nothing: 'There is nothing to restore.',
  fresh: (entries: number, bytes: number) => `Nothing of it is there yet. ${formatThings(entries, 'file', 'files')} (${formatBytes(bytes)}) will be written, and nothing will be replaced.`,
  newer: (entries: number) => `${formatCount(entries)} of them ${entries === 1 ? 'is' : 'are'} newer than the backup.`,
  list: 'What is there and differs from the backup',
  some: (shown: number, all: number) => `The first ${formatCount(shown)} of ${formatCount(all)} are listed. “holdfast restore --dry-run” lists all.`,
  again: 'Look again',
  failed: 'What is there already could not be looked at.',
  startUnseen: 'Start without waiting',
  fates: { written: 'Written', left: 'Left as it is', compared: 'Compared', replaced: 'Replaced', kept: 'Kept', beside: 'Restored beside it', refused: 'Not restored' } satisfies Record<PlanFate, string>,
} as const

const things: Readonly<Record<PlanFate, (entries: number, bytes: string) => string>> = {
  written: (entries, bytes) => `${formatThings(entries, 'file is', 'files are')} not there yet and will be written (${bytes}).`,
  left: (entries) => `${formatThings(entries, 'file is', 'files are')} the same already and will be left.`,
  compared: (entries, bytes) => `${formatThings(entries, 'file seems', 'files seem')} the same; every byte will be compared (${bytes}).`,
  replaced: (entries, bytes) => `${formatThings(entries, 'file', 'files')} will be replaced (${bytes}).`,
  kept: (entries) => `${formatThings(entries, 'file', 'files')} will be kept as ${entries === 1 ? 'it is' : 'they are'} there.`,
  beside: (entries, bytes) => `${formatThings(entries, 'file', 'files')} will be restored beside what is there, with the date in the name (${bytes}).`,
  refused: (entries) => `${formatThings(entries, 'item', 'items')} cannot be restored, because something else is in the way.`,
}

/** The order in which it matters to a person. */
const order = ['replaced', 'beside', 'refused', 'kept', 'written', 'left', 'compared'] as const satisfies readonly PlanFate[]

export interface PlanLine {
  readonly fate: PlanFate
  readonly text: string
}

/** A sentence for each thing that would happen; of one alone that is new, that nothing is there. */
export function planLines(totals: PlanTotals, rule: OverwriteRule): readonly PlanLine[] {
  const sums = new Map(planFates.map((fate) => [fate, { entries: 0, bytes: 0 }]))
  for (const of of planClasses) {
    const sum = sums.get(fateOf(rule, of))
    if (!sum) continue
    sum.entries += totals[of].entries
    sum.bytes += totals[of].bytes
  }
  const there = order.filter((fate) => (sums.get(fate)?.entries ?? 0) > 0)
  const written = sums.get('written') ?? { entries: 0, bytes: 0 }
  if (there.length === 0) return [{ fate: 'left', text: planWords.nothing }]
  if (there.length === 1 && there[0] === 'written') return [{ fate: 'written', text: planWords.fresh(written.entries, written.bytes) }]
  return there.map((fate) => {
    const { entries, bytes } = sums.get(fate) ?? written
    const newer = fate === 'replaced' && totals.newer.entries > 0 && fateOf(rule, 'newer') === 'replaced' ? ` ${planWords.newer(totals.newer.entries)}` : ''
    return { fate, text: `${things[fate](entries, formatBytes(bytes))}${newer}` }
  })
}

/** How many entries were looked at. */
export function lookedAt(totals: PlanTotals): number {
  return planClasses.reduce((sum, of) => sum + totals[of].entries, 0)
}

/** Entries that are listed, were there room. */
export function listable(totals: PlanTotals): number {
  return lookedAt(totals) - totals.new.entries - totals.same.entries - totals.below.entries
}

/** What is there, beside what is in the backup. */
export function comparison({ of, size, mtimeMs, there }: PlannedEntry, now: number): string {
  switch (of) {
    case 'other': return 'Something of another kind is there.'
    case 'folder': return 'A folder is there.'
    case 'blocked': return 'No folder is there, though one belongs there.'
    case 'unreadable': return 'The folder cannot be read.'
    default: {
      if (!there) return ''
      const backup = `${size === undefined ? '' : `${formatBytes(size)}, `}${formatMoment(mtimeMs, now)}`
      return `There: ${size === undefined ? '' : `${formatBytes(there.size)}, `}${formatMoment(there.mtimeMs, now)} (${of === 'newer' ? 'newer' : 'older'}). In the backup: ${backup}.`
    }
  }
}
