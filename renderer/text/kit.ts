import * as m from '../../main/text/compiled/messages.js'
import type { KitView, RecoveryView } from '../state/bridge.ts'
import { formatDay } from './format.ts'
import { capital, inSentence } from './sentence.ts'

/** Making a recovery kit, and what became of those that were made. */
export const kitWords = {
  label: m.kit_label(),
  menu: m.kit_menu(),
  none: m.kit_none(),
  make: m.kit_make(),
  another: m.kit_another(),
  making: m.kit_making(),
  notice: (job: string) => m.kit_notice({ job }),
  noticeText: m.kit_noticeText(),
  noticeMake: m.kit_noticeMake(),
  dismiss: m.kit_dismiss(),
  title: (job: string) => m.kit_title({ job }),
  text: m.kit_text(),
  keep: m.kit_keep(),
  kits: m.kit_kits(),
  number: (number: string) => m.kit_number({ number }),
  checked: (day: string) => m.kit_checked({ day }),
  unchecked: (day: string) => m.kit_unchecked({ day }),
  moved: m.kit_moved(),
  uncheckedText: m.kit_uncheckedText(),
  revoke: m.kit_revoke(),
  revokeOf: (number: string) => m.kit_revokeOf({ number }),
  revoked: (number: string) => m.kit_revoked({ number }),
  stepPage: m.kit_stepPage(),
  stepPageText: m.kit_stepPageText(),
  print: m.kit_print(),
  pdf: m.kit_pdf(),
  notPrinted: m.kit_notPrinted(),
  saved: m.kit_saved(),
  stepCheck: m.kit_stepCheck(),
  stepCheckText: m.kit_stepCheckText(),
  word: (place: number) => m.kit_word({ place }),
  wrong: m.kit_wrong(),
  check: m.kit_check(),
  later: m.kit_later(),
  done: (number: string) => m.kit_done({ number }),
  close: m.kit_close(),
} as const

/** The newest one that was checked counts, or else the newest. */
export function kitStatus({ kits }: Pick<RecoveryView, 'kits'>, now: number): string {
  const best = kits.find((one) => one.checkedMs !== undefined) ?? kits[0]
  if (!best) return kitWords.none
  return capital(kitLine(best, now))
}

/** `made 3 Mar, checked` */
export function kitLine({ madeMs, checkedMs }: Pick<KitView, 'madeMs' | 'checkedMs'>, now: number): string {
  const day = inSentence(formatDay(madeMs, now))
  return checkedMs === undefined ? kitWords.unchecked(day) : kitWords.checked(day)
}
