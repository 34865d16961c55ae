import { diskNames } from '../../main/api/conditions.ts'
import { agoWords, spanWords } from '../../main/api/span.ts'
import type { JobDisk } from '../state/bridge.ts'

/** What the window says of disks that come and go. */
export const diskWords = {
  waiting: (names: readonly string[]) => `Waiting for the disk ${diskNames(names)}`,
  waitingForDisk: 'Waiting for the disk',
  queued: (names: readonly string[]) => `It starts as soon as ${diskNames(names)} is plugged in.`,
  title: 'Disk',
  titleOfMany: 'Disks that take turns',
  hint: 'Known by the disk itself, wherever it is plugged in. A backup that is due starts when it comes.',
  safe: 'Plugged in; you can unplug it now',
  present: 'Plugged in',
  away: 'Not plugged in',
  never: 'No backup yet',
} as const

const dayMs = 24 * 3_600_000

/** When a disk was there last, once that is some time ago; empty before. */
function unseenWords({ present, seenMs }: Pick<JobDisk, 'present' | 'seenMs'>, now: number): string {
  return present || now - seenMs < 2 * dayMs ? '' : `not seen for ${spanWords(now - seenMs)}`
}

/** How it is with a disk, as a sentence. */
export function diskState(disk: JobDisk, now: number): string {
  if (disk.safe) return diskWords.safe
  const unseen = unseenWords(disk, now)
  return [disk.present ? diskWords.present : diskWords.away, unseen].filter((one) => one !== '').join(', ')
}

/** When a backup came onto it last. */
export function diskBackup({ completeMs }: JobDisk, now: number): string {
  return completeMs === undefined ? diskWords.never : `Last backup ${agoWords(now - completeMs)}`
}
