import * as m from '../../main/text/compiled/messages.js'
import { awaitedCondition } from '../../main/api/conditions.ts'
import { visibleText } from '../../main/api/text.ts'
import type { Conditions, WaitReason } from '../state/bridge.ts'

/** What the window says of when a job may run by itself. */
export const conditionText = {
  title: m.conditions_title(),
  hint: m.conditions_hint(),
  mains: m.conditions_mains(),
  battery: m.conditions_battery(),
  batteryAbove: m.conditions_batteryAbove(),
  unmetered: m.conditions_unmetered(),
  unmeteredHint: m.conditions_unmeteredHint(),
  idle: m.conditions_idle(),
  idleHint: m.conditions_idleHint(),
  networks: m.conditions_networks(),
  rules: { any: m.conditions_rules_any(), only: m.conditions_rules_only(), never: m.conditions_rules_never() },
  names: m.conditions_names(),
  namesHint: m.conditions_namesHint(),
  here: (names: readonly string[]) => m.conditions_here({ names: names.map(visibleText).join(', ') }),
  nowhere: m.conditions_nowhere(),
  addHere: (name: string) => m.conditions_addHere({ name: visibleText(name) }),
  unknown: m.conditions_unknown(),
  label: m.conditions_label(),
  errors: {
    battery: m.conditions_errors_battery(),
    names: m.conditions_errors_names(),
  },
} as const

/** Each condition in a few words, in the order of the form. */
export function conditionWords({ mains, batteryAbove, unmetered, idle, networks }: Conditions): readonly string[] {
  return [
    ...(mains ? [m.conditions_condition()] : []),
    ...(batteryAbove === undefined ? [] : [m.conditions_condition2({ batteryAbove })]),
    ...(unmetered ? [m.conditions_condition3()] : []),
    ...(networks ? [`${networks.rule === 'only' ? m.conditions_condition4() : m.conditions_condition5()} ${networks.names.map(visibleText).join(', ')}`] : []),
    ...(idle ? [m.conditions_condition6()] : []),
  ]
}

/** What has to be there before a job runs, as the end of a sentence; undefined where it waits for something else. */
export function awaitedWords(wait: WaitReason): string | undefined {
  return wait.type === 'metered' ? m.conditions_awaited() : awaitedCondition(wait)
}
