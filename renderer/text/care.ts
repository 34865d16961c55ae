import * as m from '../../main/text/compiled/messages.js'
import { keepsAll, ruleTexts, type retentionRules } from '../../main/api/retention.ts'
import type { CareFigures, CareView, JobConfigView, PreviewedSnapshot, RetentionPreview, Wait } from '../state/bridge.ts'
import type { KeepChoice } from '../state/keep-form.ts'
import { errorText } from './errors.ts'
import { formatAge, formatBytes } from './format.ts'
import { capital } from './sentence.ts'
import { waitWords } from './status.ts'

/** What is kept, and how a repository is looked after. */
export const careWords = {
  form: {
    title: m.care_form_title(),
    keep: m.care_form_keep(),
    choices: { none: m.care_form_choices_none(), all: m.care_form_choices_all(), default: m.care_form_choices_default(), own: m.care_form_choices_own() } satisfies Record<KeepChoice, string>,
    hints: {
      none: m.care_form_hints_none(),
      all: m.care_form_hints_all(),
      default: m.care_form_hints_default(),
      own: m.care_form_hints_own(),
    } satisfies Record<KeepChoice, string>,
    rules: { last: m.care_form_rules_last(), hourly: m.care_form_rules_hourly(), daily: m.care_form_rules_daily(), weekly: m.care_form_rules_weekly(), monthly: m.care_form_rules_monthly(), yearly: m.care_form_rules_yearly() } satisfies Record<(typeof retentionRules)[number], string>,
    within: m.care_form_within(),
    days: m.care_form_days(),
    budget: m.care_form_budget(),
    preview: m.care_form_preview(),
    previewing: m.care_form_previewing(),
    which: m.care_form_which(),
    stays: (why: string) => m.care_form_stays({ why }),
    goes: m.care_form_goes(),
    more: (count: number) => m.care_form_more({ count }),
    budgetHint: m.care_form_budgetHint(),
  },
  job: {
    kept: m.care_job_kept(),
    title: m.care_job_title(),
    now: m.care_job_now(),
    started: (name: string) => m.care_job_started({ name }),
    warnings: m.care_job_warnings(),
  },
} as const

/** What is kept of a job, in a few words. */
export function keptWords({ retention }: Pick<JobConfigView, 'retention'>): string {
  if (!retention || keepsAll(retention)) return m.care_kept()
  const rules = ruleTexts(retention)
  return capital(rules.length > 0 ? rules.join(', ') : m.care_kept2()) + (retention.budgetBytes === undefined ? '' : m.care_kept3({ budgetBytes: formatBytes(retention.budgetBytes) }))
}

/** What rules would do, in whole sentences. */
export function previewWords({ kept, forgotten, oldestKeptMs, freedBytes }: Omit<RetentionPreview, 'snapshots'>, now: number): string {
  const stay = `${m.care_preview_stay({ kept })}${oldestKeptMs === undefined ? '' : m.care_preview_stay2({ age: formatAge(oldestKeptMs, now) })}.`
  if (forgotten === 0) return m.care_preview({ stay })
  return `${stay} ${m.care_preview2({ forgotten })}${freedBytes === undefined ? '' : m.care_preview3({ freedBytes: formatBytes(freedBytes) })}.`
}

const reasonWords: Readonly<Record<string, string>> = {
  last: m.care_reason_last(), hourly: m.care_reason_hourly(), daily: m.care_reason_daily(), weekly: m.care_reason_weekly(), monthly: m.care_reason_monthly(), yearly: m.care_reason_yearly(),
  within: m.care_reason_within(), newest: m.care_reason_newest(), future: m.care_reason_future(), pinned: m.care_reason_pinned(), held: m.care_reason_held(), all: m.care_reason_all(),
}

/** What would become of one snapshot, and why. */
export function previewedWords({ stays }: PreviewedSnapshot): string {
  return stays.length === 0 ? careWords.form.goes : careWords.form.stays(stays.map((reason) => reasonWords[reason] ?? reason).join(', '))
}

export interface CareLine {
  readonly text: string
  readonly tone: 'neutral' | 'warn' | 'bad'
}

/** How a repository was looked after, in one line. */
export function careLine({ running, lastRun, waits }: CareView, now: number): CareLine {
  if (running) return { tone: 'neutral', text: m.care_line_running() }
  if (!lastRun) return { tone: 'neutral', text: m.care_line_notYet({ first: firstWords(waits, now) }).trim() }
  const age = formatAge(lastRun.finishedMs, now)
  const { care, error } = lastRun
  if (lastRun.outcome === 'stopped') return { tone: 'neutral', text: m.care_line_stopped({ age }) }
  if (error) {
    if (error.code === 'crashed') return { tone: 'warn', text: m.care_line_crashed({ age }) }
    return { tone: error.retryable ? 'warn' : 'bad', text: m.care_line_failed({ age, title: errorText(error).title }) }
  }
  if (!care) return { tone: 'neutral', text: age }
  const parts = doneWords(care)
  return { tone: toneOf(care), text: `${capital(age)}: ${parts.length > 0 ? parts.join(', ') : m.care_line_nothing()}. ${readBackWords(care, now)}`.trim() }
}

function firstWords(waits: Wait | undefined, now: number): string {
  if (!waits) return ''
  return waits.wait.type === 'asked' ? m.care_first() : waitWords(waits, now)
}

function doneWords({ forgotten, freedBytes, prune, affectedCount, drill, drilledFiles }: CareFigures): readonly string[] {
  const restored = m.care_done_restored({ drilledFiles })
  return [
    ...(affectedCount > 0 ? [m.care_done({ affectedCount })] : []),
    ...(drill === 'failed' ? [m.care_done2({ restored })] : []),
    ...(forgotten > 0 ? [m.care_done3({ forgotten })] : []),
    ...(freedBytes > 0 ? [m.care_done4({ freedBytes: formatBytes(freedBytes) })] : []),
    ...(prune === 'failed' ? [m.care_done5()] : []),
    ...(drill === 'passed' ? [m.care_done6({ restored })] : []),
    ...(drill === 'warnings' ? [m.care_done7({ restored })] : []),
    ...(drill === 'no room' ? [m.care_done8()] : []),
  ]
}

function readBackWords({ unreadPacks, oldestVerifiedMs }: CareFigures, now: number): string {
  if (unreadPacks > 0) return m.care_readBack({ unreadPacks })
  return oldestVerifiedMs === undefined ? '' : m.care_readBack2({ age: formatAge(oldestVerifiedMs, now) })
}

function toneOf({ affectedCount, drill, prune }: CareFigures): CareLine['tone'] {
  if (affectedCount > 0 || drill === 'failed') return 'bad'
  return drill === 'warnings' || prune === 'failed' || drill === 'no room' ? 'warn' : 'neutral'
}
