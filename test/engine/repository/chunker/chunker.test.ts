import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileChunker } from '../../../../build/scripts/chunker-wasm.ts'
import { Chunker, chunkerTable } from '../../../../engine/repository/chunker/chunker.ts'
import { cutReference } from '../../../../engine/repository/chunker/chunker-reference.ts'
import { createSlabs, slabBytes, slabStart } from '../../../../engine/repository/chunker/slabs.ts'
import { standardChunker } from '../../../../engine/repository/config.ts'
import { noise } from '../support.ts'

interface Vector {
  readonly key: string
  readonly parameters: { readonly minBytes: number; readonly averageBytes: number; readonly maxBytes: number }
  readonly seed: string
  readonly pattern: 'noise' | 'zeros' | 'letters'
  readonly length: number
  readonly cuts: readonly number[]
}

const vectors = JSON.parse(readFileSync(new URL('../../../fixtures/chunker-vectors.json', import.meta.url), 'utf8')) as Vector[]
const key = noise('chunker', 32)
const small = { minBytes: 128, averageBytes: 512, maxBytes: 2048 }

function dataOf({ seed, pattern, length }: Pick<Vector, 'seed' | 'pattern' | 'length'>): Buffer {
  if (pattern === 'zeros') return Buffer.alloc(length)
  const bytes = noise(seed, length)
  return pattern === 'noise' ? bytes : Buffer.from(bytes.map((byte) => 97 + (byte % 4)))
}

/** Cuts as a reader does that gets data bit by bit: from the last cut on, again and again. */
function cutInWindows(chunker: Chunker, data: Uint8Array, window: number): number[] {
  const cuts: number[] = []
  let end = 0
  for (let from = 0; end < data.length; from = cuts.at(-1) ?? 0) {
    end = Math.min(Math.max(end, from) + window, data.length)
    cuts.push(...chunker.cut(data, from, end, end === data.length))
  }
  return cuts
}

test('the checked-in code is what chunker.wat compiles to', async () => {
  const checkedIn = readFileSync(new URL('../../../../engine/repository/chunker/chunker-wasm.ts', import.meta.url), 'utf8')
  expect(await compileChunker()).toBe(checkedIn)
})

describe('shared vectors', () => {
  test.each(vectors)('$pattern of $length bytes, average $parameters.averageBytes', (vector) => {
    const data = dataOf(vector)
    const seed = Buffer.from(vector.key, 'hex')
    expect(new Chunker(seed, vector.parameters).cut(data, 0, data.length, true)).toEqual(vector.cuts)
    if (data.length <= 300_000) expect(cutReference(chunkerTable(seed), vector.parameters, data, 0, data.length, true)).toEqual(vector.cuts)
  })
})

describe('the fast chunker', () => {
  const chunker = new Chunker(key, small)
  const content = fc.record({ seed: fc.string(), pattern: fc.constantFrom('noise', 'letters', 'zeros'), length: fc.nat(12_000) })

  test('cuts where the reference does', () => {
    fc.assert(fc.property(content, fc.nat(500), fc.boolean(), (of, start, last) => {
      const data = dataOf(of)
      const from = Math.min(start, data.length)
      expect(chunker.cut(data, from, data.length, last)).toEqual(cutReference(chunkerTable(key), small, data, from, data.length, last))
    }))
  })

  test('keeps to the sizes and leaves less than the largest undecided', () => {
    fc.assert(fc.property(content, (of) => {
      const data = dataOf(of)
      const cuts = chunker.cut(data, 0, data.length, true)
      const sizes = cuts.map((cut, index) => cut - (cuts[index - 1] ?? 0))
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(data.length)
      expect(sizes.every((size) => size > 0 && size <= small.maxBytes)).toBe(true)
      expect(sizes.slice(0, -1).every((size) => size >= small.minBytes)).toBe(true)
      const certain = chunker.cut(data, 0, data.length, false)
      expect(cuts.slice(0, certain.length)).toEqual(certain)
      expect(data.length - (certain.at(-1) ?? 0)).toBeLessThan(small.maxBytes)
    }))
  })

  test('gives the same cuts wherever the borders of windows fall', () => {
    fc.assert(fc.property(content, fc.integer({ min: 1, max: 9000 }), (of, window) => {
      const data = dataOf(of)
      expect(cutInWindows(chunker, data, window)).toEqual(data.length === 0 ? [] : chunker.cut(data, 0, data.length, true))
    }))
  })

  test('an insertion changes only chunks near it', () => {
    const data = noise('original', 200_000)
    const edited = Buffer.concat([data.subarray(0, 100_000), Buffer.from('inserted'), data.subarray(100_000)])
    const chunks = (bytes: Buffer): Set<string> => {
      let from = 0
      return new Set(chunker.cut(bytes, 0, bytes.length, true).map((cut) => bytes.toString('latin1', from, (from = cut))))
    }
    const before = chunks(data)
    const fresh = [...chunks(edited)].filter((chunk) => !before.has(chunk))
    expect(fresh.length).toBeGreaterThan(0)
    expect(fresh.length).toBeLessThan(8)
  })

  test('another key cuts elsewhere', () => {
    const data = noise('data', 50_000)
    expect(new Chunker(noise('another', 32), small).cut(data, 0, data.length, true)).not.toEqual(chunker.cut(data, 0, data.length, true))
  })
})

describe('slabs', () => {
  test('data in a slab is cut where it lies, as elsewhere', () => {
    const slabs = createSlabs(2, 100_000)
    const bytes = slabBytes(slabs)
    const chunker = new Chunker(key, small, slabs)
    for (const index of [0, 1]) {
      const start = slabStart(slabs, index)
      const data = noise(`slab ${index}`, slabs.slabBytes)
      bytes.set(data, start)
      const here = chunker.cut(bytes, start, start + data.length, true).map((cut) => cut - start)
      expect(here).toEqual(new Chunker(key, small).cut(data, 0, data.length, true))
      const view = bytes.subarray(start, start + data.length)
      expect(chunker.cut(view, 0, data.length, true)).toEqual(here)
    }
  })

  test('slabs have headroom of their own', () => {
    const slabs = createSlabs(3, 100_000)
    expect(slabStart(slabs, 0)).toBeGreaterThanOrEqual(2048 + 64)
    expect(slabStart(slabs, 1) - slabStart(slabs, 0) - slabs.slabBytes).toBeGreaterThanOrEqual(64)
    expect(slabStart(slabs, 2) + slabs.slabBytes).toBeLessThanOrEqual(slabBytes(slabs).length)
  })

  test('the table is never taken for data', () => {
    const slabs = createSlabs(1, 100_000)
    expect(() => new Chunker(key, small, slabs).cut(slabBytes(slabs), 0, 1000, true)).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})

test('standard chunks are about 1 MiB', () => {
  const data = noise('standard', 48 * 1024 * 1024)
  const cuts = new Chunker(key, standardChunker).cut(data, 0, data.length, true)
  expect(cuts.length).toBeGreaterThan(32)
  expect(cuts.length).toBeLessThan(64)
})
