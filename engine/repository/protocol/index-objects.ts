import { hasCode } from '../../base/errors.ts'
import type { ObjectName } from '../../backend/backend.ts'
import type { Random } from '../crypto.ts'
import { decodeIndex, encodeIndex } from '../index-codec.ts'
import { indexObject, randomName } from '../names.ts'
import type { PackInfo } from '../pack-info.ts'
import type { Repository } from '../repository.ts'
import { openObject, sealObject } from '../sealed.ts'
import { getIfThere } from './listing.ts'

/** Stores index objects that name the packs; the packs must be stored already. @returns their names. */
export async function putIndexes(repository: Repository, packs: Iterable<PackInfo>, random: Random, signal: AbortSignal): Promise<readonly ObjectName[]> {
  const names: ObjectName[] = []
  for (const plain of encodeIndex(packs)) {
    const name = indexObject(randomName(random))
    const bytes = sealObject(repository.keys, name, 'index', plain)
    await repository.backend.put(name, { type: 'bytes', bytes }, {}, signal)
    names.push(name)
  }
  return names
}

/** The packs of an index object. It is only a hint, so a damaged one, or one that has gone, names none. Errors: `version`. */
export async function readIndex(repository: Repository, name: ObjectName, signal: AbortSignal): Promise<readonly PackInfo[]> {
  const bytes = await getIfThere(repository.backend, name, signal)
  if (!bytes) return []
  try {
    return [...decodeIndex(openObject(repository.keys, name, 'index', bytes), name)]
  } catch (error) {
    if (hasCode(error, 'damaged')) return []
    throw error
  }
}
