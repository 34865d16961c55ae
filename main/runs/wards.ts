import type { CareJob } from '../../engine/protocol/job.ts'
import type { Destination } from '../api/contract.ts'
import { careJobOf, copyCareJobOf } from '../jobs/engine-jobs.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import { isCompleteCopy, syncHistory, syncKey } from './copies.ts'
import type { QuietCandidate } from './decide.ts'
import type { RunHistory } from './history.ts'
import type { RunQueue } from './queue.ts'

/**
 * What is looked after as one: the jobs of one repository under one name of the machine, as far as somebody has said what is kept; or a copy, where what is kept
 * is decided by the repository that is copied, and space is freed, and what lies there verified.
 */
export interface Ward {
  /** Of the first job, or of the copy. Its runs and their history go by it. */
  readonly id: string
  /** Speaks for it. */
  readonly first: JobRecord
  /** Of the repository's record, or of the copy: what its secrets are kept under, and where its runs work. */
  readonly place: string
  readonly destination: Destination
  /** Of these jobs what is kept is said; none for a copy. */
  readonly jobs: readonly JobRecord[]
  readonly copy?: CopyRecord
}

interface Sources {
  readonly store: JobStore
  readonly history: Pick<RunHistory, 'last'>
  readonly queue: Pick<RunQueue, 'find' | 'endedMs'>
}

export function wardsOf({ store, history }: Pick<Sources, 'store' | 'history'>): readonly Ward[] {
  return [...jobWards(store), ...store.copies.all.flatMap((copy) => copyWard(copy, { store, history }) ?? [])]
}

function jobWards({ all }: JobStore): readonly Ward[] {
  const wards = new Map<string, Ward>()
  for (const job of all) {
    if (job.config.retention === undefined) continue
    const key = JSON.stringify([job.repository.id, job.host])
    const ward = wards.get(key)
    const { id, repository: { id: place, destination } } = job
    wards.set(key, ward ? { ...ward, jobs: [...ward.jobs, job] } : { id, first: job, place, destination, jobs: [job] })
  }
  return [...wards.values()]
}

/** One of which the last run was complete: a place that is away, or lacks something, is copied to first. */
function copyWard(copy: CopyRecord, { store, history }: Pick<Sources, 'store' | 'history'>): Ward | undefined {
  const first = store.all.find(({ repository }) => repository.id === copy.repository)
  const last = history.last(syncHistory(copy.id))
  return first && last && isCompleteCopy(last) ? { id: copy.id, first, place: copy.id, destination: copy.destination, jobs: [], copy } : undefined
}

/** What decides when it is looked after, besides how the last time went. Times in ms since 1970. */
export function restOf(ward: Ward, { store, history, queue }: Sources, startedMs: number, nowMs: number): Pick<QuietCandidate, 'exists' | 'sinceMs' | 'quietSinceMs' | 'schedules' | 'conditions'> {
  const { copy, place, jobs, first } = ward
  if (copy) {
    const synced = history.last(syncHistory(copy.id))?.finishedMs ?? 0
    const quietSinceMs = queue.find(syncKey(copy.id)) ? nowMs : Math.max(startedMs, queue.endedMs(place) ?? 0, synced)
    return { exists: copy.repositoryId !== undefined, sinceMs: copy.addedMs, quietSinceMs, schedules: [], conditions: jobs.map(({ config }) => config.conditions) }
  }
  const neighbours = store.all.filter((one) => one.repository.id === place)
  const ended = neighbours.flatMap(({ id }) => history.last(id)?.finishedMs ?? [])
  return {
    exists: first.repository.repositoryId !== undefined,
    sinceMs: Math.min(...jobs.map((one) => one.scheduledSinceMs)),
    quietSinceMs: Math.max(startedMs, queue.endedMs(place) ?? 0, ...ended),
    schedules: neighbours.map(({ config }) => config.schedule),
    conditions: neighbours.map(({ config }) => config.conditions),
  }
}

export function wardJobOf({ jobs, copy, first }: Ward, home: string): CareJob {
  return copy ? copyCareJobOf(first, copy, home) : careJobOf(jobs, home)
}
