import type { JobRunState, JobView, LiveRun, Operation, Progress, RunView, Wait, WaitReason } from '../state/bridge.ts'
import type { IconName } from '../parts/icons.ts'
import { awaitedWords } from './conditions.ts'
import { accountWords } from './account-words.ts'
import { diskWords } from './disks.ts'
import { pauseWords } from './pause.ts'
import { scheduleText } from './schedule.ts'
import { words } from './words.ts'
import { formatBytes, formatMoment, formatPercent, formatRate, formatEta, formatThings } from './format.ts'

type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'neutral'

/** A state as shape, colour and words: never as colour alone. */
export interface Status {
  readonly tone: Tone
  readonly icon: IconName
  readonly words: string
}

const outcomes: Readonly<Record<RunView['outcome'], Status>> = {
  success: { tone: 'good', icon: 'success', words: 'Backed up' },
  unchanged: { tone: 'good', icon: 'success', words: 'Nothing had changed' },
  warnings: { tone: 'warn', icon: 'warning', words: 'Backed up with warnings' },
  partial: { tone: 'warn', icon: 'warning', words: 'Not finished' },
  failed: { tone: 'bad', icon: 'error', words: 'Failed' },
  stopped: { tone: 'neutral', icon: 'never', words: 'Stopped' },
}

const states: Readonly<Record<Exclude<JobRunState, 'idle'>, Status>> = {
  queued: { tone: 'neutral', icon: 'clock', words: 'Waiting for its turn' },
  running: { tone: 'busy', icon: 'up', words: 'Backing up' },
  paused: { tone: 'neutral', icon: 'pause', words: 'Paused' },
  restarting: { tone: 'warn', icon: 'refresh', words: 'Starting again' },
  stopping: { tone: 'neutral', icon: 'stop', words: 'Stopping' },
}

export function outcomeStatus(run: Pick<RunView, 'outcome' | 'problems' | 'operation'>): Status {
  const status = outcomes[run.outcome]
  const words = run.operation === 'restore' ? restoreOutcome(run.outcome) : status.words
  if (run.outcome !== 'warnings') return { ...status, words }
  return { ...status, words: `${words.replace(' with warnings', '')}, ${formatThings(run.problems, 'warning', 'warnings')}` }
}

function restoreOutcome(outcome: RunView['outcome']): string {
  if (outcome === 'success') return 'Restored'
  if (outcome === 'unchanged') return 'Everything was there already'
  return outcome === 'warnings' ? 'Restored with warnings' : outcomes[outcome].words
}

/** What the icon of a job says: what it does now, else how its last run ended. */
export function jobStatus(job: JobView, live: LiveRun | undefined): Status {
  const waitingFor = job.state === 'running' ? live?.progress?.waitingFor : undefined
  if (waitingFor?.code === 'permit') return { tone: 'neutral', icon: 'clock', words: 'Waiting for other jobs' }
  if (waitingFor) return { tone: 'warn', icon: 'offline', words: job.config.destination.type === 'folder' && waitingFor.code === 'offline' ? diskWords.waitingForDisk : waitingShort }
  if (isWaitingForDisk(job)) return { tone: 'neutral', icon: 'drive', words: diskWords.waiting(job.waits.wait.names) }
  const held = job.state === 'paused' && job.waits ? awaitedWords(job.waits.wait) : undefined
  if (held !== undefined) return { ...states.paused, words: `Paused: waits for ${held}` }
  if (job.state !== 'idle') return states[job.state]
  if (job.signIn) return { tone: 'warn', icon: 'key', words: accountWords.jobWaits(job.signIn) }
  if (job.hold) return { tone: 'bad', icon: 'warning', words: words.job.hold.short }
  if (!job.lastRun) return { tone: 'neutral', icon: 'never', words: 'Never run' }
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
  if (awaited !== undefined) return `Waits for ${awaited}`
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
  if (awaited !== undefined) return `It starts when there is ${awaited}.`
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
  return operation === 'restore' && state === 'running' ? { ...status, icon: 'down', words: 'Restoring' } : status
}

const waiting: Readonly<Record<NonNullable<Progress['waitingFor']>['code'], string>> = {
  offline: 'Waiting for the storage to be reachable',
  unavailable: 'Waiting for the storage to answer',
  throttled: 'Waiting: the storage asks for a slower pace',
  permit: 'Waiting for other jobs with this storage',
}

const waitingShort = 'Waiting for the storage'

export function waitingWords(waitingFor: NonNullable<Progress['waitingFor']>): string {
  return waiting[waitingFor.code]
}

/** How many transfers may run at once, and why not as many as the user wants. */
export function atOnceWords({ limit, wanted, because }: NonNullable<Progress['atOnce']>): string {
  if (because === undefined || limit >= wanted) return `up to ${limit} at once`
  return `up to ${limit} at once, not ${wanted}: ${because === 'refused' ? 'the storage takes no more just now' : 'more have not been faster so far'}`
}

const working: Partial<Record<Operation, string>> = {
  backup: 'Backing up',
  restore: 'Restoring',
  check: 'Checking',
  prune: 'Cleaning up',
  rebuild: 'Rebuilding the index',
  sync: 'Copying snapshots',
}

export function phaseWords(progress: Progress): string {
  switch (progress.phase) {
    case 'opening':
      return 'Opening the repository'
    case 'scanning':
      return 'Looking for changes'
    case 'working':
      return working[progress.operation] ?? 'Working'
    case 'finishing':
      return 'Finishing'
    case 'verifying':
      return 'Verifying a sample'
  }
}

/** `412 MB of 1.24 GB`: what this run has dealt with, against what it found; empty before it has found anything. */
function amountWords(progress: Progress): string {
  if (progress.bytes.found === 0) return ''
  const done = Math.max(0, progress.bytes.found - progress.bytes.waiting)
  return `${formatBytes(done)} of ${formatBytes(progress.bytes.found)}`
}

/** All transfers as one line. */
export function sumWords(progress: Progress): string {
  const amount = amountWords(progress)
  return amount === '' || progress.paused || progress.waitingFor ? amount : `${amount} at ${formatRate(progress.bytesPerSecond)}`
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
  return progress.etaMs ? formatEta(progress.etaMs) : progress.phase === 'working' ? 'estimating…' : ''
}

export function continuingWords(progress: Progress): string {
  return progress.continuedFraction === undefined ? '' : `Continuing at ${formatPercent(progress.continuedFraction)}`
}

/** Headings of the five counters. */
export function counterNames(operation: Operation): Readonly<Record<keyof Progress['files'], string>> {
  return operation === 'restore'
    ? { found: 'To restore', unchanged: 'Already there', deduplicated: 'Copied locally', uploaded: 'Written', waiting: 'Waiting' }
    : { found: 'Found', unchanged: 'Unchanged', deduplicated: 'Deduplicated', uploaded: 'Uploaded', waiting: 'Waiting' }
}
