import type { SnapshotChanges } from '../state/bridge.ts'
import { formatBytes, formatCount, formatThings } from './format.ts'

type Change = SnapshotChanges['entries'][number]

/** What a snapshot changed. */
export const changeWords = {
  open: 'What changed…',
  title: 'What changed',
  between: (older: string, newer: string) => `From ${older} to ${newer}`,
  loading: 'Comparing with the snapshot before…',
  first: 'This is the first snapshot of this job: everything in it is new.',
  nothing: 'No file or folder came, went or changed its content.',
  list: 'What came, went and changed, by path',
  some: (shown: number) => `The first ${formatCount(shown)} are shown.`,
  many: 'There are more than are counted here; “holdfast diff” lists all.',
  metadata: (entries: number) => `${formatThings(entries, 'entry has', 'entries have')} another time, owner or other rights only.`,
  show: 'Show in folder',
  showThis: (name: string) => `Show in folder: ${name}`,
  kinds: { added: 'New', removed: 'Gone', content: 'Changed', metadata: 'Changed', type: 'Of another type' } satisfies Record<Change['kind'], string>,
} as const

/** `3 new (2.4 MB), 1 gone, 12 changed (30 MB)`; what did not happen is not said. */
export function changeTotals({ totals }: Pick<SnapshotChanges, 'totals'>): string {
  const parts = ([['added', 'new'], ['removed', 'gone'], ['content', 'changed'], ['type', 'of another type']] as const).flatMap(([kind, word]) => {
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
