import { hasCode } from '../../base/errors.ts'
import { jobKeyOf } from '../keys.ts'
import type { Repository } from '../repository.ts'
import { listAll } from './listing.ts'
import { parseSnapshotName, type SnapshotRef } from './names.ts'
import { listSnapshots, readDecision, type SnapshotEntry, type SnapshotQuery } from './snapshots.ts'

/**
 * Every snapshot of a job as people know it: those that were made here, and those that were synced from elsewhere, which have a key of
 * their own. What of others cannot be read is passed over. Costs a listing of all names and a manifest of each other job. Errors: those of the storage.
 */
export async function* listSnapshotsOfJob(repository: Repository, job: string, query: Omit<SnapshotQuery, 'jobKey'>, signal: AbortSignal): AsyncGenerator<SnapshotEntry> {
  const own = jobKeyOf(repository.keys, job)
  yield* listSnapshots(repository, { ...query, jobKey: own }, signal)
  for (const [jobKey, refs] of await snapshotRefs(repository, signal)) {
    if (jobKey === own || !await isSyncedJob(repository, refs, job, signal)) continue
    for await (const entry of listSnapshots(repository, { ...query, jobKey }, signal)) {
      if (entry.type === 'snapshot' && entry.manifest.job === job) yield entry
    }
  }
}

/** All revisions that are listed, whatever was decided about them, by job key. Names that this version does not write are passed over. */
async function snapshotRefs(repository: Repository, signal: AbortSignal): Promise<ReadonlyMap<string, readonly SnapshotRef[]>> {
  const refs = (await listAll(repository.backend, 'snapshots/', signal)).flatMap(({ name }) => {
    try {
      return [parseSnapshotName(name)]
    } catch (error) {
      if (hasCode(error, 'version')) return []
      throw error
    }
  })
  return Map.groupBy(refs, ({ jobKey }) => jobKey)
}

/** Told by the first manifest that is found, the newest first. */
async function isSyncedJob(repository: Repository, refs: readonly SnapshotRef[], job: string, signal: AbortSignal): Promise<boolean> {
  for (const ref of refs.toSorted((a, b) => b.revision - a.revision)) {
    try {
      const decision = await readDecision(repository, ref, signal)
      if (decision?.type === 'manifest') return decision.manifest.origin !== undefined && decision.manifest.job === job
    } catch (error) {
      if (!hasCode(error, 'damaged', 'version')) throw error
    }
  }
  return false
}
