import type { Catalog } from '../catalog/catalog.ts'
import { readVerified, type ReadVerified } from '../repository/protocol/proofs.ts'
import type { Repository } from '../repository/repository.ts'

/**
 * Brings into a catalog, which knows the packs, when others read them back last: other catalogs of this machine, and other machines, as the repository
 * keeps it. What claims to be from after `nowMs` counts for nothing. Errors: those of the storage.
 */
export async function mergeVerifiedDates(repository: Repository, catalog: Catalog, nowMs: number, signal: AbortSignal): Promise<ReadVerified> {
  const take = (dates: Iterable<readonly [string, number]>): void => {
    catalog.transaction(() => { catalog.packs.noteVerified(until(nowMs, dates)) })
  }
  take(catalog.siblingDates())
  return await readVerified(repository, take, signal)
}

function* until(nowMs: number, dates: Iterable<readonly [string, number]>): Generator<readonly [string, number]> {
  for (const date of dates) if (date[1] <= nowMs) yield date
}
