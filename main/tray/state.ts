import type { AppState, JobView, Notice, PauseLength, WaitReason } from '../api/contract.ts'
import { awaitedCondition, diskNames } from '../api/conditions.ts'
import { protectionOf, type Concern, type Protection } from '../api/protection.ts'
import { agoWords, spanWords } from '../api/span.ts'
import { assertNever } from '../system/never.ts'
import { visibleText } from '../../engine/protocol/visible-text.ts'

/** What the icon says. */
export type TrayIcon = 'idle' | 'working' | 'paused' | 'warning' | 'error'

export type TrayAction =
  | { readonly type: 'run'; readonly jobId: string }
  | { readonly type: 'open-job'; readonly jobId: string }
  | { readonly type: 'pause-all'; readonly length: PauseLength }
  | { readonly type: 'resume-all' }
  | { readonly type: 'open' }
  | { readonly type: 'quit' }

export interface TrayItem {
  /** Empty: a line between groups. */
  readonly label: string
  readonly enabled: boolean
  readonly action?: TrayAction
  readonly items?: readonly TrayItem[]
}

export interface TrayState {
  readonly icon: TrayIcon
  readonly tooltip: string
  readonly menu: readonly TrayItem[]
}

/** Everything that the tray shows. Pure: equal states give equal trays. */
export function trayState(state: AppState, nowMs: number): TrayState {
  const protection = protectionOf(state, nowMs)
  const icon = iconOf(state, protection)
  return { icon, tooltip: visibleText(tooltipOf(state, icon, protection, nowMs)), menu: menuOf(state, nowMs) }
}

/** What runs hides an old failure only while it runs; else it is the sentence of the home page as an icon. */
function iconOf(state: AppState, { level }: Protection): TrayIcon {
  const { jobs, restores } = state
  if (jobs.some(isActive) || restores.some((one) => !one.result)) return 'working'
  if (level === 'bad') return 'error'
  if (level === 'warn' || state.notices.some(isWarning)) return 'warning'
  return state.pausedAll || jobs.some((job) => job.state === 'paused') ? 'paused' : 'idle'
}

/** A crash that the supervisor made good is told in the window alone. */
function isWarning(notice: Notice): boolean {
  return notice.type !== 'secrets-in-file' && notice.type !== 'kit' && (notice.type !== 'engine-crashed' || notice.givenUp)
}

function isActive(job: JobView): boolean {
  return job.state !== 'idle' && job.state !== 'paused'
}

function tooltipOf(state: AppState, icon: TrayIcon, { concerns, newest }: Protection, nowMs: number): string {
  const active = state.jobs.filter(isActive).map((job) => job.config.name)
  if (active.length > 0) return `Holdfast: backing up ${active.join(', ')}`
  if (icon === 'working') return 'Holdfast: restoring'
  const [worst] = concerns
  if (worst && (icon === 'error' || (icon === 'warning' && worst.severity === 'warn'))) return `Holdfast: ${concernWords(worst, nowMs)}`
  if (icon === 'warning') return 'Holdfast: something needs you'
  if (icon === 'paused') return `Holdfast: ${pausedText(state, nowMs)}`
  return newest ? `Holdfast: last backup ${agoWords(nowMs - newest.completeMs)}` : 'Holdfast'
}

function concernWords({ what, job }: Concern, nowMs: number): string {
  switch (what.type) {
    case 'damaged':
      return 'a backup is damaged'
    case 'drill':
      return 'a restore that was tried has failed'
    case 'password':
      return 'a backup lacks its password'
    case 'late':
      return what.sinceMs === undefined ? `${job.config.name} was never backed up` : `no backup of ${job.config.name} for ${spanWords(nowMs - what.sinceMs)}`
    case 'failed':
      return 'a backup failed'
    case 'sign-in':
      return 'a backup waits until you sign in'
    case 'disk':
      return `${job.config.name} waits for the disk ${diskNames(what.names)}`
    case 'held':
      return 'an unusual change in a backup'
    case 'care':
      return 'a backup could not be looked after'
    case 'copy':
      return 'a backup could not be copied'
    case 'warnings':
      return 'done with warnings'
    case 'first':
      return 'a backup has never run'
    default:
      return assertNever(what)
  }
}

function menuOf(state: AppState, nowMs: number): readonly TrayItem[] {
  const line: TrayItem = { label: '', enabled: true }
  const jobs = state.jobs.map((job) => jobItem(job, nowMs))
  const pause: readonly TrayItem[] = state.pausedAll
    ? [{ label: capitalised(pausedText(state, nowMs)), enabled: false }, { label: 'Resume', enabled: true, action: { type: 'resume-all' } }]
    : [{ label: 'Pause all', enabled: state.jobs.length > 0, items: pauseLengths.map(([length, label]) => ({ label, enabled: true, action: { type: 'pause-all', length } })) }]
  return [
    { label: 'Open Holdfast', enabled: true, action: { type: 'open' } },
    line,
    ...(jobs.length > 0 ? jobs : [{ label: 'No backups yet', enabled: false }]),
    line,
    ...pause,
    line,
    { label: 'Quit', enabled: true, action: { type: 'quit' } },
  ]
}

const pauseLengths: readonly (readonly [PauseLength, string])[] = [
  [1, 'For 1 hour'], [2, 'For 2 hours'], [4, 'For 4 hours'], ['tomorrow', 'Until tomorrow morning'], ['resumed', 'Until I resume'],
]

const timeOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** As the window has it. */
function pausedText({ pausedUntilMs }: AppState, nowMs: number): string {
  if (pausedUntilMs === undefined) return 'paused'
  const isToday = new Date(pausedUntilMs).toDateString() === new Date(nowMs).toDateString()
  return `paused until ${isToday ? '' : 'tomorrow '}${timeOfDay.format(pausedUntilMs)}`
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function jobItem(job: JobView, nowMs: number): TrayItem {
  const { id, config, state } = job
  return {
    label: `${visibleText(config.name)}: ${resultText(job, nowMs)}`,
    enabled: true,
    items: [
      job.signIn ? { label: 'Sign in…', enabled: true, action: { type: 'open-job', jobId: id } } : { label: 'Back up now', enabled: state === 'idle', action: { type: 'run', jobId: id } },
      { label: 'Show', enabled: true, action: { type: 'open-job', jobId: id } },
    ],
  }
}

function resultText({ state, lastRun, signIn, waits }: JobView, nowMs: number): string {
  switch (state) {
    case 'queued':
      return waits ? waitingText(waits.wait) : 'waiting'
    case 'running':
      return 'backing up'
    case 'restarting':
      return 'starting again'
    case 'paused':
      return waits ? waitingText(waits.wait) : 'paused'
    case 'stopping':
      return 'stopping'
    case 'idle':
      if (signIn) return 'waits until you sign in'
      if (waits?.wait.type === 'away' || waits?.wait.type === 'catch-up' || (waits && awaitedCondition(waits.wait) !== undefined)) return waitingText(waits.wait)
      return lastRun ? `${outcomeWords[lastRun.outcome]} ${agoWords(nowMs - lastRun.finishedMs)}` : 'never backed up'
  }
}

function waitingText(wait: WaitReason): string {
  const condition = awaitedCondition(wait)
  if (condition !== undefined) return `waits for ${condition}`
  switch (wait.type) {
    case 'away':
      return wait.what === 'source' ? 'waits for its source' : 'waits for its destination'
    case 'catch-up':
      return 'makes up for a missed backup soon'
    case 'sign-in':
      return 'waits until you sign in'
    case 'paused':
      return 'waits until you resume'
    case 'place':
      return 'waits for its turn'
    case 'repository':
      return 'waits for its repository'
    default:
      return 'waiting'
  }
}

const outcomeWords = {
  success: 'backed up',
  unchanged: 'backed up',
  warnings: 'backed up with warnings',
  partial: 'not finished',
  failed: 'failed',
  stopped: 'stopped',
} as const
