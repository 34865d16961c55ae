import { abortError } from '../base/abort.ts'
import { createSlabs, type Slabs } from '../repository/chunker/slabs.ts'

/** Bytes of file data that a slab holds: one batch of small files, or one stretch of a big one. */
export const slabSize = 8 * 1024 * 1024

interface Waiting {
  readonly resolve: (slab: number) => void
  readonly reject: (error: unknown) => void
}

/**
 * The fixed memory that all file data of a run passes through: `count` × 8 MiB, however much data there is. A reader waits here
 * until a slab has been compressed and is free again.
 */
export class SlabPool {
  readonly slabs: Slabs
  readonly #signal: AbortSignal
  readonly #free: number[]
  readonly #waiting: Waiting[] = []

  constructor(count: number, signal: AbortSignal, slabBytes = slabSize) {
    this.slabs = createSlabs(count, slabBytes)
    this.#signal = signal
    this.#free = Array.from({ length: count }, (_, index) => index)
    signal.addEventListener('abort', () => {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(abortError(signal))
    }, { once: true })
  }

  /** The index of a slab, which now is the caller's. Rejects when the pool's signal fires. */
  async acquire(): Promise<number> {
    if (this.#signal.aborted) throw abortError(this.#signal)
    const slab = this.#free.pop()
    if (slab !== undefined) return slab
    return new Promise((resolve, reject) => { this.#waiting.push({ resolve, reject }) })
  }

  release(slab: number): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve(slab)
    else this.#free.push(slab)
  }
}
