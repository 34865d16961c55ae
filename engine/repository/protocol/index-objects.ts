import { hasCode } from '../../base/errors.ts'
import { freeBuffer } from '../../base/memory.ts'
import type { ObjectName } from '../../backend/backend.ts'
import type { Random } from '../crypto.ts'
import { fetchIfThere } from '../fetch.ts'
import { encodeFooter } from '../footer.ts'
import { decodeIndex, encodeIndex, indexBytes } from '../index-codec.ts'
import { indexObject, randomName } from '../names.ts'
import type { EncodedPackInfo, PackInfo } from '../pack-info.ts'
import type { Repository } from '../repository.ts'
import { openObject, sealObject } from '../sealed.ts'

/** Stores index objects that name the packs; the packs must be stored already. @returns their names. */
export async function putIndexes(repository: Repository, packs: Iterable<PackInfo | EncodedPackInfo>, random: Random, signal: AbortSignal): Promise<readonly ObjectName[]> {
  const names: ObjectName[] = []
  for (const plain of encodeIndex(packs)) {
    const name = indexObject(randomName(random))
    const bytes = sealObject(repository.keys, name, 'index', plain)
    freeBuffer(plain)
    await repository.backend.put(name, { type: 'bytes', bytes }, {}, signal)
    names.push(name)
  }
  return names
}

/** Gathers stored packs, and writes an index object whenever they fill one: that much memory, however many packs there are. */
export class IndexGatherer {
  readonly #repository: Repository
  readonly #random: Random
  #packs: EncodedPackInfo[] = []
  #bytes = 0

  constructor(repository: Repository, random: Random) {
    this.#repository = repository
    this.#random = random
  }

  async add({ name, size, contents }: PackInfo, signal: AbortSignal): Promise<void> {
    const footer = encodeFooter(contents)
    this.#packs.push({ name, size, footer })
    this.#bytes += footer.length
    if (this.#bytes >= indexBytes) await this.flush(signal)
  }

  /** Writes what has been gathered, if anything. After an error nothing is gathered any more: an index object is only a hint. */
  async flush(signal: AbortSignal): Promise<void> {
    const packs = this.#packs
    this.#packs = []
    this.#bytes = 0
    await putIndexes(this.#repository, packs, this.#random, signal)
  }
}

/** The packs of an index object. It is only a hint, so a damaged one, or one that has gone, names none. Errors: `version`. */
export async function readIndex(repository: Repository, name: ObjectName, signal: AbortSignal): Promise<readonly PackInfo[]> {
  try {
    const plain = await fetchIfThere(() => repository.backend.get(name, 'all', signal), (bytes) => openObject(repository.keys, name, 'index', bytes))
    return plain ? [...decodeIndex(plain, name)] : []
  } catch (error) {
    if (hasCode(error, 'damaged')) return []
    throw error
  }
}
