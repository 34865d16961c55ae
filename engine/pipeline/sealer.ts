import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { slabBytes } from '../repository/chunker/slabs.ts'
import { systemRandom, type Random } from '../repository/crypto.ts'
import type { SealedPack } from '../repository/pack-info.ts'
import { groupBlobs, packsAtOnce, PackWriter, type BlobBytes } from '../repository/pack-writer.ts'
import { below } from '../repository/padding.ts'
import type { BlobKind } from '../snapshot/node.ts'
import type { NativeMemory } from '../base/memory.ts'
import type { BlobRanges, WorkerSetup } from './worker-messages.ts'

const idLength = 32

/** More blobs than come in one job. */
const roomKept = 16_384

/** Compresses and encrypts blobs into this thread's open packs: two for data, two for trees, each time one by chance. Runs in a worker thread. */
export class Sealer {
  readonly #setup: WorkerSetup
  readonly #memory: Uint8Array
  readonly #native: NativeMemory
  readonly #random: Random
  readonly #open: Record<BlobKind, (PackWriter | undefined)[]> = { data: [], tree: [] }

  /** @param random decides which pack takes what, and how much padding there is; only tests take another one. */
  constructor(setup: WorkerSetup, native: NativeMemory, random: Random = systemRandom) {
    this.#setup = setup
    this.#random = random
    this.#native = native
    this.#memory = slabBytes(setup.slabs)
  }

  /** @returns packs that became full by it: those of `packBytes` and more. */
  data(blobs: BlobRanges, packBytes: number): SealedPack[] {
    return this.#append('data', list(blobs.ids, blobs.lengths, (at) => blobs.offsets[at] ?? 0, this.#memory), packBytes)
  }

  /** @param trees back to back in `bytes` @returns as `data`. */
  trees({ bytes, ids, lengths }: { readonly bytes: Uint8Array; readonly ids: Uint8Array; readonly lengths: Uint32Array }, packBytes: number): SealedPack[] {
    let next = 0
    const advance = (at: number): number => {
      const offset = next
      next += lengths[at] ?? 0
      return offset
    }
    return this.#append('tree', list(ids, lengths, advance, bytes), packBytes)
  }

  /** Ends the open packs. */
  finish(): SealedPack[] {
    const sealed = Object.values(this.#open).flatMap((writers) => writers.flatMap((writer) => writer?.finish() ?? []))
    for (const writers of Object.values(this.#open)) writers.length = 0
    return sealed
  }

  /** One pack out of several; their files are gone afterwards. */
  merge(packs: readonly SealedPack[], kind: BlobKind): SealedPack[] {
    const writer = this.#start(kind)
    try {
      for (const pack of packs) writer.absorb(pack)
      const merged = writer.finish()
      for (const pack of packs) rmSync(pack.path, { force: true })
      return [merged]
    } catch (error) {
      writer.discard()
      throw error
    }
  }

  #append(kind: BlobKind, blobs: Iterable<BlobBytes>, packBytes: number): SealedPack[] {
    const sealed: SealedPack[] = []
    const open = this.#open[kind]
    for (const segment of groupBlobs(blobs)) {
      const place = below(packsAtOnce, this.#random)
      const writer = open[place] ??= this.#start(kind)
      writer.append(segment)
      this.#native.used(segment.reduce((sum, blob) => sum + blob.bytes.length, 0))
      // Room for the blobs of one more segment, however small they are.
      if (writer.bytesWritten < packBytes && writer.blobRoom > roomKept) continue
      sealed.push(writer.finish())
      open[place] = undefined
    }
    return sealed
  }

  #start(kind: BlobKind): PackWriter {
    const path = join(this.#setup.spoolFolder, `${randomUUID()}.pack`)
    return new PackWriter(path, this.#setup.keys.packs, kind, { level: this.#setup.compressionLevel, random: this.#random })
  }
}

function* list(ids: Uint8Array, lengths: Uint32Array, offsetOf: (at: number) => number, bytes: Uint8Array): Generator<BlobBytes> {
  for (let at = 0; at < lengths.length; at++) {
    const offset = offsetOf(at)
    yield { id: ids.subarray(at * idLength, (at + 1) * idLength), bytes: bytes.subarray(offset, offset + (lengths[at] ?? 0)) }
  }
}
