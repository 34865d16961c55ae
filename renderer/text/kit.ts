import type { KitView, RecoveryView } from '../state/bridge.ts'
import { formatDay } from './format.ts'

/** Making a recovery kit, and what became of those that were made. */
export const kitWords = {
  label: 'Recovery kit',
  menu: 'Recovery kit…',
  none: 'None yet',
  make: 'Make a recovery kit…',
  another: 'Make another kit…',
  making: 'Making it…',
  notice: (job: string) => `There is no recovery kit for “${job}” yet`,
  noticeText: 'One page with which you get your files back when this computer and the password are gone.',
  noticeMake: 'Make one…',
  dismiss: 'Not now',
  title: (job: string) => `Recovery kit for “${job}”`,
  text: 'One page: where the backup is, twelve words that open it, and how to restore. With it you get your files back when this computer, its settings and the password are gone.',
  keep: 'Keep it where you keep passports and contracts, away from this computer and from the backup. Whoever has it and can reach the storage can read everything in the backup.',
  kits: 'Kits',
  number: (number: string) => `Kit ${number}`,
  checked: (day: string) => `made ${day}, checked`,
  unchecked: (day: string) => `made ${day}, not checked`,
  moved: 'The backup has another address now than on the page. Make another kit.',
  uncheckedText: 'It opens the backup, but nobody has shown that its page can be read. Make another kit, and take this one away.',
  revoke: 'Take away…',
  revokeOf: (number: string) => `Take away kit ${number}…`,
  revoked: (number: string) => `Kit ${number} no longer opens the backup. Destroy its page.`,
  stepPage: '1. Print the page, or save it',
  stepPageText: 'Its words are shown nowhere else, and Holdfast does not keep them. Where the page is saved as a file, print the file, then delete it.',
  print: 'Print…',
  pdf: 'Save as PDF…',
  notPrinted: 'Nothing was printed. Where there is no printer, save the page as PDF.',
  saved: 'The page is saved',
  stepCheck: '2. Type three of its words',
  stepCheckText: 'From the paper, so that you know that it can be read.',
  word: (place: number) => `Word ${place}`,
  wrong: 'This is not what the page says.',
  check: 'Check',
  later: 'Check later',
  done: (number: string) => `Kit ${number} is checked. Keep it away from this computer.`,
  close: 'Done',
} as const

/** The newest one that was checked counts, or else the newest. */
export function kitStatus({ kits }: Pick<RecoveryView, 'kits'>, now: number): string {
  const best = kits.find((one) => one.checkedMs !== undefined) ?? kits[0]
  if (!best) return kitWords.none
  const words = kitLine(best, now)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `made 3 Mar, checked` */
export function kitLine({ madeMs, checkedMs }: Pick<KitView, 'madeMs' | 'checkedMs'>, now: number): string {
  const formatted = formatDay(madeMs, now)
  const day = /^(Today|Yesterday)$/.test(formatted) ? formatted.toLowerCase() : formatted
  return checkedMs === undefined ? kitWords.unchecked(day) : kitWords.checked(day)
}
