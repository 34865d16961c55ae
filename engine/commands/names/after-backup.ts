import { fromHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { LastSnapshot } from '../../catalog/last-snapshot.ts'
import { lockNames, openNames } from '../../catalog/names/database.ts'
import { NameLedger } from '../../catalog/names/ledger.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { OpenBackup } from '../backup/open-backup.ts'
import type { CommandContext } from '../context.ts'
import { mostVersions, takeIn, type SnapshotToTake } from './take-in.ts'

/** The most that a run takes longer for it, and the part of its own time that it always may. */
const mostMs = 60_000
const leastMs = 2_000
const share = 0.05

interface Made {
  readonly job: string
  readonly home: string
  readonly opened: OpenBackup
  /** The snapshot that was made, and the one before it. */
  readonly made: LastSnapshot
  readonly before: LastSnapshot | undefined
  /** What the run has taken so far, ms. */
  readonly elapsedMs: number
}

/**
 * Takes the names of a snapshot that has just been made into the index that searches use, from trees that this machine has. A run never fails for it, and takes little
 * longer: what is left over is taken in by the next run, or by whoever searches.
 */
export async function takeInAfterBackup({ job, home, opened, made, before, elapsedMs }: Made, { log, signal }: Pick<CommandContext, 'log' | 'signal'>): Promise<void> {
  const { repository, catalog, jobKey } = opened
  const { repositoryId } = repository.config
  const budget = AbortSignal.timeout(Math.min(mostMs, Math.max(leastMs, elapsedMs * share)))
  const load: LoadTree = (id) => {
    const body = catalog.trees.get(id)
    return body ? Promise.resolve(body) : Promise.reject(new HoldfastError('not-found', 'A folder is not in the local catalog any more.'))
  }
  const toTake = ({ host, revision, id, finishedMs, root }: LastSnapshot): SnapshotToTake => ({ jobKey, job, host, revision, id, finishedMs, root: fromHex(root) })
  try {
    using _lock = lockNames(home, repositoryId)
    const database = openNames(home, repositoryId)
    try {
      const snapshots = new NameLedger(database).following(toTake(made), before && toTake(before))
      await takeIn(database, load, snapshots, { mostVersions, signal: AbortSignal.any([signal, budget]) })
    } finally {
      database.close()
    }
  } catch (error) {
    log.write('info', `Names for searching are not all taken in yet: ${error instanceof Error ? error.message : String(error)}`)
  }
}
