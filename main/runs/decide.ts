import type { Conditions, MissingAccount, Operation, RunView, Schedule, Surroundings, Wait } from '../api/contract.ts'
import { assertNever } from '../system/never.ts'
import { nextTimeMs, nextTimesMs } from '../api/schedule.ts'
import { holdReason, unmet, unmetByAny } from './conditions.ts'
import { dueTrigger, isForNow, nextRunMs, pendingChanges, settledMs, type Watching } from './schedule.ts'

export type Trigger = RunView['trigger']

/** What of an operation decides whether it may run now. */
export type Candidate = BackupCandidate | RestoreCandidate | CareCandidate | SyncCandidate

interface CandidateBase {
  readonly jobId: string
  /** Id of the repository's record. */
  readonly repository: string
  /** Somebody, or its schedule, has asked for it already: it is in the queue. */
  readonly asked?: Trigger
  /** It was paused before it began. */
  readonly held?: boolean
}

export interface BackupCandidate extends CandidateBase {
  readonly operation: 'backup'
  readonly schedule: Schedule
  readonly scheduledSinceMs: number
  readonly lastRun: RunView | undefined
  /** The run that was cut off, or ended for want of something that is back, goes on whatever the schedule says. */
  readonly goesOn: boolean
  /** Whom the storage waits for. */
  readonly missing: MissingAccount | undefined
  /** Names of the disks that its repository waits for, of which one is enough; absent: of none. */
  readonly disks?: readonly string[]
  /** IANA name; default: that of the machine. */
  readonly timezone?: string
  /** How long after the times of its schedule it starts, in ms. */
  readonly spreadMs?: number
  readonly watching?: Watching
  readonly conditions?: Conditions
}

interface RestoreCandidate extends CandidateBase {
  readonly operation: 'restore'
}

/** What nobody waits for: it goes behind all else, at quiet moments. */
export interface QuietCandidate extends CandidateBase {
  /** A first backup has made or found the repository. */
  readonly exists: boolean
  /** From when on it counts: when the first of the repository's jobs was scheduled, or its copy was added. */
  readonly sinceMs: number
  /** When something ended last in the repository, or this app started. */
  readonly quietSinceMs: number
  /** Of all jobs that go to it. */
  readonly schedules: readonly Schedule[]
  /** Of all jobs that go to it: what one of them must not do, what is done for them all does not either. */
  readonly conditions?: readonly (Conditions | undefined)[]
  readonly lastRun: RunView | undefined
  readonly missing: MissingAccount | undefined
  /** As of backups. */
  readonly disks?: readonly string[]
  readonly timezone?: string
}

interface CareCandidate extends QuietCandidate {
  readonly operation: 'care'
}

/** Of a copy; the repository is the one that is copied. */
interface SyncCandidate extends QuietCandidate {
  readonly operation: 'sync'
  /** What was away when the last run ended is back. */
  readonly goesOn: boolean
  /** When somebody stopped it last, who does not want it again at once. */
  readonly stoppedMs: number | undefined
}

/** What has an engine, or is about to get one. */
export interface Active {
  readonly operation: Operation
  readonly jobId: string
  readonly repository: string
}

/** What is the same for all. */
export interface Facts {
  /** The app is about to end. */
  readonly ending: boolean
  readonly pausedAll: boolean
  /** When that ends by itself. */
  readonly pausedUntilMs?: number
  readonly active: readonly Active[]
  /** What is in the queue and has no engine yet. */
  readonly waiting: readonly Active[]
  /** Backups that run at once. */
  readonly parallelJobs: number
  /** When the app started, or the computer woke up last. */
  readonly awakeSinceMs: number
  /** As of the last look. */
  readonly surroundings?: Surroundings
}

export type Decision = { readonly run: Trigger } | Waiting

interface Waiting extends Wait {
  /** It is due and waits for its turn only: it takes its place in the queue. */
  readonly due?: Trigger
}

/**
 * Whether an operation may run now, and if not, why: the one place where this is decided, for a tick of the clock, for a click, and for what waits in
 * the queue. Pure. The first reason of several is the one that somebody can do something about.
 */
export function decide(candidate: Candidate, facts: Facts, nowMs: number): Decision {
  if (facts.ending) return { wait: { type: 'ending' } }
  switch (candidate.operation) {
    case 'restore':
      // Somebody sits in front of it: it goes beside whatever runs.
      return { run: 'manual' }
    case 'backup':
      return decideBackup(candidate, facts, nowMs)
    case 'care':
      return decideQuiet(candidate, careDueMs(candidate), facts, nowMs)
    case 'sync':
      return decideQuiet(candidate, syncDueMs(candidate), facts, nowMs)
    default:
      return assertNever(candidate)
  }
}

export function isWait(decision: Decision): decision is Waiting {
  return 'wait' in decision
}

function decideBackup(candidate: BackupCandidate, facts: Facts, nowMs: number): Decision {
  const { missing, asked, held } = candidate
  if (missing) return { wait: { type: 'sign-in', ...missing } }
  // What is started by hand while everything is paused runs.
  if (held || (facts.pausedAll && asked !== 'manual')) return pausedWait(held, facts)
  const due = asked ?? (candidate.goesOn ? 'catch-up' : dueTrigger(candidate, nowMs))
  if (due === undefined) return waitForTime(candidate)
  // What is started by hand waits, too: at the path of a disk that is away there may be anything.
  if (candidate.disks) return { wait: { type: 'disk', names: candidate.disks } }
  const settled = asked === undefined && !candidate.goesOn ? settledMs(candidate, facts.awakeSinceMs, nowMs) : nowMs
  if (settled > nowMs) return { wait: { type: 'catch-up' }, untilMs: settled }
  const condition = asked === 'manual' ? undefined : unmet(candidate.conditions, facts.surroundings ?? {})
  if (condition) return { wait: condition }
  const running = facts.active.filter((one) => one.operation === 'backup')
  if (running.some((one) => one.jobId === candidate.jobId)) return { wait: { type: 'repository', operation: 'backup' } }
  if (running.length >= facts.parallelJobs) return { wait: { type: 'place', most: facts.parallelJobs }, due }
  return { run: due }
}

/** Why what is under way, and was not started by hand, is held for now: its conditions hold no longer. */
export function mustHold(candidate: Candidate, surroundings: Surroundings): Wait['wait'] | undefined {
  switch (candidate.operation) {
    case 'restore':
      return undefined
    case 'backup':
      return holdReason(candidate.conditions, surroundings)
    case 'care':
    case 'sync':
      return (candidate.conditions ?? []).map((one) => holdReason(one, surroundings)).find((one) => one !== undefined)
    default:
      return assertNever(candidate)
  }
}

/** What was paused itself goes on when somebody says so, whatever becomes of the pause of all. */
function pausedWait(held: boolean | undefined, { pausedUntilMs }: Facts): Waiting {
  return { wait: { type: 'paused' }, ...(held !== true && pausedUntilMs !== undefined && { untilMs: pausedUntilMs }) }
}

/** Care runs about once a day, for the first time a day after there is a job. */
const careEveryMs = 24 * 3_600_000
/** What was broken off for something else goes on when it is quiet; what failed for a reason that may be over is tried again. */
const careGoesOnMs = 15 * 60_000
const careAgainMs = 3_600_000
/** It begins so long after something has run in its repository, and not so shortly before the next backup; less where backups follow closer upon each other. */
const quietMs = { after: 10 * 60_000, before: 5 * 60_000 }

function quietAround(schedules: readonly Schedule[], nowMs: number, timezone: string | undefined): typeof quietMs {
  const gaps = schedules.map((schedule) => {
    const [first, second] = nextTimesMs(schedule, nowMs, 2, timezone)
    return first === undefined || second === undefined ? Infinity : second - first
  })
  const gapMs = Math.min(...gaps)
  return { after: Math.min(quietMs.after, gapMs / 4), before: Math.min(quietMs.before, gapMs / 10) }
}

/** Care and syncs: each kind runs alone, behind backups and restores. */
function decideQuiet(candidate: CareCandidate | SyncCandidate, dueMs: number, facts: Facts, nowMs: number): Decision {
  const { missing, asked, held, operation, repository } = candidate
  if (!candidate.exists) return { wait: { type: 'asked' } }
  if (missing) return { wait: { type: 'sign-in', ...missing } }
  if (held || (facts.pausedAll && asked !== 'manual')) return pausedWait(held, facts)
  if (dueMs > nowMs && asked !== 'manual') return { wait: untilDue(candidate), untilMs: dueMs }
  if (candidate.disks) return { wait: { type: 'disk', names: candidate.disks } }
  const busy = [...facts.active, ...facts.waiting.filter((one) => !isQuiet(one.operation))].find((one) => one.repository === repository || one.operation === 'restore')
  if (busy) return { wait: { type: 'repository', operation: busy.operation } }
  if (facts.active.some((one) => one.operation === operation)) return { wait: { type: 'place', most: 1 } }
  if (asked === 'manual') return { run: asked }
  const condition = unmetByAny(candidate.conditions ?? [], facts.surroundings ?? {})
  if (condition) return { wait: condition }
  // A clock that was set back is no reason to wait for it.
  const quiet = quietAround(candidate.schedules, nowMs, candidate.timezone)
  const restedMs = candidate.quietSinceMs + quiet.after
  if (restedMs > nowMs && candidate.quietSinceMs <= nowMs) return { wait: { type: 'quiet' }, untilMs: restedMs }
  const nextMs = Math.min(...candidate.schedules.map((one) => nextTimeMs(one, nowMs, candidate.timezone) ?? Infinity))
  return nextMs - nowMs <= quiet.before ? { wait: { type: 'quiet' }, untilMs: nextMs } : { run: 'schedule' }
}

function untilDue({ operation, lastRun }: CareCandidate | SyncCandidate): Wait['wait'] {
  const away = operation === 'sync' ? awayAfterSync(lastRun) : undefined
  return away ? { type: 'away', what: away } : { type: isForNow(lastRun) ? 'retry' : 'schedule' }
}

function isQuiet(operation: Operation): boolean {
  return operation === 'care' || operation === 'sync'
}

function careDueMs({ lastRun, sinceMs }: CareCandidate): number {
  if (!lastRun) return sinceMs + careEveryMs
  if (lastRun.outcome === 'stopped') return lastRun.finishedMs + careGoesOnMs
  return isForNow(lastRun) ? lastRun.finishedMs + careAgainMs : lastRun.startedMs + careEveryMs
}

/** A copy is begun as soon as there is something to copy, and then once a day. */
function syncDueMs({ lastRun, sinceMs, goesOn, stoppedMs = -Infinity }: SyncCandidate): number {
  if (goesOn) return -Infinity
  if (!lastRun) return sinceMs
  if (lastRun.outcome === 'stopped') return stoppedMs >= lastRun.startedMs ? stoppedMs + careEveryMs : lastRun.finishedMs + careGoesOnMs
  return isForNow(lastRun) ? lastRun.finishedMs + careAgainMs : lastRun.startedMs + careEveryMs
}

/** Whether care or a sync ends for now, because something that somebody waits for runs in its repository, or a restore anywhere. It goes on later from where it was. */
export function mustYield({ operation, repository }: Active, { active }: Pick<Facts, 'active'>): boolean {
  return isQuiet(operation) && active.some((one) => one.operation === 'restore' || (!isQuiet(one.operation) && one.repository === repository))
}

/** Nothing but time, or the return of what was away, starts it. */
function waitForTime(candidate: BackupCandidate): Waiting {
  const untilMs = nextRunMs(candidate)
  const until = untilMs === undefined ? {} : { untilMs }
  const away = awayAfter(candidate.lastRun)
  if (candidate.disks && (away === 'destination' || isForNow(candidate.lastRun))) return { wait: { type: 'disk', names: candidate.disks } }
  if (away) return { wait: { type: 'away', what: away }, ...until }
  if (untilMs === undefined) return { wait: { type: 'asked' } }
  if (isForNow(candidate.lastRun)) return { wait: { type: 'retry' }, ...until }
  return { wait: { type: awaitsChange(candidate) ? 'changes' : 'schedule' }, ...until }
}

function awaitsChange(candidate: BackupCandidate): boolean {
  return candidate.schedule.type === 'continuous' && candidate.watching?.works !== false && !pendingChanges(candidate)
}

/** What was away when a run ended, so that its return starts the next one. */
export function awayAfter(run: RunView | undefined): 'destination' | 'source' | undefined {
  if (run?.outcome !== 'failed' && run?.outcome !== 'partial') return undefined
  if (run.error?.code === 'offline') return 'destination'
  return run.error?.code === 'source-missing' ? 'source' : undefined
}

/** Which end was away when a sync ended. */
export function awayAfterSync(run: RunView | undefined): 'destination' | 'source' | undefined {
  if (awayAfter(run) !== 'destination') return undefined
  return run?.error?.data?.['side'] === 'source' ? 'source' : 'destination'
}
