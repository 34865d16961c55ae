import { HoldfastError } from '../base/errors.ts'
import type { ObjectInfo, StorageBackend } from '../backend/backend.ts'
import { BackendWrapper } from '../backend/wrappers/wrapper.ts'

/** So many names say how dense they lie, within a few per cent. */
const sample = 2_000
/** 100 machines of 10 TB have six million packs. */
const mostNames = 100_000_000

/**
 * Names of objects are random, so in a listing, which ascends, the first names tell how many there will be: a storage that makes names up
 * one after the other, without an end, is told after two thousand of them. Fails with `unsupported`.
 */
export function withPlausibleLists(backend: StorageBackend): StorageBackend {
  return new PlausibleLists(backend)
}

class PlausibleLists extends BackendWrapper {
  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    const density = new Density()
    for await (const info of this.inner.list(prefix, signal)) {
      if (!density.bears(info.name)) throw new HoldfastError('unsupported', 'The storage lists more objects than any repository has.', { data: { reason: 'BadListing' } })
      yield info
    }
  }
}

/** How densely the random names of a listing lie, over each stretch of it: two thousand of a hundred million take 1/50,000 of all names. */
class Density {
  #last = ''
  #names = 0
  #begin = 0

  /** False as soon as the names cannot be random. */
  bears(name: string): boolean {
    const random = /^(?:packs\/[0-9a-f]{2}|[a-z]+)\/([0-9a-f]{32})(?:\/|$)/.exec(name)?.[1]
    if (random === undefined || random === this.#last) return true
    this.#last = random
    if (this.#names++ % sample > 0) return true
    const begin = this.#begin
    this.#begin = shareOf(random)
    return this.#names === 1 || sample <= mostNames * (this.#begin - begin)
  }
}

/** Where a random name lies between the first, 0, and the last, 1. */
function shareOf(digits: string): number {
  return Number.parseInt(digits.slice(0, 12).padEnd(12, '0'), 16) / 16 ** 12
}
