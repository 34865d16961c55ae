import type { Catalog } from '../catalog/catalog.ts'
import type { Random } from '../repository/crypto.ts'
import { indexBytes } from '../repository/index-codec.ts'
import { putIndexes } from '../repository/protocol/index-objects.ts'
import type { Repository } from '../repository/repository.ts'

/**
 * Names packs that have arrived, and are in no index object yet, in new ones (A6: index after pack): one object's worth at a time, however
 * many there are. Repeating after an error writes at worst a second object over the same packs, which is harmless.
 */
export async function writeIndexes(repository: Repository, catalog: Catalog, random: Random, signal: AbortSignal): Promise<void> {
  for (;;) {
    const packs = catalog.packs.unindexedPacks(indexBytes)
    if (packs.length === 0) return
    const names = await putIndexes(repository, packs, random, signal)
    for (const name of names) catalog.packs.markIndexed(name.slice('index/'.length), packs.map((pack) => pack.name))
  }
}
