import { statusVersion, type AppStatus, type CopyStatus, type JobStatus, type RunStatus } from '../../engine/protocol/app-status.ts'
import { lateFromMs } from '../../engine/protocol/overdue.ts'
import { scheduleText } from '../../engine/protocol/schedule.ts'
import type { AppState, CopyView, DestinationView, JobView, Notice, RunView } from '../api/contract.ts'
import { repositoryUrl } from '../repositories/address.ts'
import { isComplete } from '../runs/run-view.ts'

/** What the picture of the window does not hold. */
export interface StatusFacts {
  /** Of a job, newest first. */
  readonly runs: (jobId: string) => readonly RunView[]
  /** When a job was made or scheduled anew: one that has never run is late from then on. */
  readonly sinceMs: (jobId: string) => number
  readonly pid: number
  readonly running: boolean
  readonly nowMs: number
}

/** The state of the app for others: what the window shows, without what only it needs. Pure. */
export function appStatus(state: AppState, facts: StatusFacts): AppStatus {
  const { version, jobs, pausedAll, pausedUntilMs, notices } = state
  return {
    version: statusVersion,
    app: version,
    pid: facts.pid,
    running: facts.running,
    writtenMs: facts.nowMs,
    pausedAll,
    ...(pausedUntilMs !== undefined && { pausedUntilMs }),
    jobs: jobs.map((job) => jobStatus(job, facts)),
    othersLate: notices.flatMap((notice) => (notice.type === 'late' ? notice.late : [])).flatMap(({ job, host, days }) => (host === undefined ? [] : [{ job, host, days }])),
    damaged: notices.flatMap((notice) => damagedFile[notice.type] ?? []),
  }
}

const damagedFile: Partial<Record<Notice['type'], string>> = { 'jobs-damaged': 'jobs', 'settings-damaged': 'settings', 'secrets-damaged': 'secrets' }

function jobStatus(job: JobView, { runs: runsOf, sinceMs, nowMs }: StatusFacts): JobStatus {
  const { id, config, host, lastRun, waits, hold, care, secrets, copies } = job
  const complete = runsOf(id).filter(isComplete)
  const [lastSuccess] = complete
  return {
    id,
    name: config.name,
    ...(host !== undefined && { host }),
    destination: addressOf(config.destination),
    schedule: scheduleText(config.schedule),
    state: job.state,
    ...(lastRun && { lastRun: runStatus(lastRun) }),
    ...(lastSuccess && { lastSuccess: runStatus(lastSuccess) }),
    ...(waits && { waits: { reason: waits.wait.type, ...(waits.untilMs !== undefined && { untilMs: waits.untilMs }) } }),
    lateFromMs: lateFromMs(lastSuccess ? complete.map(({ finishedMs }) => finishedMs) : [sinceMs(id)], nowMs),
    ...(hold && { heldSince: hold.since }),
    password: secrets.password,
    ...(care?.lastRun && { care: runStatus(care.lastRun) }),
    copies: copies.map(copyStatus),
  }
}

function copyStatus({ destination, state, lastRun, completeMs, snapshots }: CopyView): CopyStatus {
  return {
    destination: addressOf(destination),
    state,
    ...(lastRun && { lastRun: runStatus(lastRun) }),
    ...(completeMs !== undefined && { completeMs }),
    ...(snapshots !== undefined && { snapshots }),
  }
}

function runStatus({ outcome, startedMs, finishedMs, files, bytes, uploadedBytes, problems, snapshot, error }: RunView): RunStatus {
  return {
    outcome, startedMs, finishedMs, files: files.found, bytes: bytes.found, uploadedBytes, problems,
    ...(snapshot !== undefined && { snapshot }),
    ...(error && { error: { code: error.code, message: error.message } }),
  }
}

function addressOf(destination: DestinationView): string {
  try {
    return repositoryUrl(destination.type === 'folder' ? { type: 'folder', path: destination.folder.path } : destination)
  } catch {
    // A storage that this version does not know.
    return destination.type
  }
}
