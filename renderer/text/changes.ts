import * as m from '../../main/text/compiled/messages.js'
import type { SnapshotChanges } from '../state/bridge.ts'
import { formatBytes, formatCount } from './format.ts'

type Change = SnapshotChanges['entries'][number]

/** What a snapshot changed. */
export const changeWords = {
  open: m.changes_open(),
  title: m.changes_title(),
  between: (older: string, newer: string) => m.changes_between({ older, newer }),
  loading: m.changes_loading(),
  first: m.changes_first(),
  nothing: m.changes_nothing(),
  list: m.changes_list(),
  some: (shown: number) => m.changes_some({ shown: formatCount(shown) }),
  many: m.changes_many(),
  metadata: (entries: number) => m.changes_metadata({ entries }),
  show: m.changes_show(),
  showThis: (name: string) => m.changes_showThis({ name }),
  kinds: { added: m.changes_kinds_added(), removed: m.changes_kinds_removed(), content: m.changes_kinds_content(), metadata: m.changes_kinds_metadata(), type: m.changes_kinds_type() } satisfies Record<Change['kind'], string>,
} as const

/** `3 new (2.4 MB), 1 gone, 12 changed (30 MB)`; what did not happen is not said. */
export function changeTotals({ totals }: Pick<SnapshotChanges, 'totals'>): string {
  const parts = ([['added', m.changes_changeTotals_parts()], ['removed', m.changes_changeTotals_parts2()], ['content', m.changes_changeTotals_parts3()], ['type', m.changes_changeTotals_parts4()]] as const).flatMap(([kind, word]) => {
    const { entries, bytes } = totals[kind]
    return entries === 0 ? [] : [`${formatCount(entries)} ${word}${bytes > 0 ? ` (${formatBytes(bytes)})` : ''}`]
  })
  return parts.join(', ')
}

/** Sizes before and now where they differ, for a file. */
export function changeSize({ kind, sizeBefore, size }: Change): string {
  if (kind === 'content' && sizeBefore !== undefined && size !== undefined && sizeBefore !== size) return `${formatBytes(sizeBefore)} → ${formatBytes(size)}`
  const bytes = size ?? sizeBefore
  return bytes === undefined ? '' : formatBytes(bytes)
}
