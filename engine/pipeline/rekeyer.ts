import { hasCode } from '../base/errors.ts'
import type { NativeMemory } from '../base/memory.ts'
import { BlobHasher } from '../repository/blob-id.ts'
import { slabBytes, slabStart, type Slabs } from '../repository/chunker/slabs.ts'
import { openSegment, takeBlob } from '../repository/segment.ts'
import { equalBytes } from '../base/bytes.ts'
import { BlobList } from './blob-list.ts'
import type { RekeyJob, RekeyResult, WorkerSetup } from './worker-messages.ts'

const idLength = 32

/**
 * Opens what was read from a sync's source, checks each blob against its id there, and lays it into a slab under the id that it has at the
 * destination. Runs in a worker thread.
 */
export class Rekeyer {
  readonly #source: NonNullable<WorkerSetup['source']>
  readonly #slabs: Slabs
  readonly #memory: Uint8Array
  readonly #native: NativeMemory
  readonly #from: BlobHasher
  /** Undefined where both name blobs alike. */
  readonly #to: BlobHasher | undefined

  constructor(setup: WorkerSetup, source: NonNullable<WorkerSetup['source']>, native: NativeMemory) {
    this.#source = source
    this.#slabs = setup.slabs
    this.#memory = slabBytes(setup.slabs)
    this.#native = native
    this.#from = new BlobHasher(source.blobId)
    this.#to = equalBytes(source.blobId, setup.keys.blobId) ? undefined : new BlobHasher(setup.keys.blobId)
  }

  /** Blobs that cannot be read are left out, and marked so. */
  rekey({ slab, pack, bytes, segments, ids, lengths, offsets }: RekeyJob): RekeyResult {
    const blobs = new BlobList(lengths.length)
    const taken = new Uint8Array(lengths.length)
    const what = `pack ${pack.name}`
    let to = slabStart(this.#slabs, slab)
    let failure: string | undefined
    let blob = 0
    for (const segment of segments) {
      const last = blob + segment.wanted
      const raw = attempt(() => openSegment(this.#source.packs, pack.kind, segment, bytes.subarray(segment.at, segment.at + segment.storedLength), what))
      if (typeof raw === 'string') failure ??= raw
      for (; blob < last; blob++) {
        if (typeof raw === 'string') continue
        const id = ids.subarray(blob * idLength, (blob + 1) * idLength)
        const found = attempt(() => takeBlob(this.#from, raw, offsets[blob] ?? 0, lengths[blob] ?? 0, id, what))
        if (typeof found === 'string') {
          failure ??= found
          continue
        }
        this.#memory.set(found, to)
        blobs.add(this.#to?.id(this.#memory, to, to + found.length) ?? id, to, found.length)
        to += found.length
        taken[blob] = 1
      }
      if (typeof raw !== 'string') this.#native.free(raw)
    }
    this.#native.free(bytes)
    return { type: 'rekeyed', blobs: blobs.ranges(), taken, ...(failure === undefined ? {} : { failure }) }
  }
}

/** What it gives, or in words why it is damaged. */
function attempt(work: () => Uint8Array): Uint8Array | string {
  try {
    return work()
  } catch (error) {
    if (hasCode(error, 'damaged')) return error.message
    throw error
  }
}
