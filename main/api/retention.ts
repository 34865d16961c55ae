import type { Retention } from './views.ts'

const dayMs = 24 * 3_600_000

/** Rules by number, in the order in which they are shown. */
export const retentionRules = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const satisfies readonly (keyof Retention)[]

/** For new jobs: all of the last two days, and then ever more thinly for ten years. */
export const defaultRetention: Retention = { withinMs: 2 * dayMs, daily: 30, weekly: 12, monthly: 24, yearly: 10 }

/** Highest number of a rule. */
export const mostKept = 9999
/** Longest time within which all stay, in days. */
export const mostKeptDays = 36_500

/** All that keep something; the size budget is none: it only takes away. */
const keeping = [...retentionRules, 'withinMs'] as const

/** Whether nothing is ever removed: no rule and no budget, or nobody has chosen yet. */
export function keepsAll(retention: Retention | undefined): boolean {
  return retention === undefined || (retention.budgetBytes === undefined && hasNoRule(retention))
}

/** Whether a change may let snapshots go that stayed before. */
export function keepsFewer(before: Retention | undefined, after: Retention | undefined): boolean {
  if (keepsAll(after)) return false
  if (keepsAll(before)) return true
  if ((after?.budgetBytes ?? Infinity) < (before?.budgetBytes ?? Infinity)) return true
  if (hasNoRule(after)) return (before?.last ?? 0) > 0
  return hasNoRule(before) || keeping.some((rule) => (after?.[rule] ?? 0) < (before?.[rule] ?? 0))
}

/** Without any rule all stay, as far as a budget lets them. */
function hasNoRule(retention: Retention | undefined): boolean {
  return keeping.every((rule) => retention?.[rule] === undefined)
}

/** `all of 2 days, the last 3, 30 daily, at most 5 GB`, for people; empty where everything stays. */
export function retentionText(retention: Retention): string {
  const { budgetBytes } = retention
  return [...ruleTexts(retention), ...(budgetBytes === undefined ? [] : [`at most ${Number((budgetBytes / 1e9).toFixed(3))} GB`])].join(', ')
}

/** Each rule in a few words, but for the budget. */
export function ruleTexts(retention: Retention): readonly string[] {
  const { withinMs } = retention
  return [
    ...(withinMs === undefined ? [] : [`all of ${withinMs === dayMs ? 'a day' : `${Number((withinMs / dayMs).toFixed(2))} days`}`]),
    ...retentionRules.flatMap((rule) => {
      const count = retention[rule]
      return count === undefined ? [] : [rule === 'last' ? `the last ${count}` : `${count} ${rule}`]
    }),
  ]
}
