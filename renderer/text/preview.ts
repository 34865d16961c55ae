import type { FilePreview, TextComparison } from '../state/bridge.ts'
import { formatBytes, formatCount, formatThings } from './format.ts'

/** What a version of a file holds, and how it differs from another one. */
export const previewWords = {
  show: 'Look inside',
  showThis: (moment: string) => `Look inside the version of ${moment}`,
  title: (name: string) => `Inside ${name}`,
  of: (moment: string) => `As it was in the snapshot of ${moment}`,
  loading: 'Reading it from the backup…',
  content: 'Content',
  cut: (shown: number, size: number) => `The first ${formatBytes(shown)} of ${formatBytes(size)} are shown. Restore it to see all.`,
  image: (name: string, width: number, height: number) => `${name}, a picture of ${formatCount(width)} by ${formatCount(height)} points`,
  undecodable: 'This picture cannot be shown. Restore it and open it with a program of your own.',
  back: 'Back to the versions',
  compare: 'What changed in it',
  compareThis: (moment: string) => `What changed in the version of ${moment}`,
  compareTitle: (name: string) => `What changed in ${name}`,
  between: (older: string, newer: string) => `From the version of ${older} to that of ${newer}`,
  comparing: 'Comparing both versions…',
  same: 'Both versions have the same text.',
  sum: (added: number, removed: number) => `${formatThings(added, 'line was', 'lines were')} added, ${formatThings(removed, 'line was', 'lines were')} removed.`,
  place: (older: number, newer: number) => `Line ${formatCount(newer)} (line ${formatCount(older)} before)`,
  lines: 'Lines',
  added: 'Added',
  removed: 'Removed',
  unchanged: 'Unchanged',
  cutLines: 'There are more changes than are shown here. Restore both versions to compare all of them.',
} as const

export const noPreview: Readonly<Record<Extract<FilePreview, { kind: 'none' }>['reason'], (size: number) => string>> = {
  binary: (size) => `This is neither text nor a picture that can be shown here (${formatBytes(size)}). Restore it and open it with a program of your own.`,
  large: (size) => `This picture is too large to be shown here (${formatBytes(size)}). Restore it and open it with a program of your own.`,
  empty: () => 'The file is empty.',
  'no-file': () => 'There is nothing to look at: it is no file.',
}

export const noComparison: Readonly<Record<Extract<TextComparison, { kind: 'none' }>['reason'], string>> = {
  binary: 'One of the versions is no text; only texts can be compared here.',
  large: 'One of the versions is longer than 1 MB; only shorter texts can be compared here.',
  'no-file': 'One of the versions is no file.',
  many: 'The versions differ in too much to be compared here.',
}
