import { existsSync } from 'node:fs'
import { systemRandom } from '../../repository/crypto.ts'
import { packObject, randomName } from '../../repository/names.ts'
import { rawBytes, type Machine, type MachineParts } from './machine.ts'

/**
 * Packs that an interrupted run had sealed: those that arrived are adopted, the others are sent now. The catalog must know what is usable.
 * @param onCarried is told the bytes of files in each pack that need not be read again.
 * @returns how many had arrived.
 */
export async function takeUpSpool(
  { catalog, repository, machine }: Pick<MachineParts, 'catalog' | 'repository'> & { readonly machine: Machine }, onCarried: (bytes: number) => void,
): Promise<number> {
  let adopted = 0
  for (const entry of catalog.spool.entries()) {
    const arrived = catalog.packs.isUsable(entry.name)
    if (entry.contents.kind === 'data' && (arrived || existsSync(entry.path))) onCarried(rawBytes(entry))
    if (arrived) {
      machine.uploader.settle(entry)
      adopted++
    } else if (!existsSync(entry.path)) {
      catalog.spool.remove(entry.number)
      for (const segment of entry.contents.segments) for (const blob of segment.blobs) catalog.blobs.unclaim(blob.id)
    } else {
      // An upload that the backend can continue keeps its name: it is still the same attempt.
      const continues = repository.backend.continues?.(packObject(entry.name)) === true
      const name = continues ? entry.name : randomName(systemRandom)
      if (!continues) catalog.spool.rename(entry.number, name)
      await machine.flow.addRecorded({ ...entry, name })
    }
  }
  return adopted
}
