import * as m from '../../main/text/compiled/messages.js'
import type { PauseLength } from '../state/bridge.ts'
import { formatMoment, formatTime } from './format.ts'
import { inSentence } from './sentence.ts'

/** What the window says of a pause of everything. */
export const pauseWords = {
  lengths: [
    [1, m.tray_pause_oneHour()], [2, m.tray_pause_twoHours()], [4, m.tray_pause_fourHours()], ['tomorrow', m.tray_pause_tomorrow()], ['resumed', m.tray_pause_resumed()],
  ] satisfies readonly (readonly [PauseLength, string])[],
  /** `Paused until 14:30`, `Paused until Tomorrow 08:00`. */
  until: (untilMs: number, now: number) => m.pause_until({ end: endWords(untilMs, now) }),
  /** `14:30`, `tomorrow 08:00`. */
  end: endWords,
  byHand: m.pause_byHand(),
} as const

function endWords(untilMs: number, now: number): string {
  return isSameDay(untilMs, now) ? formatTime(untilMs) : inSentence(formatMoment(untilMs, now))
}

function isSameDay(ms: number, now: number): boolean {
  return new Date(ms).toDateString() === new Date(now).toDateString()
}
