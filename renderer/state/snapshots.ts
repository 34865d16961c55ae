import type { SnapshotView } from './bridge.ts'
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

/** Names of the jobs that have snapshots, in the order of their newest. */
export function jobNames(snapshots: readonly SnapshotView[]): readonly string[] {
  return [...new Set(snapshots.map((snapshot) => snapshot.job))]
}
