import { awaitedCondition } from '../../main/api/conditions.ts'
import { visibleText } from '../../main/api/text.ts'
import type { Conditions, WaitReason } from '../state/bridge.ts'

/** What the window says of when a job may run by itself. */
export const conditionText = {
  title: 'Runs by itself only',
  hint: 'What you start by hand runs in any case. A run under way stands still while one of these does not hold, and goes on by itself; when you come back to the computer, it goes on quietly.',
  mains: 'On mains power',
  battery: 'With enough battery',
  batteryAbove: 'Least charge',
  unmetered: 'Where data costs nothing',
  unmeteredHint: 'Not on connections that are marked as metered',
  idle: 'While nobody uses the computer',
  idleHint: 'After five minutes without keyboard and mouse, or when it is locked',
  networks: 'Networks',
  rules: { any: 'Any', only: 'Only these', never: 'Never these' },
  names: 'Names of networks',
  namesHint: 'As the desktop shows them, separated by commas',
  here: (names: readonly string[]) => `Connected now: ${names.map(visibleText).join(', ')}`,
  nowhere: 'Connected now: nothing',
  addHere: (name: string) => `Add ${visibleText(name)}`,
  unknown: 'This computer does not tell; it counts as met.',
  label: 'Runs by itself only',
  errors: {
    battery: 'Choose a number from 1 to 99.',
    names: 'Enter 1 to 20 names.',
  },
} as const

/** Each condition in a few words, in the order of the form. */
export function conditionWords({ mains, batteryAbove, unmetered, idle, networks }: Conditions): readonly string[] {
  return [
    ...(mains ? ['on mains power'] : []),
    ...(batteryAbove === undefined ? [] : [`with a battery of ${batteryAbove} % or more`]),
    ...(unmetered ? ['where data costs nothing'] : []),
    ...(networks ? [`${networks.rule === 'only' ? 'in' : 'not in'} ${networks.names.map(visibleText).join(', ')}`] : []),
    ...(idle ? ['while nobody uses the computer'] : []),
  ]
}

/** What has to be there before a job runs, as the end of a sentence; undefined where it waits for something else. */
export function awaitedWords(wait: WaitReason): string | undefined {
  return wait.type === 'metered' ? 'a connection where data costs nothing' : awaitedCondition(wait)
}
