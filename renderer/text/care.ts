import { keepsAll, ruleTexts, type retentionRules } from '../../main/api/retention.ts'
import type { CareFigures, CareView, JobConfigView, PreviewedSnapshot, RetentionPreview, Wait } from '../state/bridge.ts'
import type { KeepChoice } from '../state/keep-form.ts'
import { errorText } from './errors.ts'
import { formatAge, formatBytes, formatThings } from './format.ts'
import { waitWords } from './status.ts'

/** What is kept, and how a repository is looked after. */
export const careWords = {
  form: {
    title: 'What is kept',
    keep: 'Snapshots to keep',
    choices: { none: 'Not chosen', all: 'Everything', default: 'Usual', own: 'Own numbers' } satisfies Record<KeepChoice, string>,
    hints: {
      none: 'Nothing is removed, and the repository is not looked after. Choose something else to change that.',
      all: 'Nothing is removed. About once a day, at a quiet moment, what is stored is checked and some files are restored for a test.',
      default: 'All of the last 2 days stay, then one a day for 30 days, one a week for 12 weeks, one a month for 2 years and one a year for 10 years. Others are removed about once a day, at a quiet moment. The newest, and what is pinned, always stays.',
      own: 'Each number keeps the newest snapshot of so many hours, days and so on. What none of them keeps is removed about once a day, at a quiet moment. The newest, and what is pinned, always stays.',
    } satisfies Record<KeepChoice, string>,
    rules: { last: 'The last', hourly: 'Hourly', daily: 'Daily', weekly: 'Weekly', monthly: 'Monthly', yearly: 'Yearly' } satisfies Record<(typeof retentionRules)[number], string>,
    within: 'All of the last',
    days: 'days',
    budget: 'At most',
    preview: 'Preview',
    previewing: 'Looking at the snapshots…',
    which: 'Which?',
    stays: (why: string) => `stays: ${why}`,
    goes: 'would be removed',
    more: (count: number) => `and ${formatThings(count, 'older one', 'older ones')}`,
    budgetHint: 'An empty field is no rule. With a size, the oldest go until what stays fits, but never “the last”.',
  },
  job: {
    kept: 'Kept',
    title: 'Looked after',
    now: 'Look after it now',
    started: (name: string) => `“${name}” is looked after as soon as nothing else runs`,
    warnings: 'Show warnings',
  },
} as const

/** What is kept of a job, in a few words. */
export function keptWords({ retention }: Pick<JobConfigView, 'retention'>): string {
  if (!retention || keepsAll(retention)) return 'Everything'
  const rules = ruleTexts(retention)
  return capital(rules.length > 0 ? rules.join(', ') : 'everything') + (retention.budgetBytes === undefined ? '' : `, at most ${formatBytes(retention.budgetBytes)}`)
}

/** What rules would do, in whole sentences. */
export function previewWords({ kept, forgotten, oldestKeptMs, freedBytes }: Omit<RetentionPreview, 'snapshots'>, now: number): string {
  const stay = `${formatThings(kept, 'snapshot stays', 'snapshots stay')}${oldestKeptMs === undefined ? '' : `, the oldest made ${formatAge(oldestKeptMs, now)}`}.`
  if (forgotten === 0) return `${stay} None would be removed.`
  return `${stay} ${formatThings(forgotten, 'would be removed', 'would be removed')}${freedBytes === undefined ? '' : `, which frees about ${formatBytes(freedBytes)}`}.`
}

const reasonWords: Readonly<Record<string, string>> = {
  last: 'one of the last', hourly: 'the last of its hour', daily: 'the last of its day', weekly: 'the last of its week', monthly: 'the last of its month', yearly: 'the last of its year',
  within: 'young enough', newest: 'the newest', future: 'from the future, by its own clock', pinned: 'pinned', held: 'held for an unusual change', all: 'everything stays',
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
  if (running) return { tone: 'neutral', text: 'At this moment' }
  if (!lastRun) return { tone: 'neutral', text: `Not yet. ${firstWords(waits, now)}`.trim() }
  const age = formatAge(lastRun.finishedMs, now)
  const { care, error } = lastRun
  if (lastRun.outcome === 'stopped') return { tone: 'neutral', text: `Broken off ${age} for something else. It goes on at a quiet moment.` }
  if (error) {
    if (error.code === 'crashed') return { tone: 'warn', text: `Cut off ${age}. It goes on by itself.` }
    return { tone: error.retryable ? 'warn' : 'bad', text: `Failed ${age}. ${errorText(error).title}. It is tried again by itself.` }
  }
  if (!care) return { tone: 'neutral', text: age }
  const parts = doneWords(care)
  return { tone: toneOf(care), text: `${capital(age)}: ${parts.length > 0 ? parts.join(', ') : 'nothing was to be done'}. ${readBackWords(care, now)}`.trim() }
}

function firstWords(waits: Wait | undefined, now: number): string {
  if (!waits) return ''
  return waits.wait.type === 'asked' ? 'It begins after the first backup.' : waitWords(waits, now)
}

function doneWords({ forgotten, freedBytes, prune, affectedCount, drill, drilledFiles }: CareFigures): readonly string[] {
  const restored = formatThings(drilledFiles, 'file', 'files')
  return [
    ...(affectedCount > 0 ? [`${formatThings(affectedCount, 'file', 'files')} cannot be restored whole`] : []),
    ...(drill === 'failed' ? [`a test restore of ${restored} failed`] : []),
    ...(forgotten > 0 ? [`${formatThings(forgotten, 'snapshot', 'snapshots')} removed`] : []),
    ...(freedBytes > 0 ? [`${formatBytes(freedBytes)} freed`] : []),
    ...(prune === 'failed' ? ['space could not be freed'] : []),
    ...(drill === 'passed' ? [`${restored} restored for a test`] : []),
    ...(drill === 'warnings' ? [`${restored} restored for a test, with warnings`] : []),
    ...(drill === 'no room' ? ['no room on this computer for a test restore'] : []),
  ]
}

function readBackWords({ unreadPacks, oldestVerifiedMs }: CareFigures, now: number): string {
  if (unreadPacks > 0) return `${formatThings(unreadPacks, 'pack was', 'packs were')} never read back so far.`
  return oldestVerifiedMs === undefined ? '' : `Oldest read-back of a pack: ${formatAge(oldestVerifiedMs, now)}.`
}

function toneOf({ affectedCount, drill, prune }: CareFigures): CareLine['tone'] {
  if (affectedCount > 0 || drill === 'failed') return 'bad'
  return drill === 'warnings' || prune === 'failed' || drill === 'no room' ? 'warn' : 'neutral'
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
