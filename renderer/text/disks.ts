import * as m from '../../main/text/compiled/messages.js'
import { diskNames } from '../../main/api/conditions.ts'
import { agoWords, spanWords } from '../../main/api/span.ts'
import type { JobDisk } from '../state/bridge.ts'

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
