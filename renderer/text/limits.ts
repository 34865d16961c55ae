import type { LimitTime } from '../state/bridge.ts'
import { formatRate } from './format.ts'
import { daysWords } from './schedule.ts'

/** What the window says of limits that hold at some times only. */
export const limitText = {
  title: 'At other times',
  hint: 'Between these times the limits given here hold in place of those above. The first that fits counts.',
  add: 'Add a time…',
  days: 'Days',
  from: 'From',
  to: 'To',
  upload: 'Limit uploads',
  download: 'Limit downloads',
  keep: 'Add',
  now: 'Holds now',
  remove: (words: string) => `Remove “${words}”`,
  errors: {
    days: 'Choose at least one day.',
  },
} as const

/** `Mon–Fri, 08:00 to 18:00`. */
export function limitTimeWords({ days, from, to }: LimitTime): string {
  return `${daysWords(days)}, ${from === to ? (from === '00:00' ? 'all day' : `24 hours from ${from} on`) : `${from} to ${to}${to < from ? ' the next day' : ''}`}`
}

export function limitWords({ uploadBytesPerSecond: up, downloadBytesPerSecond: down }: LimitTime): string {
  const limit = (rate: number | undefined): string => (rate === undefined ? 'unlimited' : `at most ${formatRate(rate)}`)
  return `Uploads ${limit(up)}, downloads ${limit(down)}`
}
