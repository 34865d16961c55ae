import type { JobView, SnapshotView } from './bridge.ts'
import { formatDay } from '../text/format.ts'

export interface SnapshotDay {
  readonly day: string
  readonly snapshots: readonly SnapshotView[]
}

/** Snapshots by the day on which they were finished; both in the order given, newest first. */
export function byDay(snapshots: readonly SnapshotView[], now: number): readonly SnapshotDay[] {
  const days = new Map<string, SnapshotView[]>()
  for (const snapshot of snapshots) {
    const day = formatDay(snapshot.finishedMs, now)
    const list = days.get(day)
    if (list) list.push(snapshot)
    else days.set(day, [snapshot])
  }
  return [...days].map(([day, list]) => ({ day, snapshots: list }))
}

/** What snapshots belong together: those of one job on one computer. */
export interface Series {
  /** The job's name; with the computer's where snapshots of several are there. */
  readonly name: string
  readonly snapshots: readonly SnapshotView[]
}

/** In the order of their newest. */
export function seriesOf(snapshots: readonly SnapshotView[]): readonly Series[] {
  const severalHosts = new Set(snapshots.map(({ host }) => host)).size > 1
  const groups = new Map<string, SnapshotView[]>()
  for (const snapshot of snapshots) {
    const name = severalHosts ? `${snapshot.job} · ${snapshot.host}` : snapshot.job
    const group = groups.get(name)
    if (group) group.push(snapshot)
    else groups.set(name, [snapshot])
  }
  return [...groups].map(([name, group]) => ({ name, snapshots: group }))
}

/** The newest of this job on this computer; else of a job with its name, else of any. */
export function firstChoice(snapshots: readonly SnapshotView[], job: Pick<JobView, 'config' | 'host'> | undefined): SnapshotView | undefined {
  const named = snapshots.filter((one) => one.job === job?.config.name)
  return named.find((one) => one.host === job?.host) ?? named[0] ?? snapshots[0]
}
