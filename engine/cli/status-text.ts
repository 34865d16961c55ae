import { isLate, type AppPresence, type AppStatus, type Attention, type CopyStatus, type JobStatus, type RunStatus } from '../protocol/app-status.ts'
import { formatBytes, formatDuration, formatPlural, formatTime } from './format.ts'

/** `Holdfast 0.1.0 is running. Everything is paused.` */
export function appLine({ app, writtenMs, pausedAll, pausedUntilMs }: AppStatus, presence: AppPresence, nowMs: number): string {
  const until = pausedUntilMs !== undefined && pausedUntilMs > nowMs ? ` until ${formatTime(pausedUntilMs)}` : ''
  const isPaused = pausedAll && (pausedUntilMs === undefined || pausedUntilMs > nowMs)
  return `${presenceWords[presence](app, formatTime(writtenMs))}${isPaused ? ` Everything is paused${until}.` : ''}`
}

const presenceWords: Readonly<Record<AppPresence, (app: string, written: string) => string>> = {
  running: (app) => `Holdfast ${app} is running.`,
  silent: (app, written) => `Holdfast ${app} has told nothing since ${written}: it hangs, or the computer slept.`,
  ended: (_app, written) => `The app is not running: nothing starts by itself. This is how things were at ${written}.`,
}

export function jobLines(job: JobStatus, nowMs: number): readonly string[] {
  const { name, schedule, destination, lastRun, lastSuccess, heldSince, care, copies } = job
  return [
    '',
    `${name}, ${schedule}, to ${destination}`,
    `  last backup  ${lastSuccess ? successWords(lastSuccess) : 'never'}`,
    ...(lastRun && lastRun.startedMs !== lastSuccess?.startedMs ? [`  last run     ${runWords(lastRun)}`] : []),
    `  now          ${nowWords(job, nowMs)}`,
    ...(isLate(job, nowMs) ? [`  late         since ${formatTime(job.lateFromMs)}`] : []),
    ...(heldSince === undefined ? [] : [`  held         ${heldSince} was unusual: nothing older is let go until somebody says that it is fine`]),
    ...(care ? [`  care         ${runWords(care)}`] : []),
    ...copies.map((copy) => `  copy         ${copyWords(copy)}`),
  ]
}

function successWords(run: RunStatus): string {
  const { finishedMs, startedMs, files, bytes, uploadedBytes, snapshot, outcome, problems } = run
  const warnings = outcome === 'warnings' ? `, ${formatPlural(problems, 'warning')}` : ''
  const of = snapshot === undefined ? '' : ` (${snapshot})`
  return `${formatTime(finishedMs)}${of}: ${formatPlural(files, 'file')}, ${formatBytes(bytes)}, ${formatBytes(uploadedBytes)} sent in ${formatDuration(finishedMs - startedMs)}${warnings}`
}

const outcomeWords: Readonly<Record<RunStatus['outcome'], string>> = {
  success: 'success', unchanged: 'nothing had changed', warnings: 'success, with warnings', partial: 'not finished', failed: 'failed', stopped: 'stopped',
}

function runWords({ outcome, finishedMs, error }: RunStatus): string {
  return `${formatTime(finishedMs)}: ${outcomeWords[outcome]}${error ? `, ${error.code}: ${error.message}` : ''}`
}

const stateWords: Readonly<Record<string, string>> = {
  queued: 'waits for its turn', running: 'backs up', paused: 'is paused', restarting: 'starts again after a crash', stopping: 'stops',
}

const waitWords: Readonly<Record<string, string>> = {
  'schedule': 'next backup',
  'changes': 'waits for a change, in any case',
  'catch-up': 'makes up for a missed backup',
  'retry': 'tries again',
  'away': 'waits for what is away',
  'asked': 'starts only when somebody asks',
  'paused': 'is paused',
  'sign-in': 'waits until somebody signs in',
  'power': 'waits for mains power',
  'battery': 'waits until the battery is fuller',
  'metered': 'waits for a network where data costs nothing',
  'network': 'waits for another network',
  'idle': 'waits until nobody uses the computer',
  'place': 'waits until fewer backups run',
  'quiet': 'waits for a quiet moment',
  'repository': 'waits for other work on its repository',
}

function nowWords({ state, waits }: JobStatus, nowMs: number): string {
  if (state !== 'idle' && state !== 'queued') return stateWords[state] ?? state
  if (!waits) return state === 'queued' ? 'waits for its turn' : 'is about to start'
  const due = waits.untilMs === undefined ? '' : waits.untilMs < nowMs ? `, was due ${formatTime(waits.untilMs)}` : ` ${formatTime(waits.untilMs)}`
  return `${waitWords[waits.reason] ?? `waits (${waits.reason})`}${due}`
}

function copyWords({ destination, completeMs, snapshots, lastRun }: CopyStatus): string {
  const whole = completeMs === undefined ? 'not whole yet' : `whole at ${formatTime(completeMs)}`
  const bad = lastRun && (lastRun.outcome === 'failed' || lastRun.outcome === 'partial' || lastRun.outcome === 'warnings') ? `; last run ${runWords(lastRun)}` : ''
  return `${destination}: ${whole}${snapshots === undefined ? '' : `, ${formatPlural(snapshots, 'snapshot')}`}${bad}`
}

const attentionWords: Readonly<Record<Attention['reason'], string>> = {
  'failed': 'the last backup failed',
  'partial': 'the last backup did not finish',
  'warnings': 'the last backup had warnings',
  'sign-in': 'waits until somebody signs in',
  'held': 'held for an unusual backup',
  'late': 'no backup for too long',
  'missed': 'was due while the app is not running',
  'password': 'its password is not kept, or cannot be opened',
  'copy': 'the last copy did not end well:',
  'care': 'looking after its repository did not end well',
  'other-late': 'no backup for too long:',
  'damaged': 'damaged and put aside, file of the app:',
}

/** What somebody should look at, a line each. */
export function attentionLines(attention: readonly Attention[]): readonly string[] {
  if (attention.length === 0) return ['', 'All is well.']
  return ['', ...attention.map(({ job, reason, detail }) => `! ${job === undefined ? '' : `${job}: `}${attentionWords[reason]}${detail === undefined ? '' : ` ${detail}`}`)]
}
