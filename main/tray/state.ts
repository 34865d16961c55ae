import * as m from '../text/compiled/messages.js'
import type { AppState, JobView, Notice, PauseLength, WaitReason } from '../api/contract.ts'
import { awaitedCondition, diskNames } from '../api/conditions.ts'
import { protectionOf, type Concern, type Protection } from '../api/protection.ts'
import { agoWords, spanWords } from '../api/span.ts'
import { assertNever } from '../system/never.ts'
import { intlLocale } from '../text/language.ts'
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
  if (active.length > 0) return m.tray_tooltip_backingUp({ active: active.join(', ') })
  if (icon === 'working') return m.tray_tooltip_restoring()
  const [worst] = concerns
  if (worst && (icon === 'error' || (icon === 'warning' && worst.severity === 'warn'))) return m.tray_tooltip_concern({ concern: concernWords(worst, nowMs) })
  if (icon === 'warning') return m.tray_tooltip_needsYou()
  if (icon === 'paused') return m.tray_tooltip_paused({ paused: pausedText(state, nowMs) })
  return newest ? m.tray_tooltip_last({ age: agoWords(nowMs - newest.completeMs) }) : 'Holdfast'
}

function concernWords({ what, job }: Concern, nowMs: number): string {
  switch (what.type) {
    case 'damaged':
      return m.tray_concern_damaged()
    case 'drill':
      return m.tray_concern_drill()
    case 'password':
      return m.tray_concern_password()
    case 'late':
      return what.sinceMs === undefined ? m.tray_concern_late({ name: job.config.name }) : m.tray_concern_lateSince({ name: job.config.name, span: spanWords(nowMs - what.sinceMs) })
    case 'failed':
      return m.tray_concern_failed()
    case 'sign-in':
      return m.tray_concern_signIn()
    case 'disk':
      return m.tray_concern_disk({ name: job.config.name, disks: diskNames(what.names) })
    case 'held':
      return m.tray_concern_held()
    case 'care':
      return m.tray_concern_care()
    case 'copy':
      return m.tray_concern_copy()
    case 'warnings':
      return m.tray_concern_warnings()
    case 'first':
      return m.tray_concern_first()
    default:
      return assertNever(what)
  }
}

function menuOf(state: AppState, nowMs: number): readonly TrayItem[] {
  const line: TrayItem = { label: '', enabled: true }
  const jobs = state.jobs.map((job) => jobItem(job, nowMs))
  const pause: readonly TrayItem[] = state.pausedAll
    ? [{ label: capitalised(pausedText(state, nowMs)), enabled: false }, { label: m.tray_menu_resume(), enabled: true, action: { type: 'resume-all' } }]
    : [{ label: m.tray_menu_pauseAll(), enabled: state.jobs.length > 0, items: pauseLengths().map(([length, label]) => ({ label, enabled: true, action: { type: 'pause-all', length } })) }]
  return [
    { label: m.tray_menu_open(), enabled: true, action: { type: 'open' } },
    line,
    ...(jobs.length > 0 ? jobs : [{ label: m.tray_menu_noBackups(), enabled: false }]),
    line,
    ...pause,
    line,
    { label: m.tray_menu_quit(), enabled: true, action: { type: 'quit' } },
  ]
}

const pauseLengths = (): readonly (readonly [PauseLength, string])[] => [
  [1, m.tray_pause_oneHour()], [2, m.tray_pause_twoHours()], [4, m.tray_pause_fourHours()], ['tomorrow', m.tray_pause_tomorrow()], ['resumed', m.tray_pause_resumed()],
]

const timeOfDay = (): Intl.DateTimeFormat => new Intl.DateTimeFormat(intlLocale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** As the window has it. */
function pausedText({ pausedUntilMs }: AppState, nowMs: number): string {
  if (pausedUntilMs === undefined) return m.tray_pausedNow()
  const isToday = new Date(pausedUntilMs).toDateString() === new Date(nowMs).toDateString()
  const time = timeOfDay().format(pausedUntilMs)
  return isToday ? m.tray_pausedUntil({ time }) : m.tray_pausedUntilTomorrow({ time })
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
      job.signIn ? { label: m.tray_job_signIn(), enabled: true, action: { type: 'open-job', jobId: id } } : { label: m.tray_job_run(), enabled: state === 'idle', action: { type: 'run', jobId: id } },
      { label: m.tray_job_show(), enabled: true, action: { type: 'open-job', jobId: id } },
    ],
  }
}

function resultText({ state, lastRun, signIn, waits }: JobView, nowMs: number): string {
  switch (state) {
    case 'queued':
      return waits ? waitingText(waits.wait) : m.tray_waiting_other()
    case 'running':
      return m.tray_result_running()
    case 'restarting':
      return m.tray_result_restarting()
    case 'paused':
      return waits ? waitingText(waits.wait) : m.tray_pausedNow()
    case 'stopping':
      return m.tray_result_stopping()
    case 'idle':
      if (signIn) return m.tray_result_signIn()
      if (waits?.wait.type === 'away' || waits?.wait.type === 'catch-up' || (waits && awaitedCondition(waits.wait) !== undefined)) return waitingText(waits.wait)
      return lastRun ? `${outcomeWords[lastRun.outcome]()} ${agoWords(nowMs - lastRun.finishedMs)}` : m.tray_result_never()
  }
}

function waitingText(wait: WaitReason): string {
  const condition = awaitedCondition(wait)
  if (condition !== undefined) return m.tray_waiting_condition({ condition })
  switch (wait.type) {
    case 'away':
      return wait.what === 'source' ? m.tray_waiting_source() : m.tray_waiting_destination()
    case 'catch-up':
      return m.tray_waiting_catchUp()
    case 'sign-in':
      return m.tray_waiting_signIn()
    case 'paused':
      return m.tray_waiting_paused()
    case 'place':
      return m.tray_waiting_place()
    case 'repository':
      return m.tray_waiting_repository()
    default:
      return m.tray_waiting_other()
  }
}

const outcomeWords = {
  success: m.tray_outcome_success,
  unchanged: m.tray_outcome_success,
  warnings: m.tray_outcome_warnings,
  partial: m.tray_outcome_partial,
  failed: m.tray_outcome_failed,
  stopped: m.tray_outcome_stopped,
} as const
