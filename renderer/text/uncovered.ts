import * as m from '../../main/text/compiled/messages.js'
import { visibleText } from '../../main/api/text.ts'
import type { UncoveredFolder } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** What no job covers. */
export const uncoveredWords = {
  title: m.uncovered_title(),
  hint: m.uncovered_hint(),
  add: (name: string) => m.uncovered_add({ name: visibleText(name) }),
  toJob: (job: string) => m.uncovered_toJob({ job }),
  toNew: m.uncovered_toNew(),
  fine: m.uncovered_fine(),
  fineLabel: (name: string) => m.uncovered_fineLabel({ name: visibleText(name) }),
  more: (count: number) => m.uncovered_more({ count }),
} as const

/** Empty until it is known. */
export function sizeWords({ bytes, isMore }: UncoveredFolder): string {
  if (bytes === undefined) return ''
  return isMore ? m.uncovered_size({ bytes: formatBytes(bytes) }) : formatBytes(bytes)
}
