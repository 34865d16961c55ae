import type { Distance } from '../../backend/backend.ts'
import type { CareWork } from '../../catalog/care-ledger.ts'
import type { CareJob } from '../../protocol/job.ts'

const MiB = 1024 * 1024
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** What a far storage sends is paid for, and waited for. */
const standardBytes: Readonly<Record<Distance, number>> = { near: 4096 * MiB, far: 256 * MiB }
const standardMs = 30 * minuteMs

/** A prune is due a day after the last where something was forgotten, and once a week for what others and interrupted runs left. */
const pruneEveryMs = { wanted: 20 * 60 * minuteMs, else: 7 * dayMs }
/** The structure of all snapshots, which costs the reading of all folders, is followed once a week. */
const checkEveryMs = 7 * dayMs
/** A restore drill is held once a week. */
const drillEveryMs = 7 * dayMs

/** What a day's care may take. */
export function dailyBudget({ budgetBytes, budgetMs }: Pick<CareJob, 'budgetBytes' | 'budgetMs'>, distance: Distance): CareWork {
  return { bytes: budgetBytes ?? standardBytes[distance], ms: budgetMs ?? standardMs }
}

export interface Due {
  readonly prune: boolean
  readonly check: boolean
  readonly drill: boolean
}

/** @param last when each was done last, ms since 1970; undefined: never */
export function whatIsDue(last: Readonly<Record<'prune' | 'check' | 'drill', number | undefined>>, wantsPrune: boolean, nowMs: number): Due {
  const isDue = (lastMs: number | undefined, everyMs: number): boolean => lastMs === undefined || nowMs - lastMs >= everyMs
  return { prune: isDue(last.prune, wantsPrune ? pruneEveryMs.wanted : pruneEveryMs.else), check: isDue(last.check, checkEveryMs), drill: isDue(last.drill, drillEveryMs) }
}
