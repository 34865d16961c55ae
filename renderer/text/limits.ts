import * as m from '../../main/text/compiled/messages.js'
import type { LimitTime } from '../state/bridge.ts'
import { formatRate } from './format.ts'
import { daysWords } from './schedule.ts'

/** What the window says of limits that hold at some times only. */
export const limitText = {
  title: m.limits_title(),
  hint: m.limits_hint(),
  add: m.limits_add(),
  days: m.limits_days(),
  from: m.limits_from(),
  to: m.limits_to(),
  upload: m.limits_upload(),
  download: m.limits_download(),
  keep: m.limits_keep(),
  now: m.limits_now(),
  remove: (words: string) => m.limits_remove({ words }),
  errors: {
    days: m.limits_errors_days(),
  },
} as const

/** `Mon–Fri, 08:00 to 18:00`. */
export function limitTimeWords({ days, from, to }: LimitTime): string {
  return `${daysWords(days)}, ${from === to ? (from === '00:00' ? m.limits_limitTime() : m.limits_limitTime2({ from })) : m.limits_limitTime3({ from, to, part: to < from ? m.limits_limitTime4() : '' })}`
}

export function limitWords({ uploadBytesPerSecond: up, downloadBytesPerSecond: down }: LimitTime): string {
  const limit = (rate: number | undefined): string => (rate === undefined ? m.limits_unlimited() : m.limits_limit_limit({ rate: formatRate(rate) }))
  return m.limits_limit({ limit: limit(up), limit2: limit(down) })
}
