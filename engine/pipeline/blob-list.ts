import type { BlobRanges } from './worker-messages.ts'

const idLength = 32

/** Collects the blobs of one slab into arrays that pass between threads cheaply. */
export class BlobList {
  #ids: Uint8Array
  #offsets: Uint32Array
  #lengths: Uint32Array
  #count = 0

  constructor(capacity: number) {
    const room = Math.max(capacity, 4)
    this.#ids = new Uint8Array(room * idLength)
    this.#offsets = new Uint32Array(room)
    this.#lengths = new Uint32Array(room)
  }

  add(id: Uint8Array, offset: number, length: number): void {
    if (this.#count === this.#offsets.length) this.#grow()
    this.#ids.set(id, this.#count * idLength)
    this.#offsets[this.#count] = offset
    this.#lengths[this.#count] = length
    this.#count++
  }

  ranges(): BlobRanges {
    return {
      ids: this.#ids.slice(0, this.#count * idLength),
      offsets: this.#offsets.slice(0, this.#count),
      lengths: this.#lengths.slice(0, this.#count),
    }
  }

  #grow(): void {
    const ids = new Uint8Array(this.#ids.length * 2)
    ids.set(this.#ids)
    const offsets = new Uint32Array(this.#offsets.length * 2)
    offsets.set(this.#offsets)
    const lengths = new Uint32Array(this.#lengths.length * 2)
    lengths.set(this.#lengths)
    this.#ids = ids
    this.#offsets = offsets
    this.#lengths = lengths
  }
}
