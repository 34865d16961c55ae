import * as m from '../../main/text/compiled/messages.js'
import { fateOf, planClasses, planFates, type PlanFate } from '../../main/api/restore-rules.ts'
import type { OverwriteRule, PlannedEntry, PlanTotals } from '../state/bridge.ts'
import { formatBytes, formatCount, formatMoment } from './format.ts'

/** What a restore would meet, and do with it. */
export const planWords = {
  where: m.plan_where(),
  folder: m.plan_folder(),
  original: m.plan_original(),
  originalHint: m.plan_originalHint(),
  title: m.plan_title(),
  looking: (seen: number) => (seen === 0 ? m.plan_looking() : m.plan_looking2({ seen })),
  nothing: m.plan_nothing(),
  fresh: (entries: number, bytes: number) => m.plan_fresh({ entries, bytes: formatBytes(bytes) }),
  newer: (entries: number) => m.plan_newer({ count: entries }),
  list: m.plan_list(),
  some: (shown: number, all: number) => m.plan_some({ shown: formatCount(shown), all: formatCount(all) }),
  again: m.plan_again(),
  failed: m.plan_failed(),
  startUnseen: m.plan_startUnseen(),
  fates: { written: m.plan_fates_written(), left: m.plan_fates_left(), compared: m.plan_fates_compared(), replaced: m.plan_fates_replaced(), kept: m.plan_fates_kept(), beside: m.plan_fates_beside(), refused: m.plan_fates_refused() } satisfies Record<PlanFate, string>,
} as const

const things: Readonly<Record<PlanFate, (entries: number, bytes: string) => string>> = {
  written: (entries, bytes) => m.plan_things_written({ entries, bytes }),
  left: (entries) => m.plan_things_left({ entries }),
  compared: (entries, bytes) => m.plan_things_compared({ entries, bytes }),
  replaced: (entries, bytes) => m.plan_things_replaced({ entries, bytes }),
  kept: (entries) => m.plan_things_kept({ entries }),
  beside: (entries, bytes) => m.plan_things_beside({ entries, bytes }),
  refused: (entries) => m.plan_things_refused({ entries }),
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
    case 'other': return m.plan_comparison_other()
    case 'folder': return m.plan_comparison_folder()
    case 'blocked': return m.plan_comparison_blocked()
    case 'unreadable': return m.plan_comparison_unreadable()
    default: {
      if (!there) return ''
      const backup = `${size === undefined ? '' : `${formatBytes(size)}, `}${formatMoment(mtimeMs, now)}`
      return m.plan_comparison({ size: size === undefined ? '' : `${formatBytes(there.size)}, `, mtime: formatMoment(there.mtimeMs, now), age: of === 'newer' ? m.plan_comparison_newer() : m.plan_comparison_older(), backup })
    }
  }
}
