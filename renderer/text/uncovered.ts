import { visibleText } from '../../main/api/text.ts'
import type { UncoveredFolder } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** What no job covers. */
export const uncoveredWords = {
  title: 'Not in any backup',
  hint: 'Folders in your home folder that no job covers.',
  add: (name: string) => `Add ${visibleText(name)} to a job`,
  toJob: (job: string) => `Add to “${job}”…`,
  toNew: 'New job…',
  fine: 'That is fine',
  fineLabel: (name: string) => `${visibleText(name)} needs no backup`,
  more: (count: number) => `Show ${count} more`,
} as const

/** Empty until it is known. */
export function sizeWords({ bytes, isMore }: UncoveredFolder): string {
  if (bytes === undefined) return ''
  return isMore ? `more than ${formatBytes(bytes)}` : formatBytes(bytes)
}
