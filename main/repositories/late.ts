import { overdue, type Overdue, type SeenBackup } from '../../engine/protocol/overdue.ts'
import type { LateBackup, RunView } from '../api/contract.ts'
import { isComplete } from '../runs/run-view.ts'

/** Somebody has seen that nothing newer comes, and wants to hear of it again only after something has. */
export interface Silenced {
  readonly job: string
  readonly host: string
  readonly lastMs: number
}

/** A job of this machine. */
export interface OwnJob {
  readonly job: string
  readonly host: string
  /** Since when it is there, ms since 1970: one that has never run is late from then on. */
  readonly sinceMs: number
  /** Newest first. */
  readonly runs: readonly RunView[]
}

/** Jobs of this machine that have not been backed up for too long, by their own history: that tells also while the storage is away. */
export function ownLate(jobs: readonly OwnJob[], nowMs: number): readonly Overdue[] {
  return jobs.flatMap(({ job, host, sinceMs, runs }) => {
    const times = runs.filter(isComplete).map(({ finishedMs }) => finishedMs)
    return overdue((times.length > 0 ? times : [sinceMs]).map((finishedMs) => ({ job, host, finishedMs })), host, nowMs)
  })
}

/** All others in a repository: of other machines, and of this one what is not a job of the app. */
export function othersLate(seen: readonly SeenBackup[], own: readonly Pick<OwnJob, 'job' | 'host'>[], ownHost: string, nowMs: number): readonly Overdue[] {
  const isOwn = ({ job, host }: SeenBackup): boolean => own.some((one) => one.job === job && one.host === host)
  return overdue(seen.filter((one) => !isOwn(one)), ownHost, nowMs)
}

/** Of each job of this machine that has snapshots, its oldest. */
export function oldestOwn(seen: readonly SeenBackup[], own: readonly Pick<OwnJob, 'job' | 'host'>[]): readonly SeenBackup[] {
  return own.flatMap(({ job, host }) => {
    const times = seen.filter((one) => one.job === job && one.host === host).map(({ finishedMs }) => finishedMs)
    return times.length === 0 ? [] : [{ job, host, finishedMs: times.reduce((least, one) => Math.min(least, one)) }]
  })
}

/** What is shown: those that nobody has silenced, each once, longest first. */
export function shownLate(late: readonly Overdue[], silenced: readonly Silenced[], isOwn: (late: Overdue) => boolean): readonly LateBackup[] {
  const wanted = late.filter(({ job, host, lastMs }) => !silenced.some((one) => one.job === job && one.host === host && one.lastMs >= lastMs))
  const once = new Map(wanted.map((one) => [`${one.host}\0${one.job}`, one]))
  return [...once.values()].sort((a, b) => a.lastMs - b.lastMs).map((one) => ({ job: one.job, days: one.days, ...(!isOwn(one) && { host: one.host }) }))
}
