import type { ObjectName } from '../backend/backend.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { siblingDates } from '../catalog/sibling-dates.ts'
import { readVerified } from '../repository/protocol/proofs.ts'
import type { Repository } from '../repository/repository.ts'

/**
 * Brings into a catalog, which knows the packs, when others read them back last: other catalogs of this machine, and other machines, as the repository
 * keeps it. What claims to be from the future counts for nothing.
 * @param name of the catalog. @returns the repository's objects that were read. Errors: those of the storage.
 */
export async function mergeVerifiedDates(
  { repository, catalog, home, name, nowMs }: { readonly repository: Repository, readonly catalog: Catalog, readonly home: string, readonly name: string, readonly nowMs: number }, signal: AbortSignal,
): Promise<readonly ObjectName[]> {
  const take = (dates: Iterable<readonly [string, number]>): void => {
    catalog.transaction(() => { for (const [pack, verifiedMs] of dates) if (verifiedMs <= nowMs) catalog.packs.noteVerified(pack, verifiedMs) })
  }
  take(siblingDates(home, repository.config.repositoryId, name))
  return readVerified(repository, take, signal)
}
