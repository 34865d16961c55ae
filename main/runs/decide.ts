import type { MissingAccount, Operation, RunView, Schedule, Wait } from '../api/contract.ts'
import { assertNever } from '../system/never.ts'
import { dueTrigger, isForNow, nextRunMs } from './schedule.ts'

export type Trigger = RunView['trigger']

/** What of an operation decides whether it may run now. */
export type Candidate = BackupCandidate | RestoreCandidate

interface CandidateBase {
  readonly jobId: string
  /** Id of the repository's record. */
  readonly repository: string
  /** Somebody, or its schedule, has asked for it already: it is in the queue. */
  readonly asked?: Trigger
  /** It was paused before it began. */
  readonly held?: boolean
}

interface BackupCandidate extends CandidateBase {
  readonly operation: 'backup'
  readonly schedule: Schedule
  readonly scheduledSinceMs: number
  readonly lastRun: RunView | undefined
  /** The run that was cut off, or ended for want of something that is back, goes on whatever the schedule says. */
  readonly goesOn: boolean
  /** Whom the storage waits for. */
  readonly missing: MissingAccount | undefined
  /** IANA name; default: that of the machine. */
  readonly timezone?: string
}

interface RestoreCandidate extends CandidateBase {
  readonly operation: 'restore'
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
  readonly active: readonly Active[]
  /** Backups that run at once. */
  readonly parallelJobs: number
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
  if (held || (facts.pausedAll && asked !== 'manual')) return { wait: { type: 'paused' } }
  const due = asked ?? (candidate.goesOn ? 'catch-up' : dueTrigger(candidate, nowMs))
  if (due === undefined) return waitForTime(candidate)
  const running = facts.active.filter((one) => one.operation === 'backup')
  if (running.some((one) => one.jobId === candidate.jobId)) return { wait: { type: 'repository', operation: 'backup' } }
  if (running.length >= facts.parallelJobs) return { wait: { type: 'place', most: facts.parallelJobs }, due }
  return { run: due }
}

/** Nothing but time, or the return of what was away, starts it. */
function waitForTime(candidate: BackupCandidate): Waiting {
  const untilMs = nextRunMs(candidate)
  const until = untilMs === undefined ? {} : { untilMs }
  const away = awayAfter(candidate.lastRun)
  if (away) return { wait: { type: 'away', what: away }, ...until }
  if (untilMs === undefined) return { wait: { type: 'asked' } }
  return isForNow(candidate.lastRun) ? { wait: { type: 'retry' }, ...until } : { wait: { type: 'schedule' }, ...until }
}

/** What was away when a run ended, so that its return starts the next one. */
export function awayAfter(run: RunView | undefined): 'destination' | 'source' | undefined {
  if (run?.outcome !== 'failed' && run?.outcome !== 'partial') return undefined
  if (run.error?.code === 'offline') return 'destination'
  return run.error?.code === 'source-missing' ? 'source' : undefined
}
