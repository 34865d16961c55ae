import { defaultRetention, keepsAll, mostKept, mostKeptDays, retentionRules } from '../../main/api/retention.ts'
import type { Retention } from './bridge.ts'
import type { FieldProblem } from './destination-form.ts'

/** `none`: nobody has chosen, which only jobs have that were made before there was a choice. */
export type KeepChoice = 'none' | 'all' | 'default' | 'own'

/** The part of the job form that says which snapshots are kept, as it is typed; empty: no such rule. */
export interface KeepFields {
  keep: KeepChoice
  last: string
  hourly: string
  daily: string
  weekly: string
  monthly: string
  yearly: string
  /** Days. */
  within: string
  /** GB */
  budget: string
}

type KeepErrors = Partial<Record<Exclude<keyof KeepFields, 'keep'>, FieldProblem>>

const dayMs = 24 * 3_600_000
const gigabyte = 1e9

/** Where there are no own numbers, those of the default are what somebody begins with. */
export function keepFieldsOf(retention: Retention | undefined): KeepFields {
  const keep = choiceOf(retention)
  const { withinMs, budgetBytes, ...rules } = keep === 'own' && retention ? retention : defaultRetention
  const typed = (value: number | undefined, unit = 1): string => (value === undefined ? '' : String(value / unit))
  return {
    keep, last: typed(rules.last), hourly: typed(rules.hourly), daily: typed(rules.daily), weekly: typed(rules.weekly), monthly: typed(rules.monthly), yearly: typed(rules.yearly),
    within: typed(withinMs, dayMs), budget: typed(budgetBytes, gigabyte),
  }
}

function choiceOf(retention: Retention | undefined): KeepChoice {
  if (!retention) return 'none'
  if (keepsAll(retention)) return 'all'
  const names = [...retentionRules, 'withinMs', 'budgetBytes'] as const
  return names.every((name) => retention[name] === defaultRetention[name]) ? 'default' : 'own'
}

/** Only for fields that `validateKeep` finds nothing wrong with. Undefined: nobody has chosen. */
export function retentionOf(fields: KeepFields): Retention | undefined {
  switch (fields.keep) {
    case 'none':
      return undefined
    case 'all':
      return {}
    case 'default':
      return defaultRetention
    case 'own': {
      const rules = Object.fromEntries(retentionRules.flatMap((rule) => (isEmpty(fields[rule]) ? [] : [[rule, parseNumber(fields[rule])]])))
      return {
        ...rules,
        ...(!isEmpty(fields.within) && { withinMs: Math.round(parseNumber(fields.within) * dayMs) }),
        ...(!isEmpty(fields.budget) && { budgetBytes: Math.round(parseNumber(fields.budget) * gigabyte) }),
      }
    }
  }
}

export function validateKeep(fields: KeepFields): KeepErrors {
  if (fields.keep !== 'own') return {}
  const errors: KeepErrors = {}
  for (const rule of retentionRules) {
    const count = parseNumber(fields[rule])
    if (!isEmpty(fields[rule]) && !(Number.isInteger(count) && count >= 1 && count <= mostKept)) errors[rule] = 'keptRange'
  }
  const days = parseNumber(fields.within)
  if (!isEmpty(fields.within) && !(Math.round(days * dayMs) >= 1 && days <= mostKeptDays)) errors.within = 'daysRange'
  if (!isEmpty(fields.budget) && !(Math.round(parseNumber(fields.budget) * gigabyte) >= 1)) errors.budget = 'positiveNumber'
  if ([...retentionRules, 'within', 'budget'].every((name) => isEmpty(fields[name as keyof KeepFields]))) errors.last = 'keepSomething'
  return errors
}

function isEmpty(text: string): boolean {
  return text.trim() === ''
}

/** A decimal comma is one too. */
function parseNumber(text: string): number {
  return Number(text.trim().replace(',', '.'))
}
