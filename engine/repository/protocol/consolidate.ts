import type { ObjectInfo } from '../../backend/backend.ts'
import { indexBytes } from '../index-codec.ts'
import type { PackInfo } from '../pack-info.ts'
import { putIndexes, readIndex } from './index-objects.ts'
import { listAll, listPacks } from './listing.ts'
import type { PruneContext } from './prune-context.ts'

/** Objects below this are worth merging. */
const smallBytes = indexBytes / 4

/** Index objects read into one merge stay below this, and so does its memory (about twice as much); more is left for the next one. */
const mergedBytes = 16 * 1024 * 1024

/**
 * Merges small index objects, and rewrites those that name packs which are gone (looked for only after packs were deleted). LIST index,
 * then LIST packs, then PUT, then DELETE: in another order a pack could end up in no index object. Broken off anywhere it leaves at worst
 * a pack in two of them.
 */
export async function consolidateIndex(context: PruneContext, packsDeleted: boolean, signal: AbortSignal): Promise<{ readonly before: number, readonly after: number }> {
  const { repository, store, options } = context
  const infos = await listAll(repository.backend, 'index/', signal)
  const before = infos.length
  const small = infos.filter((info) => info.size < smallBytes)
  const mergeSmall = small.length > options.smallIndexObjects
  if (!mergeSmall && !packsDeleted) return { before, after: before }
  store.beginListing()
  for await (const pack of listPacks(repository.backend, options.shards, signal)) store.listed(pack)
  const inputs = await chooseInputs(context, infos, mergeSmall, signal)
  if (inputs.length === 0) return { before, after: before }
  const packs = new Map<string, PackInfo>()
  for (const info of inputs) {
    for (const pack of await readIndex(repository, info.name, signal)) if (store.listedSize(pack.name) !== undefined) packs.set(pack.name, pack)
  }
  const written = await putIndexes(repository, packs.values(), context.random, signal)
  for (const info of inputs) await repository.backend.remove(info.name, signal)
  return { before, after: before - inputs.length + written.length }
}

async function chooseInputs(context: PruneContext, infos: readonly ObjectInfo[], mergeSmall: boolean, signal: AbortSignal): Promise<readonly ObjectInfo[]> {
  const inputs: ObjectInfo[] = []
  let bytes = 0
  for (const info of infos) {
    if (bytes > mergedBytes) break
    const wanted = (mergeSmall && info.size < smallBytes) || await namesGonePack(context, info, signal)
    if (!wanted) continue
    inputs.push(info)
    bytes += info.size
  }
  return inputs
}

async function namesGonePack(context: PruneContext, info: ObjectInfo, signal: AbortSignal): Promise<boolean> {
  const packs = await readIndex(context.repository, info.name, signal)
  return packs.some((pack) => context.store.listedSize(pack.name) === undefined)
}
