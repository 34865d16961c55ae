import * as m from '../../main/text/compiled/messages.js'
import type { CopyView, LiveRun, RunView, SpreadView } from '../state/bridge.ts'
import { errorText } from './errors.ts'
import { formatAge, formatPercent } from './format.ts'
import { afterColon } from './sentence.ts'
import { etaWords, sumWords, waitWords, waitingWords } from './status.ts'

/** Where else a backup is. */
export const copyWords = {
  title: m.copies_title(),
  add: m.copies_add(),
  originals: m.copies_originals(),
  backedUp: (age: string) => m.copies_backedUp({ age }),
  onThis: m.copies_onThis(),
  backup: m.copies_backup(),
  copy: m.copies_copy(),
  run: m.copies_run(),
  runLabel: (place: string) => m.copies_runLabel({ place }),
  stop: m.copies_stop(),
  stopLabel: (place: string) => m.copies_stopLabel({ place }),
  remove: (place: string) => m.copies_remove({ place }),
  removed: m.copies_removed(),
  added: m.copies_added(),
  warnings: m.copies_warnings(),
  progress: (place: string) => m.copies_progress({ place }),
  none: m.copies_none(),
  care: (line: string) => m.copies_care({ line: afterColon(line) }),
  follows: m.copies_follows(),
  keeps: m.copies_keeps(),
  hints: {
    disk: {
      title: m.copies_hints_disk_title(),
      text: m.copies_hints_disk_text(),
    },
    computer: {
      title: m.copies_hints_computer_title(),
      text: m.copies_hints_computer_text(),
    },
  } satisfies Record<NonNullable<SpreadView['hint']>, { title: string; text: string }>,
  dismiss: m.copies_dismiss(),
  form: {
    title: (name: string) => m.copies_form_title({ name }),
    text: m.copies_form_text(),
    kept: m.copies_form_kept(),
    keep: m.copies_form_keep(),
    keepHint: m.copies_form_keepHint(),
    remove: m.copies_form_remove(),
    removeHint: m.copies_form_removeHint(),
    save: m.copies_form_save(),
    saveLater: m.copies_form_saveLater(),
  },
} as const

/** The 3-2-1 of a job in words: `3 copies on 2 kinds of storage, 1 elsewhere`. */
export function spreadWords({ copies, kinds, elsewhere }: Pick<SpreadView, 'copies' | 'kinds' | 'elsewhere'>): string {
  return m.copies_spread({ copies, kinds, part: elsewhere === 0 ? m.copies_spread2() : elsewhere })
}

export interface CopyLine {
  readonly text: string
  readonly tone: 'neutral' | 'warn' | 'bad'
}

/** How a copy is, in one or two sentences. */
export function copyLine(copy: CopyView, live: LiveRun | undefined, now: number): CopyLine {
  const trouble = copy.state === 'idle' ? troubleOf(copy, now) : undefined
  const said = [copy.state === 'idle' ? trouble?.text : stateWords(copy, live, now), ageWords(copy, now), ...(copy.state === 'idle' && !trouble ? [nextWords(copy, now)] : [])]
  return { tone: trouble?.tone ?? (isOld(copy, now) ? 'warn' : 'neutral'), text: said.filter((text) => text !== undefined && text !== '').join(' ') }
}

/** One that is made about once a day. */
function isOld({ completeMs }: CopyView, now: number): boolean {
  return completeMs !== undefined && now - completeMs > 14 * 24 * 3_600_000
}

/** How old it is. */
function ageWords({ completeMs, snapshots }: CopyView, now: number): string {
  if (completeMs === undefined) return ''
  const count = snapshots === undefined ? '' : `, ${m.copies_age_count({ snapshots })}`
  return m.copies_age({ age: formatAge(completeMs, now), count })
}

function nextWords({ completeMs, waits, lastRun }: CopyView, now: number): string {
  if (waits?.wait.type === 'asked') return m.copies_next()
  if (completeMs !== undefined) return ''
  const next = waits ? `${waitWords(waits, now)}.` : ''
  return lastRun ? next : m.copies_next2({ next }).trim()
}

function troubleOf({ lastRun, waits }: CopyView, now: number): CopyLine | undefined {
  if (waits?.wait.type === 'sign-in') return { tone: 'warn', text: m.copies_trouble_text() }
  if (!lastRun) return undefined
  const age = formatAge(lastRun.finishedMs, now)
  if (lastRun.outcome === 'stopped') return { tone: 'neutral', text: m.copies_trouble_text2({ age }) }
  if (lastRun.error) return failedLine(lastRun, lastRun.error, age)
  return lastRun.problems > 0 ? { tone: 'warn', text: m.copies_trouble_text3({ problems: lastRun.problems, age }) } : undefined
}

function failedLine({ error: _error, ...run }: RunView, error: NonNullable<RunView['error']>, age: string): CopyLine {
  const atSource = error.data?.['side'] === 'source'
  if (error.code === 'crashed') return { tone: 'warn', text: m.copies_failed_text({ age }) }
  if (error.code === 'offline') {
    const what = atSource ? m.copies_failed_what() : m.copies_failed_what2()
    return { tone: 'warn', text: m.copies_failed_text2({ what, age, part: run.outcome === 'partial' ? m.copies_failed_text3() : '' }) }
  }
  const { title, advice } = errorText(error)
  return { tone: error.retryable ? 'warn' : 'bad', text: m.copies_failed_text4({ age, part: atSource ? m.copies_failed_text5() : '', title, part2: error.code === 'password' && !atSource ? m.copies_failed_text6() : advice }) }
}

function stateWords({ state, waits }: CopyView, live: LiveRun | undefined, now: number): string {
  if (state === 'queued') return waits ? `${waitWords(waits, now)}.` : m.copies_state()
  if (state === 'paused') return m.copies_state2()
  if (state === 'stopping') return m.copies_state3()
  const progress = live?.progress
  if (!progress) return m.copies_state4()
  if (progress.waitingFor) return `${waitingWords(progress.waitingFor)}.`
  const { sync } = progress
  const parts = [
    sync && sync.snapshots.total > 0 ? m.copies_state_parts({ done: sync.snapshots.done, total: sync.snapshots.total }) : '',
    sumWords(progress), progress.fraction === undefined ? '' : formatPercent(progress.fraction), etaWords(progress),
  ].filter((text) => text !== '')
  return parts.length > 0 ? m.copies_state5({ parts: parts.join(', ') }) : m.copies_state6()
}
