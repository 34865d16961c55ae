import { sharedMemory, type WasmMemory } from './webassembly.ts'

/**
 * Memory for file data, shared by all threads of a backup: one shared WebAssembly.Memory that holds the chunker's table and a fixed
 * number of slabs. Files are read straight into a slab (`fs.readSync` takes these views), cut there without a copy (the chunker's
 * code runs on this very memory), hashed, compressed and encrypted from there; only offsets travel between threads.
 *
 * How the pipeline uses it:
 * - main thread: `const slabs = createSlabs(8, 8 * 1024 * 1024)`; post `slabs` (structured clone shares the memory) in workerData.
 * - a thread: `const bytes = slabBytes(slabs)` is one view over everything; slab `i` is
 *   `[slabStart(slabs, i), slabStart(slabs, i) + slabs.slabBytes)` in it. `new Chunker(key, parameters, slabs)` then
 *   `chunker.cut(bytes, start, end, last)` without a copy; `hasher.id(bytes, from, to)`; `bytes.subarray(from, to)` goes to PackWriter.
 * - a file larger than a slab: what is behind the last cut (less than `maxBytes`) is copied to the start of the next slab, and
 *   reading goes on behind it. The cuts are the same wherever the slabs' borders fall.
 * - before each slab lie 4 KiB of headroom that belong to it, so ids can be taken from its first byte on. `hasher.id` writes 64
 *   bytes before the chunk for a moment: take all ids of a slab in one thread before others see the slab.
 *
 * Bound: count × (slabBytes + 4 KiB) + 64 KiB, never grows. 8 × 8 MiB = 64 MiB.
 */
export interface Slabs {
  readonly memory: WasmMemory
  readonly count: number
  readonly slabBytes: number
}

const pageBytes = 65_536
const headroomBytes = 4096
/** The first page: the chunker's table, and nothing else. */
const slabsFrom = pageBytes

/** Made once, by the thread that owns the pool. */
export function createSlabs(count: number, slabBytes: number): Slabs {
  const pages = Math.ceil((slabsFrom + count * (headroomBytes + slabBytes)) / pageBytes)
  return { memory: sharedMemory(pages), count, slabBytes }
}

/** One view over the whole memory. */
export function slabBytes(slabs: Slabs): Uint8Array {
  return new Uint8Array(slabs.memory.buffer)
}

/** Offset of a slab's first byte in `slabBytes`. */
export function slabStart(slabs: Slabs, index: number): number {
  return slabsFrom + index * (headroomBytes + slabs.slabBytes) + headroomBytes
}
