import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { below, isZero, objectPadding, packPadding, paddedLength, padme } from '../../../engine/repository/padding.ts'

const lowest = (length: number): Uint8Array => new Uint8Array(length)
const highest = (length: number): Uint8Array => new Uint8Array(length).fill(255)

test('Padmé: the values of the paper’s algorithm', () => {
  const known = [[1, 1], [8, 8], [9, 10], [100, 104], [1000, 1024], [1025, 1088], [65_537, 67_584], [2 ** 22 + 1, 2 ** 22 + 2 ** 17]]
  expect(known.map(([length = 0]) => padme(length))).toEqual(known.map(([, padded]) => padded))
  // Steps end at 128 KiB.
  expect([padme(2 ** 24), padme(2 ** 24 + 1), padme(2 ** 26 + 1)]).toEqual([2 ** 24, 2 ** 24 + 2 ** 17, 2 ** 26 + 2 ** 17])
})

test('Padmé: never shorter, at most 12 % longer, and again the same', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (length) => {
    const padded = padme(length)
    expect(padded).toBeGreaterThanOrEqual(length)
    expect(padded).toBeLessThanOrEqual(length * 1.12 + 1)
    expect(padme(padded)).toBe(padded)
  }))
})

test('lengths up to the least give the same lengths', () => {
  for (const random of [lowest, highest]) {
    expect(paddedLength(1, packPadding, random)).toBe(paddedLength(16 * 1024, packPadding, random))
    expect(paddedLength(1, objectPadding, random)).toBe(paddedLength(1024, objectPadding, random))
  }
  expect(paddedLength(1, packPadding, lowest)).toBe(16 * 1024)
  expect(paddedLength(1, packPadding, highest)).toBe(32 * 1024)
})

test('a full pack grows by 1.2 % at most, 0.6 % on average', () => {
  let [sum, most] = [0, 0]
  for (let at = 0; at < 4000; at++) {
    const length = 16 * 2 ** 20 + at * 1000
    const share = paddedLength(length, packPadding, systemRandom) / length - 1
    sum += share
    most = Math.max(most, share)
  }
  expect(most).toBeLessThan(0.012)
  expect(sum / 4000).toBeLessThan(0.006)
})

test('random numbers keep to their limit and reach all of it', () => {
  expect(below(1000, lowest)).toBe(0)
  expect(below(1000, highest)).toBe(999)
  expect(new Set(Array.from({ length: 1000 }, () => below(4, systemRandom)))).toEqual(new Set([0, 1, 2, 3]))
})

test('zeros are told from everything else', () => {
  expect(isZero(new Uint8Array(0))).toBe(true)
  expect(isZero(new Uint8Array(1000))).toBe(true)
  for (const at of [0, 500, 999]) expect(isZero(Uint8Array.from({ length: 1000 }, (_, index) => (index === at ? 1 : 0)))).toBe(false)
})
