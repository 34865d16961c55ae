import type { PauseLength } from '../state/bridge.ts'
import { formatMoment, formatTime } from './format.ts'

/** What the window says of a pause of everything. */
export const pauseWords = {
  lengths: [
    [1, 'For 1 hour'], [2, 'For 2 hours'], [4, 'For 4 hours'], ['tomorrow', 'Until tomorrow morning'], ['resumed', 'Until I resume'],
  ] satisfies readonly (readonly [PauseLength, string])[],
  /** `Paused until 14:30`, `Paused until Tomorrow 08:00`. */
  until: (untilMs: number, now: number) => `Paused until ${endWords(untilMs, now)}`,
  /** `14:30`, `tomorrow 08:00`. */
  end: endWords,
  byHand: 'What you start by hand runs all the same.',
} as const

function endWords(untilMs: number, now: number): string {
  return isSameDay(untilMs, now) ? formatTime(untilMs) : inSentence(formatMoment(untilMs, now))
}

function isSameDay(ms: number, now: number): boolean {
  return new Date(ms).toDateString() === new Date(now).toDateString()
}

/** `Today 14:30` within a sentence. */
function inSentence(moment: string): string {
  return moment.replace(/^(?:Today|Tomorrow|Yesterday)/, (word) => word.toLowerCase())
}
