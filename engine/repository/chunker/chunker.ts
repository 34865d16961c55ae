import { hkdfSync } from 'node:crypto'
import * as v from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import type { ChunkerParameters } from '../config.ts'
import { cutLimits } from './chunker-reference.ts'
import { chunkerWasm } from './chunker-wasm.ts'
import { createSlabs, slabBytes, slabStart, type Slabs } from './slabs.ts'
import { instantiate } from './webassembly.ts'

type Cut = (start: number, end: number, min: number, average: number, max: number, hard: bigint, easy: bigint) => number

const cutSchema = v.custom<Cut>((value) => typeof value === 'function')

/** 256 numbers that only the key's owner knows, so that chunk sizes tell nothing about known files. */
export function chunkerTable(key: Uint8Array): BigUint64Array {
  return new BigUint64Array(hkdfSync('sha256', key, new Uint8Array(0), 'holdfast 1 chunker table', 256 * 8))
}

/**
 * Cuts data where its content says (see chunker-reference.ts), at 4 GB/s and more where the data lies in the chunker's own slabs,
 * about 3 GB/s elsewhere (a copy). Keeps no state between calls.
 */
export class Chunker {
  readonly #parameters: ChunkerParameters
  readonly #slabs: Slabs
  readonly #memory: Uint8Array
  readonly #cut: Cut
  readonly #hard: bigint
  readonly #easy: bigint

  /**
   * @param key `RepositoryKeys.chunker`
   * @param slabs memory shared with other threads; all their chunkers must have the same key. Absent: memory of its own for one window.
   */
  constructor(key: Uint8Array, parameters: ChunkerParameters, slabs: Slabs = createSlabs(1, 2 * parameters.maxBytes)) {
    this.#parameters = parameters
    this.#slabs = slabs
    this.#memory = slabBytes(slabs)
    this.#memory.set(new Uint8Array(chunkerTable(key).buffer), 0)
    this.#cut = v.parse(cutSchema, instantiate(Buffer.from(chunkerWasm, 'base64'), slabs.memory)['cut'])
    const { hard, easy } = cutLimits(parameters.averageBytes)
    this.#hard = hard
    this.#easy = easy
  }

  /**
   * Ends of the chunks of `buffer[start, end)`, ascending. `start` must be where a chunk begins. Without `last`, only ends that no
   * further data can change: less than `maxBytes` remain behind the last one. With `last`, the rest is the last chunk.
   */
  cut(buffer: Uint8Array, start: number, end: number, last: boolean): number[] {
    const cuts = buffer.buffer === this.#memory.buffer ? this.#cutHere(buffer.byteOffset, start, end) : this.#cutCopies(buffer, start, end)
    if (last && (cuts.at(-1) ?? start) < end) cuts.push(end)
    return cuts
  }

  #cutHere(base: number, start: number, end: number): number[] {
    const { minBytes, averageBytes, maxBytes } = this.#parameters
    if (base + start < slabStart(this.#slabs, 0)) throw new HoldfastError('internal', 'Data lies in the chunker\'s table.')
    const cuts: number[] = []
    for (let from = start; ; ) {
      const cut = this.#cut(base + from, base + end, minBytes, averageBytes, maxBytes, this.#hard, this.#easy)
      if (cut === 0) return cuts
      from = cut - base
      cuts.push(from)
    }
  }

  #cutCopies(buffer: Uint8Array, start: number, end: number): number[] {
    const cuts: number[] = []
    const window = slabStart(this.#slabs, 0)
    const windowBytes = this.#slabs.slabBytes
    for (let from = start; from < end; ) {
      const length = Math.min(end - from, windowBytes)
      this.#memory.set(buffer.subarray(from, from + length), window)
      const found = this.#cutHere(window, 0, length)
      for (const cut of found) cuts.push(from + cut)
      if (from + length === end) break
      from = cuts.at(-1) ?? end
    }
    return cuts
  }
}
