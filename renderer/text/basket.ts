import type { BasketItem } from '../state/basket.svelte.ts'
import { formatBytes, formatCount, formatThings } from './format.ts'

/** Files and folders that are gathered to be restored in one go. */
export const basketWords = {
  add: 'Add to restore list',
  addShort: 'Add to list',
  addNewest: (name: string) => `Add the newest ${name} to the restore list`,
  addThis: (moment: string) => `Add the version of ${moment} to the restore list`,
  added: (count: number) => `${formatThings(count, 'item is', 'items are')} in the restore list now.`,
  full: (left: number, most: number) => `The restore list holds ${formatCount(most)} items at most; ${formatThings(left, 'item was', 'items were')} not added. Add whole folders instead.`,
  title: 'Restore list',
  bar: (items: readonly BasketItem[]) => `Restore list: ${summary(items)}`,
  show: 'Show list',
  list: 'What will be restored',
  from: (moment: string) => `from ${moment}`,
  remove: (name: string, moment: string) => `Take ${name} from ${moment} off the list`,
  take: 'Take off',
  clear: 'Empty the list',
  empty: 'Nothing is in the list any more.',
  versions: 'Two versions of the same file cannot have one name: the later one in this list gets the date of its backup in its name.',
  restore: 'Restore…',
  what: (items: readonly BasketItem[], snapshots: number) => `${summary(items)} from ${formatThings(snapshots, 'snapshot', 'snapshots')}`,
} as const

/** `2 files (3.4 MB), 1 folder`; sizes as far as they are known. */
function summary(items: readonly BasketItem[]): string {
  const folders = items.filter(({ type }) => type === 'directory').length
  const files = items.length - folders
  const bytes = items.reduce((sum, { size = 0 }) => sum + size, 0)
  const parts = [
    ...(files > 0 ? [`${formatThings(files, 'file', 'files')}${bytes > 0 ? ` (${formatBytes(bytes)})` : ''}`] : []),
    ...(folders > 0 ? [formatThings(folders, 'folder', 'folders')] : []),
  ]
  return parts.join(', ')
}
