import { conditionText } from '../text/conditions.ts'
import type { Conditions, NamedNetworks } from './bridge.ts'
import type { FieldProblem } from './destination-form.ts'

/** The part of the job form that says when it may run by itself, as it is typed. */
export interface ConditionFields {
  mains: boolean
  battery: boolean
  /** Percent. */
  batteryAbove: string
  unmetered: boolean
  idle: boolean
  networks: 'any' | NamedNetworks['rule']
  /** Separated by commas. */
  networkNames: string
}

type ConditionErrors = Partial<Record<'batteryAbove' | 'networkNames', FieldProblem>>

const mostNames = 20
const longestName = 255

export function conditionFieldsOf({ mains = false, batteryAbove, unmetered = false, idle = false, networks }: Conditions = {}): ConditionFields {
  return {
    mains, unmetered, idle,
    battery: batteryAbove !== undefined, batteryAbove: String(batteryAbove ?? 30),
    networks: networks?.rule ?? 'any', networkNames: networks?.names.join(', ') ?? '',
  }
}

export function validateConditions(fields: ConditionFields): ConditionErrors {
  const percent = Number(fields.batteryAbove.trim())
  const names = namesOf(fields)
  return {
    ...(fields.battery && !(Number.isInteger(percent) && percent >= 1 && percent <= 99) && { batteryAbove: { words: conditionText.errors.battery } }),
    ...(fields.networks !== 'any' && (names.length === 0 || names.length > mostNames || names.some((name) => name.length > longestName)) && { networkNames: { words: conditionText.errors.names } }),
  }
}

/** Only for fields that `validateConditions` finds nothing wrong with. Undefined: it may always run. */
export function conditionsOf(fields: ConditionFields): Conditions | undefined {
  const conditions: Conditions = {
    ...(fields.mains && { mains: true }),
    ...(fields.battery && { batteryAbove: Number(fields.batteryAbove.trim()) }),
    ...(fields.unmetered && { unmetered: true }),
    ...(fields.idle && { idle: true }),
    ...(fields.networks !== 'any' && { networks: { rule: fields.networks, names: namesOf(fields) } }),
  }
  return Object.keys(conditions).length === 0 ? undefined : conditions
}

export function withName(typed: string, name: string): string {
  return [...new Set([...listed(typed), name])].join(', ')
}

function namesOf({ networkNames }: ConditionFields): readonly string[] {
  return [...new Set(listed(networkNames))]
}

function listed(typed: string): readonly string[] {
  return typed.split(',').map((name) => name.trim()).filter((name) => name !== '')
}
