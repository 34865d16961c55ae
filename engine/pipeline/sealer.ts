import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { slabBytes } from '../repository/chunker/slabs.ts'
import type { SealedPack } from '../repository/pack-info.ts'
import { groupBlobs, PackWriter, type BlobBytes } from '../repository/pack-writer.ts'
import type { BlobKind } from '../snapshot/node.ts'
import type { NativeMemory } from '../base/memory.ts'
import type { BlobRanges, WorkerSetup } from './worker-messages.ts'

const idLength = 32

/** More blobs than come in one job. */
const roomKept = 16_384

/** Compresses and encrypts blobs into this thread's open packs: one for data, one for trees. Runs in a worker thread. */
export class Sealer {
  readonly #setup: WorkerSetup
  readonly #memory: Uint8Array
  readonly #native: NativeMemory
  readonly #open = new Map<BlobKind, PackWriter>()

  constructor(setup: WorkerSetup, native: NativeMemory) {
    this.#setup = setup
    this.#native = native
    this.#memory = slabBytes(setup.slabs)
  }

  /** Packs that became full by it. */
  data(blobs: BlobRanges): SealedPack[] {
    return this.#append('data', list(blobs.ids, blobs.lengths, (at) => blobs.offsets[at] ?? 0, this.#memory))
  }

  trees(bytes: Uint8Array, ids: Uint8Array, lengths: Uint32Array): SealedPack[] {
    let next = 0
    const advance = (at: number): number => {
      const offset = next
      next += lengths[at] ?? 0
      return offset
    }
    return this.#append('tree', list(ids, lengths, advance, bytes))
  }

  /** Ends the open packs. */
  finish(): SealedPack[] {
    const sealed = [...this.#open.values()].map((writer) => writer.finish())
    this.#open.clear()
    return sealed
  }

  /** One pack out of several; their files are gone afterwards. */
  merge(packs: readonly SealedPack[], kind: BlobKind): SealedPack[] {
    const writer = this.#start(kind)
    try {
      for (const pack of packs) writer.absorb(pack)
      const merged = writer.finish()
      for (const pack of packs) rmSync(pack.path)
      return [merged]
    } catch (error) {
      writer.discard()
      throw error
    }
  }

  #append(kind: BlobKind, blobs: Iterable<BlobBytes>): SealedPack[] {
    const sealed: SealedPack[] = []
    for (const segment of groupBlobs(blobs)) {
      const writer = this.#writer(kind)
      writer.append(segment)
      this.#native.used(segment.reduce((sum, blob) => sum + blob.bytes.length, 0))
      // Room for the blobs of one more segment, however small they are.
      if (writer.bytesWritten < this.#setup.packBytes && writer.blobRoom > roomKept) continue
      sealed.push(writer.finish())
      this.#open.delete(kind)
    }
    return sealed
  }

  #writer(kind: BlobKind): PackWriter {
    const writer = this.#open.get(kind) ?? this.#start(kind)
    this.#open.set(kind, writer)
    return writer
  }

  #start(kind: BlobKind): PackWriter {
    const path = join(this.#setup.spoolFolder, `${randomUUID()}.pack`)
    return new PackWriter(path, this.#setup.keys.packs, kind, { level: this.#setup.compressionLevel })
  }
}

function* list(ids: Uint8Array, lengths: Uint32Array, offsetOf: (at: number) => number, bytes: Uint8Array): Generator<BlobBytes> {
  for (let at = 0; at < lengths.length; at++) {
    const offset = offsetOf(at)
    yield { id: ids.subarray(at * idLength, (at + 1) * idLength), bytes: bytes.subarray(offset, offset + (lengths[at] ?? 0)) }
  }
}
