import { hasCode } from '../../base/errors.ts'
import { readPackContents } from '../pack-reader.ts'
import { readIndex } from './index-objects.ts'
import { forEachAtOnce, listAll, listPacks } from './listing.ts'
import type { ListedPack } from './listing.ts'
import type { PruneContext } from './prune-context.ts'
import { readRetireRecords } from './retired.ts'
import type { RetireRecord } from './retired.ts'

/**
 * Lists the packs, now, and learns the contents of those that are new. The listing comes before anything it needs to read.
 * @returns how many packs it listed.
 */
export async function refreshPacks(context: PruneContext, signal: AbortSignal): Promise<number> {
  const { store, repository, options } = context
  store.beginListing()
  let listed = 0
  for await (const pack of listPacks(repository.backend, options.shards, signal)) {
    store.listed(pack)
    listed++
  }
  if (hasUnknown(context)) {
    await loadIndexes(context, signal)
    await forEachAtOnce([...unknownReadable(context)], 8, (pack) => loadFooter(context, pack, signal))
  }
  return listed
}

/**
 * Whether nothing was moved from pack to pack since refreshPacks began: a second listing shows the same `listed` packs, and no retire
 * record is new. While something is moved, a listing that takes its time may miss the old place and the new one.
 */
export async function nothingMoved(context: PruneContext, listed: number, records: ReadonlyMap<string, RetireRecord>, signal: AbortSignal): Promise<boolean> {
  const { store, repository, options } = context
  let same = 0
  for await (const pack of listPacks(repository.backend, options.shards, signal)) {
    if (store.listedSize(pack.name) === undefined) return false
    same++
  }
  const now = await readRetireRecords(repository, records, signal)
  return same === listed && [...now.keys()].every((id) => records.has(id))
}

function hasUnknown(context: PruneContext): boolean {
  for (const _pack of unknownReadable(context)) return true
  return false
}

function* unknownReadable(context: PruneContext): Generator<ListedPack> {
  for (const pack of context.store.unknown()) if (!context.unreadable.has(pack.name)) yield pack
}

/** Index objects are hints: one that is damaged or gone costs the reading of footers. Errors: `version`. */
async function loadIndexes(context: PruneContext, signal: AbortSignal): Promise<void> {
  const { store, repository } = context
  for (const info of await listAll(repository.backend, 'index/', signal)) {
    if (context.loadedIndexes.has(info.name)) continue
    for (const pack of await readIndex(repository, info.name, signal)) store.addPack(pack)
    context.loadedIndexes.add(info.name)
  }
}

/** A pack that went away since the listing needs no contents; one that cannot be read is no copy of anything. Errors: `version`. */
async function loadFooter(context: PruneContext, pack: ListedPack, signal: AbortSignal): Promise<void> {
  try {
    const contents = await readPackContents(context.repository.backend, context.repository.keys, pack, signal)
    context.store.addPack({ name: pack.name, size: pack.size, contents })
  } catch (error) {
    if (hasCode(error, 'not-found')) return
    if (!hasCode(error, 'damaged')) throw error
    context.unreadable.add(pack.name)
  }
}

