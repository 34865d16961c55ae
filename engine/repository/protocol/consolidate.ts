import type { ObjectInfo } from '../../backend/backend.ts'
import type { Random } from '../crypto.ts'
import { indexBytes } from '../index-codec.ts'
import type { PackInfo } from '../pack-info.ts'
import type { Repository } from '../repository.ts'
import { putIndexes, readIndex } from './index-objects.ts'
import { listAll, listPacks } from './listing.ts'
import type { PackShards } from './listing.ts'

export interface ConsolidateOptions {
  readonly random: Random
  readonly shards: PackShards
  /** Small objects are merged when there are more than this. */
  readonly smallIndexObjects: number
}

/** Objects below this are worth merging. */
const smallBytes = indexBytes / 4

/** Plaintexts of one merge stay below this; more is left for the next one. */
const mergedBytes = 64 * 1024 * 1024

/**
 * Merges small index objects, and rewrites those that name packs which are gone. LIST index, then LIST packs, then PUT, then DELETE: in
 * another order a pack could end up in no index object. Broken off anywhere it leaves at worst a pack in two of them.
 */
export async function consolidateIndex(repository: Repository, options: ConsolidateOptions, signal: AbortSignal): Promise<{ readonly before: number, readonly after: number }> {
  const infos = await listAll(repository.backend, 'index/', signal)
  const before = infos.length
  if (before === 0) return { before, after: 0 }
  const existing = new Set<string>()
  for await (const pack of listPacks(repository.backend, options.shards, signal)) existing.add(pack.name)
  const inputs = await chooseInputs(repository, infos, existing, options, signal)
  if (inputs.length === 0) return { before, after: before }
  const packs = new Map<string, PackInfo>()
  for (const info of inputs) {
    for (const pack of await readIndex(repository, info.name, signal)) if (existing.has(pack.name)) packs.set(pack.name, pack)
  }
  const written = await putIndexes(repository, packs.values(), options.random, signal)
  for (const info of inputs) await repository.backend.remove(info.name, signal)
  return { before, after: before - inputs.length + written.length }
}

async function chooseInputs(
  repository: Repository, infos: readonly ObjectInfo[], existing: ReadonlySet<string>, options: ConsolidateOptions, signal: AbortSignal,
): Promise<readonly ObjectInfo[]> {
  const small = infos.filter((info) => info.size < smallBytes)
  const mergeSmall = small.length > options.smallIndexObjects
  const inputs: ObjectInfo[] = []
  let bytes = 0
  for (const info of infos) {
    if (bytes > mergedBytes) break
    const wanted = (mergeSmall && info.size < smallBytes) || (await readIndex(repository, info.name, signal)).some((pack) => !existing.has(pack.name))
    if (!wanted) continue
    inputs.push(info)
    bytes += info.size
  }
  return inputs
}
