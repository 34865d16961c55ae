import * as m from '../../main/text/compiled/messages.js'
import { diskNames } from '../../main/api/conditions.ts'
import { agoWords, spanWords } from '../../main/api/span.ts'
import { visibleText } from '../../main/api/text.ts'
import type { DriveView, JobDisk } from '../state/bridge.ts'
import { formatBytes } from './format.ts'

/** What the window says of disks that come and go. */
export const diskWords = {
  waiting: (names: readonly string[]) => m.disk_waiting({ disks: diskNames(names) }),
  waitingForDisk: m.disk_waitingForDisk(),
  queued: (names: readonly string[]) => m.disk_queued({ disks: diskNames(names) }),
  title: m.disk_title(),
  titleOfMany: m.disk_titleOfMany(),
  hint: m.disk_hint(),
  safe: m.disk_safe(),
  present: m.disk_present(),
  away: m.disk_away(),
  never: m.disk_never(),
  add: m.disk_add(),
  addTitle: (disk: string) => m.disk_addTitle({ disk: visibleText(disk) }),
  addText: m.disk_addText(),
  none: m.disk_none(),
  look: m.disk_look(),
  use: m.disk_useShort(),
  useLabel: (disk: string) => m.disk_use({ disk: visibleText(disk) }),
  added: (disk: string) => m.disk_added({ disk: visibleText(disk) }),
  remove: (disk: string) => m.disk_remove({ disk: visibleText(disk) }),
  removed: (disk: string) => m.disk_removed({ disk: visibleText(disk) }),
  next: m.disk_next(),
  room: ({ freeBytes, totalBytes }: DriveView) => m.disk_free({ free: formatBytes(freeBytes), total: formatBytes(totalBytes) }),
} as const

const dayMs = 24 * 3_600_000

/** When a disk was there last, once that is some time ago; empty before. */
function unseenWords({ present, seenMs }: Pick<JobDisk, 'present' | 'seenMs'>, now: number): string {
  return present || now - seenMs < 2 * dayMs ? '' : m.disk_unseen({ span: spanWords(now - seenMs) })
}

/** How it is with a disk, as a sentence. */
export function diskState(disk: JobDisk, now: number): string {
  if (disk.safe) return diskWords.safe
  const unseen = unseenWords(disk, now)
  return [disk.present ? diskWords.present : diskWords.away, unseen].filter((one) => one !== '').join(', ')
}

/** When a backup came onto it last. */
export function diskBackup({ completeMs }: JobDisk, now: number): string {
  return completeMs === undefined ? diskWords.never : m.disk_backup({ age: agoWords(now - completeMs) })
}
