import * as m from '../../main/text/compiled/messages.js'
import type { JobRunState, JobView, LiveRun, Operation, Progress, RunView, Wait, WaitReason } from '../state/bridge.ts'
import type { IconName } from '../parts/icons.ts'
import { awaitedWords } from './conditions.ts'
import { accountWords } from './account-words.ts'
import { diskWords } from './disks.ts'
import { pauseWords } from './pause.ts'
import { scheduleText } from './schedule.ts'
import { words } from './words.ts'
import { formatBytes, formatMoment, formatPercent, formatRate, formatEta } from './format.ts'

type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'neutral'

/** A state as shape, colour and words: never as colour alone. */
export interface Status {
  readonly tone: Tone
  readonly icon: IconName
  readonly words: string
}

const outcomes: Readonly<Record<RunView['outcome'], Status>> = {
  success: { tone: 'good', icon: 'success', words: m.status_outcomes_success_words() },
  unchanged: { tone: 'good', icon: 'success', words: m.status_outcomes_unchanged_words() },
  warnings: { tone: 'warn', icon: 'warning', words: m.status_outcomes_warnings_words() },
  partial: { tone: 'warn', icon: 'warning', words: m.status_outcomes_partial_words() },
  failed: { tone: 'bad', icon: 'error', words: m.status_outcomes_failed_words() },
  stopped: { tone: 'neutral', icon: 'never', words: m.status_outcomes_stopped_words() },
}

const states: Readonly<Record<Exclude<JobRunState, 'idle'>, Status>> = {
  queued: { tone: 'neutral', icon: 'clock', words: m.status_states_queued_words() },
  running: { tone: 'busy', icon: 'up', words: m.status_states_running_words() },
  paused: { tone: 'neutral', icon: 'pause', words: m.status_states_paused_words() },
  restarting: { tone: 'warn', icon: 'refresh', words: m.status_states_restarting_words() },
  stopping: { tone: 'neutral', icon: 'stop', words: m.status_states_stopping_words() },
}

export function outcomeStatus(run: Pick<RunView, 'outcome' | 'problems' | 'operation'>): Status {
  const status = outcomes[run.outcome]
  const isRestore = run.operation === 'restore'
  if (run.outcome !== 'warnings') return { ...status, words: isRestore ? restoreOutcome(run.outcome) : status.words }
  return { ...status, words: isRestore ? m.status_restoredWithWarnings({ count: run.problems }) : m.status_backedUpWithWarnings({ count: run.problems }) }
}

function restoreOutcome(outcome: Exclude<RunView['outcome'], 'warnings'>): string {
  if (outcome === 'success') return m.status_restored()
  return outcome === 'unchanged' ? m.status_restoredUnchanged() : outcomes[outcome].words
}

/** What the icon of a job says: what it does now, else how its last run ended. */
export function jobStatus(job: JobView, live: LiveRun | undefined): Status {
  const waitingFor = job.state === 'running' ? live?.progress?.waitingFor : undefined
  if (waitingFor?.code === 'permit') return { tone: 'neutral', icon: 'clock', words: m.status_jobStatus_words() }
  if (waitingFor) return { tone: 'warn', icon: 'offline', words: job.config.destination.type === 'folder' && waitingFor.code === 'offline' ? diskWords.waitingForDisk : waitingShort }
  if (isWaitingForDisk(job)) return { tone: 'neutral', icon: 'drive', words: diskWords.waiting(job.waits.wait.names) }
  const held = job.state === 'paused' && job.waits ? awaitedWords(job.waits.wait) : undefined
  if (held !== undefined) return { ...states.paused, words: m.status_jobStatus_words2({ held }) }
  if (job.state !== 'idle') return states[job.state]
  if (job.signIn) return { tone: 'warn', icon: 'key', words: accountWords.jobWaits(job.signIn) }
  if (job.hold) return { tone: 'bad', icon: 'warning', words: words.job.hold.short }
  if (!job.lastRun) return { tone: 'neutral', icon: 'never', words: m.status_jobStatus_words3() }
  return outcomeStatus(job.lastRun)
}

/** It is asked for, or broke off, and only its disk is missing. */
function isWaitingForDisk(job: JobView): job is JobView & { readonly waits: { readonly wait: Extract<WaitReason, { type: 'disk' }> } } {
  if (job.waits?.wait.type !== 'disk') return false
  return job.state === 'queued' || (job.state === 'idle' && !job.signIn && !job.hold && job.lastRun?.error?.retryable === true)
}

/** Why a job does not run now, and when it will, in a few words. */
export function waitWords({ wait, untilMs }: Wait, now: number): string {
  const text = words.jobs.waits
  const awaited = awaitedWords(wait)
  if (awaited !== undefined) return m.status_wait({ awaited })
  switch (wait.type) {
    case 'schedule':
      return untilMs === undefined ? '' : text.next(formatMoment(untilMs, now))
    case 'changes':
      return text.changes
    case 'catch-up':
      return untilMs === undefined ? '' : scheduleText.missed(formatMoment(untilMs, now))
    case 'retry':
      return untilMs === undefined ? '' : text.retry(formatMoment(untilMs, now))
    case 'away':
      return wait.what === 'source' ? text.sourceAway : text.destinationAway
    case 'asked':
      return words.jobs.manual
    case 'paused':
      return untilMs === undefined ? text.paused : pauseWords.until(untilMs, now)
    case 'sign-in':
      return text.signIn
    case 'place':
      return text.place(wait.most)
    case 'repository':
      return text.repository
    case 'quiet':
      return text.quiet
    case 'ending':
      return text.ending
    default:
      return ''
  }
}

/** What has to happen before a job that is in the queue starts. */
export function queuedWords(waits: Wait | undefined): string {
  if (waits?.wait.type === 'disk') return diskWords.queued(waits.wait.names)
  const awaited = waits && awaitedWords(waits.wait)
  if (awaited !== undefined) return m.status_queued({ awaited })
  switch (waits?.wait.type) {
    case 'paused':
      return words.job.queuedPaused
    case 'sign-in':
      return words.job.queuedSignIn
    default:
      return words.job.queued
  }
}

export function stateStatus(state: Exclude<JobRunState, 'idle'>, operation: Operation): Status {
  const status = states[state]
  return operation === 'restore' && state === 'running' ? { ...status, icon: 'down', words: m.status_stateStatus_words() } : status
}

const waiting: Readonly<Record<NonNullable<Progress['waitingFor']>['code'], string>> = {
  offline: m.status_waiting_offline(),
  unavailable: m.status_waiting_unavailable(),
  throttled: m.status_waiting_throttled(),
  permit: m.status_waiting_permit(),
}

const waitingShort = m.status_waitingShort()

export function waitingWords(waitingFor: NonNullable<Progress['waitingFor']>): string {
  return waiting[waitingFor.code]
}

/** How many transfers may run at once, and why not as many as the user wants. */
export function atOnceWords({ limit, wanted, because }: NonNullable<Progress['atOnce']>): string {
  if (because === undefined || limit >= wanted) return m.status_atOnce({ limit })
  return m.status_atOnce2({ limit, wanted, part: because === 'refused' ? m.status_atOnce3() : m.status_atOnce4() })
}

const working: Partial<Record<Operation, string>> = {
  backup: m.status_working_backup(),
  restore: m.status_working_restore(),
  check: m.status_working_check(),
  prune: m.status_working_prune(),
  rebuild: m.status_working_rebuild(),
  sync: m.status_working_sync(),
}

export function phaseWords(progress: Progress): string {
  switch (progress.phase) {
    case 'opening':
      return m.status_phase_opening()
    case 'scanning':
      return m.status_phase_scanning()
    case 'working':
      return working[progress.operation] ?? m.status_phase_working()
    case 'finishing':
      return m.status_phase_finishing()
    case 'verifying':
      return m.status_phase_verifying()
  }
}

/** `412 MB of 1.24 GB`: what this run has dealt with, against what it found; empty before it has found anything. */
function amountWords(progress: Progress): string {
  if (progress.bytes.found === 0) return ''
  const done = Math.max(0, progress.bytes.found - progress.bytes.waiting)
  return m.status_amount({ done: formatBytes(done), found: formatBytes(progress.bytes.found) })
}

/** All transfers as one line. */
export function sumWords(progress: Progress): string {
  const amount = amountWords(progress)
  return amount === '' || progress.paused || progress.waitingFor ? amount : m.status_sum({ amount, bytesPerSecond: formatRate(progress.bytesPerSecond) })
}

/** What a row of the list has room for: remaining time and speed. */
export function shortWords(progress: Progress): string {
  if (progress.paused || progress.waitingFor) return amountWords(progress)
  const left = progress.etaMs ? formatEta(progress.etaMs) : amountWords(progress)
  return left === '' ? '' : `${left} · ${formatRate(progress.bytesPerSecond)}`
}

export function etaWords(progress: Progress): string {
  if (progress.waitingFor?.code === 'permit') return waiting.permit
  if (progress.paused || progress.waitingFor) return ''
  return progress.etaMs ? formatEta(progress.etaMs) : progress.phase === 'working' ? m.status_eta() : ''
}

export function continuingWords(progress: Progress): string {
  return progress.continuedFraction === undefined ? '' : m.status_continuing({ continuedFraction: formatPercent(progress.continuedFraction) })
}

/** Headings of the five counters. */
export function counterNames(operation: Operation): Readonly<Record<keyof Progress['files'], string>> {
  return operation === 'restore'
    ? { found: m.status_counterNames_found(), unchanged: m.status_counterNames_unchanged(), deduplicated: m.status_counterNames_deduplicated(), uploaded: m.status_counterNames_uploaded(), waiting: m.status_counterNames_waiting() }
    : { found: m.status_counterNames_found2(), unchanged: m.status_counterNames_unchanged2(), deduplicated: m.status_counterNames_deduplicated2(), uploaded: m.status_counterNames_uploaded2(), waiting: m.status_counterNames_waiting2() }
}
