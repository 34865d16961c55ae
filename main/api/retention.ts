import * as m from '../text/compiled/messages.js'
import { intlLocale } from '../text/language.ts'
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
  return [...ruleTexts(retention), ...(budgetBytes === undefined ? [] : [m.retention_budget({ gigabytes: new Intl.NumberFormat(intlLocale(), { maximumFractionDigits: 3, useGrouping: false }).format(budgetBytes / 1e9) })])].join(', ')
}

const ruleText = { last: m.retention_last, hourly: m.retention_hourly, daily: m.retention_daily, weekly: m.retention_weekly, monthly: m.retention_monthly, yearly: m.retention_yearly } as const

/** Each rule in a few words, but for the budget. */
export function ruleTexts(retention: Retention): readonly string[] {
  const { withinMs } = retention
  return [
    ...(withinMs === undefined ? [] : [withinMs === dayMs ? m.retention_withinDay() : m.retention_withinDays({ days: new Intl.NumberFormat(intlLocale(), { maximumFractionDigits: 2, useGrouping: false }).format(withinMs / dayMs) })]),
    ...retentionRules.flatMap((rule) => {
      const count = retention[rule]
      return count === undefined ? [] : [ruleText[rule]({ count })]
    }),
  ]
}
