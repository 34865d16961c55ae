import Database from 'better-sqlite3'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { createLog } from '../../engine/base/log.ts'
import { PauseGate } from '../../engine/base/pause.ts'
import { Catalog } from '../../engine/catalog/catalog.ts'
import { refreshIndex } from '../../engine/catalog/refresh.ts'
import { schema } from '../../engine/catalog/schema.ts'
import { BlobPlaces } from '../../engine/commands/blob-places.ts'
import { LimitControl } from '../../engine/commands/context.ts'
import type { CommandContext } from '../../engine/commands/context.ts'
import { TreeLoader } from '../../engine/commands/tree-loader.ts'
import { closure, nowMs, repositoryOn, stillClock } from './repository.ts'
import { retrying } from './world.ts'

export const context: CommandContext = {
  secrets: { password: '', storage: {} }, signal: new AbortController().signal, clock: stillClock, log: createLog(() => undefined, () => nowMs),
  events: { progress: () => undefined, transfer: () => undefined, problem: () => undefined }, limits: new LimitControl(), pauseGate: new PauseGate(),
}

/** A restore, with the file system left out: learns the index once, then reads every blob that a snapshot of these chunks needs. */
export async function restore(backend: StorageBackend, letters: string, arbiter: 'cas' | 'flags'): Promise<void> {
  const repository = repositoryOn(retrying(backend), arbiter)
  const database = new Database(':memory:')
  database.exec(schema)
  using catalog = new Catalog(database)
  await refreshIndex(repository, catalog, context.signal)
  const trees = new TreeLoader(repository, catalog, context.signal, new BlobPlaces(repository, catalog, context))
  for (const { id } of closure(letters)) await trees.load(id)
}
