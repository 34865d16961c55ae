import { toHex } from '../base/bytes.ts'
import { hasCode, HoldfastError } from '../base/errors.ts'
import { BlobHasher } from '../repository/blob-id.ts'
import { fetchOpened } from '../repository/fetch.ts'
import { packObject } from '../repository/names.ts'
import type { BlobLocation, BlobLocator } from '../repository/pack-info.ts'
import type { Repository } from '../repository/repository.ts'
import { openSegment, takeBlob } from '../repository/segment.ts'
import type { LoadTree } from '../snapshot/content.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import { maxPlaces } from './blob-places.ts'
import type { BlobPlaces } from './blob-places.ts'

/** Opened segments kept; neighbouring folders share them, so that each is fetched and opened about once. Bounds the memory. */
const cachedBytes = 32 * 1024 * 1024

/** Reads blobs of one kind: `tree`, folders and lists of chunks, or `data`. */
export class TreeLoader {
  readonly #kind: BlobKind
  readonly #repository: Repository
  readonly #locator: BlobLocator
  readonly #signal: AbortSignal
  readonly #hasher: BlobHasher
  readonly #places: BlobPlaces | undefined
  /** Least recently used first. Promises, so that two readers of one segment fetch it once. */
  readonly #segments = new Map<string, { readonly bytes: number; readonly raw: Promise<Uint8Array> }>()
  #bytes = 0

  /** @param places tells of other copies where one cannot be read; absent: the first failure counts, `not-found` for a pack that is gone. */
  constructor(repository: Repository, locator: BlobLocator, signal: AbortSignal, places?: BlobPlaces, kind: BlobKind = 'tree') {
    this.#kind = kind
    this.#places = places
    this.#repository = repository
    this.#locator = locator
    this.#signal = signal
    this.#hasher = new BlobHasher(repository.keys.blobId)
  }

  /** A view into memory that others read too. Errors: damaged (also for an id that no pack holds), and those of the storage. */
  readonly load: LoadTree = async (id) => {
    const places = this.#places
    if (!places) return this.#read(id, this.#locator.locate(id))
    for (let tried = 1; ; tried++) {
      const location = places.locate(id, this.#kind) ?? (await places.search(id, this.#kind))
      try {
        return await this.#read(id, location)
      } catch (error) {
        if (!location || !hasCode(error, 'damaged', 'not-found')) throw error
        places.fail(location, error)
        if (tried === maxPlaces) throw new HoldfastError('damaged', error.message, { cause: error })
      }
    }
  }

  async #read(id: BlobId, location: BlobLocation | undefined): Promise<Uint8Array> {
    if (location?.kind !== this.#kind) throw new HoldfastError('damaged', `A ${this.#kind === 'tree' ? 'folder' : 'file'}'s contents are missing: blob ${toHex(id)} is in no known pack.`)
    const raw = await this.#segment(location)
    return takeBlob(this.#hasher, raw, location.offsetInSegment, location.length, id, `pack ${location.pack}`)
  }

  #segment(location: BlobLocation): Promise<Uint8Array> {
    const key = `${location.pack} ${String(location.segmentOffset)}`
    const known = this.#segments.get(key)
    if (known) {
      this.#segments.delete(key)
      this.#segments.set(key, known)
      return known.raw
    }
    const raw = this.#open(location)
    this.#segments.set(key, { bytes: location.rawLength, raw })
    this.#bytes += location.rawLength
    raw.catch(() => { this.#drop(key) })
    this.#trim()
    return raw
  }

  async #open(location: BlobLocation): Promise<Uint8Array> {
    const range = { offset: location.segmentOffset, length: location.storedLength }
    const { backend, keys } = this.#repository
    return fetchOpened(
      () => backend.get(packObject(location.pack), range, this.#signal),
      (stored) => openSegment(keys.packs, location.kind, location, stored, `pack ${location.pack}`),
    )
  }

  #trim(): void {
    for (const key of this.#segments.keys()) {
      if (this.#bytes <= cachedBytes || this.#segments.size <= 1) return
      this.#drop(key)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#segments.get(key)?.bytes ?? 0
    this.#segments.delete(key)
  }
}
