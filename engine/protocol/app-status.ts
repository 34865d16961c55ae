import * as v from 'valibot'
import { errorCodes, type ErrorCode } from './errors.ts'
import { amount, count, flag, text } from './schemas.ts'

/**
 * What the app tells others of its state: the file `status.json` in HOLDFAST_HOME, 0600, which main replaces whole within seconds of a change, and once in
 * a few minutes without one. `holdfast status` reads it, beside the app and without it. Times are ms since 1970; no secrets. What is added later is ignored
 * by older readers; what would mislead them gets a new version.
 */
export const statusFile = 'status.json'
export const statusVersion = 1

/** How often it is written where nothing changes. */
export const heartbeatMs = 5 * 60_000
/** An app that has written nothing for so long hangs, or the computer sleeps. */
const silentMs = 3 * heartbeatMs
/** A run that is due so long and has not begun while no app is there was missed. */
const missedMs = 3_600_000

export interface AppStatus {
  readonly version: typeof statusVersion
  /** Version of the app. */
  readonly app: string
  readonly pid: number
  /** False: it was ended as it should be. */
  readonly running: boolean
  readonly writtenMs: number
  readonly pausedAll: boolean
  /** When that ends by itself. */
  readonly pausedUntilMs?: number
  readonly jobs: readonly JobStatus[]
  /** Backups of other machines, in repositories of these jobs, that have not come for too long. */
  readonly othersLate: readonly OtherLate[]
  /** Files of the app that were damaged and put aside: `jobs`, `settings`, `secrets`. */
  readonly damaged: readonly string[]
}

export interface OtherLate {
  readonly job: string
  readonly host: string
  readonly days: number
}

export interface JobStatus {
  readonly id: string
  readonly name: string
  readonly host?: string
  /** Address of its repository. */
  readonly destination: string
  /** In words. */
  readonly schedule: string
  /** idle, queued, running, paused, restarting, stopping */
  readonly state: string
  readonly lastRun?: RunStatus
  /** The last run that made a snapshot, or found that none was needed. */
  readonly lastSuccess?: RunStatus
  /** Why it does not run now: `schedule`, `catch-up`, `retry`, `away`, `asked`, `paused`, `sign-in`, `power`, `battery`, `metered`, `network`, `idle`, `place`, `quiet`, `repository`; until when, where that is known. */
  readonly waits?: { readonly reason: string; readonly untilMs?: number }
  /** When it becomes late unless a backup comes. */
  readonly lateFromMs: number
  /** The snapshot since which it is held, since it was unusual: nothing older is let go until somebody says that it is fine. */
  readonly heldSince?: string
  /** Its password is kept. */
  readonly password: boolean
  /** How its repository is looked after. */
  readonly care?: RunStatus
  readonly copies: readonly CopyStatus[]
}

export interface RunStatus {
  readonly outcome: 'success' | 'unchanged' | 'warnings' | 'partial' | 'failed' | 'stopped'
  readonly startedMs: number
  readonly finishedMs: number
  /** What it found. */
  readonly files: number
  readonly bytes: number
  readonly uploadedBytes: number
  readonly problems: number
  /** `JOB@REV` */
  readonly snapshot?: string
  readonly error?: { readonly code: ErrorCode; readonly message: string }
}

export interface CopyStatus {
  readonly destination: string
  readonly state: string
  readonly lastRun?: RunStatus
  /** When it had all that there was to copy; absent: never yet. */
  readonly completeMs?: number
  readonly snapshots?: number
}

const run: v.GenericSchema<unknown, RunStatus> = v.object({
  outcome: v.picklist(['success', 'unchanged', 'warnings', 'partial', 'failed', 'stopped']),
  startedMs: amount, finishedMs: amount, files: amount, bytes: amount, uploadedBytes: amount, problems: count,
  snapshot: v.exactOptional(text),
  error: v.exactOptional(v.object({ code: v.picklist(errorCodes), message: text })),
})

const copy: v.GenericSchema<unknown, CopyStatus> = v.object({
  destination: text, state: text, lastRun: v.exactOptional(run), completeMs: v.exactOptional(amount), snapshots: v.exactOptional(count),
})

const job: v.GenericSchema<unknown, JobStatus> = v.object({
  id: text, name: text, host: v.exactOptional(text), destination: text, schedule: text, state: text,
  lastRun: v.exactOptional(run),
  lastSuccess: v.exactOptional(run),
  waits: v.exactOptional(v.object({ reason: text, untilMs: v.exactOptional(amount) })),
  lateFromMs: amount,
  heldSince: v.exactOptional(text),
  password: flag,
  care: v.exactOptional(run),
  copies: v.array(copy),
})

const status: v.GenericSchema<unknown, AppStatus> = v.object({
  version: v.literal(statusVersion),
  app: text, pid: count, running: flag, writtenMs: amount, pausedAll: flag, pausedUntilMs: v.exactOptional(amount),
  jobs: v.array(job),
  othersLate: v.array(v.object({ job: text, host: text, days: count })),
  damaged: v.array(text),
})

/** The text of the file. `later`: a newer version of Holdfast wrote it; `damaged`: nobody did. */
export function parseAppStatus(written: string): AppStatus | 'later' | 'damaged' {
  try {
    const value: unknown = JSON.parse(written)
    if (v.is(v.object({ version: v.pipe(v.number(), v.minValue(statusVersion + 1)) }), value)) return 'later'
    const parsed = v.safeParse(status, value)
    return parsed.success ? parsed.output : 'damaged'
  } catch {
    return 'damaged'
  }
}

/** `silent`: its process is there, and has told nothing for a while. */
export type AppPresence = 'running' | 'silent' | 'ended'

/** @param isAlive whether there is a process of that number */
export function presenceOf({ running, pid, writtenMs }: AppStatus, isAlive: (pid: number) => boolean, nowMs: number): AppPresence {
  if (!running || !isAlive(pid)) return 'ended'
  return nowMs - writtenMs > silentMs ? 'silent' : 'running'
}

/** What somebody should look at. */
export interface Attention {
  /** Absent: it concerns the app. */
  readonly job?: string
  readonly reason: 'failed' | 'partial' | 'warnings' | 'sign-in' | 'held' | 'late' | 'missed' | 'password' | 'copy' | 'care' | 'other-late' | 'damaged'
  /** Of a copy its address, of another machine its name and job, of what is damaged the file. */
  readonly detail?: string
}

/** In the order of the jobs. Pure. */
export function attentionOf(told: AppStatus, presence: AppPresence, nowMs: number): readonly Attention[] {
  return [
    ...told.damaged.map((detail): Attention => ({ reason: 'damaged', detail })),
    ...told.jobs.flatMap((one) => attentionOfJob(one, presence, nowMs).map((found): Attention => ({ job: one.name, ...found }))),
    ...told.othersLate.map(({ host, job: name }): Attention => ({ reason: 'other-late', detail: `${host}/${name}` })),
  ]
}

function attentionOfJob(one: JobStatus, presence: AppPresence, nowMs: number): readonly Omit<Attention, 'job'>[] {
  const { lastRun, waits, care, copies } = one
  const last = lastRun && badOutcome(lastRun)
  return [
    ...(last ? [{ reason: last }] : []),
    ...(waits?.reason === 'sign-in' ? [{ reason: 'sign-in' as const }] : []),
    ...(one.password ? [] : [{ reason: 'password' as const }]),
    ...(one.heldSince === undefined ? [] : [{ reason: 'held' as const, detail: one.heldSince }]),
    ...(isLate(one, nowMs) ? [{ reason: 'late' as const }] : []),
    ...(presence !== 'running' && waits?.untilMs !== undefined && nowMs - waits.untilMs > missedMs ? [{ reason: 'missed' as const }] : []),
    ...(care && badOutcome(care) ? [{ reason: 'care' as const }] : []),
    ...copies.flatMap((place) => (place.lastRun && badOutcome(place.lastRun) ? [{ reason: 'copy' as const, detail: place.destination }] : [])),
  ]
}

export function isLate({ lateFromMs }: JobStatus, nowMs: number): boolean {
  return nowMs > lateFromMs
}

function badOutcome({ outcome }: RunStatus): 'failed' | 'partial' | 'warnings' | undefined {
  return outcome === 'failed' || outcome === 'partial' || outcome === 'warnings' ? outcome : undefined
}
