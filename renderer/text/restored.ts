import type { RestoreView } from '../state/bridge.ts'
import { formatCount } from './format.ts'

/** What a restore takes, and where it goes. */
export function restoredFrom({ snapshot, more }: Pick<RestoreView, 'snapshot' | 'more'>): string {
  return more === 0 ? snapshot : `${snapshot} and ${formatCount(more)} more`
}

export function restoredTo({ target }: Pick<RestoreView, 'target'>): string {
  return target ?? 'where they were'
}

export const restoredWords = {
  list: 'What was not restored as it was, and why',
  retry: 'Try just these again',
  retryHint: 'What was restored stays as it is.',
} as const
