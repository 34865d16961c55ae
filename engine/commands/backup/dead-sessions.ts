import type { Log } from '../../base/log.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { endSession } from '../../repository/protocol/arbiter.ts'
import { intentName, type SnapshotRef } from '../../repository/protocol/names.ts'
import type { Repository } from '../../repository/repository.ts'

interface DeadSessions {
  readonly repository: Repository
  /** Locked: nobody else on this machine works with it. */
  readonly catalog: Catalog
  readonly log: Log
  /** The session that this run has announced. */
  readonly own?: SnapshotRef
}

/**
 * Ends the sessions of this machine's earlier runs that were killed or broken off, so that no prune waits for them: machines that are put to sleep in mid-backup
 * every other day would keep space from being freed for ever. Asks nothing where none is known. What cannot be ended now is ended by a later run, or by a prune
 * once it has been silent for days. Repeating is harmless.
 */
export async function endDeadSessions({ repository, catalog, log, own }: DeadSessions, signal: AbortSignal): Promise<void> {
  for (const ref of catalog.sessions.all()) {
    if (own && intentName(ref) === intentName(own)) continue
    try {
      await endSession(repository, ref, signal)
      catalog.sessions.remove(ref)
    } catch (error) {
      signal.throwIfAborted()
      log.write('info', `An earlier run's session stays open for now: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
