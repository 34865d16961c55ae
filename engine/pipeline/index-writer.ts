import type { Catalog } from '../catalog/catalog.ts'
import type { Random } from '../repository/crypto.ts'
import { putIndexes } from '../repository/protocol/index-objects.ts'
import type { Repository } from '../repository/repository.ts'

/** Packs whose contents are held at a time. */
const packsAtATime = 256

/**
 * Names packs that have arrived, and are in no index object yet, in new ones (A6: index after pack). Called now and then in a long run,
 * and at its end. Repeating after an error writes at worst a second object over the same packs, which is harmless.
 */
export async function writeIndexes(repository: Repository, catalog: Catalog, random: Random, signal: AbortSignal): Promise<void> {
  for (;;) {
    const packs = catalog.packs.unindexedPacks(packsAtATime)
    if (packs.length === 0) return
    const names = await putIndexes(repository, packs, random, signal)
    for (const name of names) catalog.packs.markIndexed(name.slice('index/'.length), packs.map((pack) => pack.name))
  }
}
