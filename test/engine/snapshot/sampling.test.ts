import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleWeight, seededChance, shuffled, WeightedSample } from '../../../engine/snapshot/sampling.ts'

const dayMs = 24 * 3_600_000

test('the same seed gives the same numbers, another one others, all from 0 up to, and without, 1', () => {
  const numbers = (seed: string): number[] => {
    const chance = seededChance(seed)
    return Array.from({ length: 1000 }, () => chance())
  }
  expect(numbers('a')).toEqual(numbers('a'))
  expect(numbers('a')).not.toEqual(numbers('b'))
  expect(numbers('a').every((number) => number >= 0 && number < 1)).toBe(true)
  expect(numbers('a').reduce((sum, number) => sum + number, 0) / 1000).toBeCloseTo(0.5, 1)
})

test('older and larger files weigh more, and none weighs nothing', () => {
  const size = fc.integer({ min: 0, max: 2 ** 40 })
  const age = fc.integer({ min: -dayMs, max: 10_000 * dayMs })
  fc.assert(fc.property(size, size, age, age, (one, other, young, old) => {
    expect(sampleWeight(Math.max(one, other), Math.max(young, old))).toBeGreaterThanOrEqual(sampleWeight(Math.min(one, other), Math.min(young, old)))
    expect(sampleWeight(one, young)).toBeGreaterThanOrEqual(1)
  }))
})

test('a sample holds each file once at most, no more files and bytes than wanted, and something where anything fits', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 300 })
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5000 }), fc.string(), (files, most, mostBytes, seed) => {
    const sample = new WeightedSample<number>(most, seededChance(seed))
    for (const [at, bytes] of files.entries()) sample.offer(bytes, sampleWeight(bytes, 0), () => at)
    const taken = sample.take(most, mostBytes)
    expect(new Set(taken).size).toBe(taken.length)
    expect(taken.length).toBeLessThanOrEqual(most)
    expect(taken.reduce((sum, at) => sum + (files[at] ?? NaN), 0)).toBeLessThanOrEqual(mostBytes)
    if (files.length > 0 && files.every((bytes) => bytes <= mostBytes)) expect(taken.length).toBeGreaterThan(0)
  }))
})

test('what weighs twice as much is taken about twice as often', () => {
  let heavy = 0
  const rounds = 4000
  for (let round = 0; round < rounds; round++) {
    const sample = new WeightedSample<string>(1, seededChance(`${round}`))
    sample.offer(1, 1, () => 'light')
    sample.offer(1, 2, () => 'heavy')
    if (sample.take(1, 10)[0] === 'heavy') heavy++
  }
  expect(heavy / rounds).toBeGreaterThan(0.63)
  expect(heavy / rounds).toBeLessThan(0.7)
})

test('shuffling keeps all, and puts each in each place', () => {
  const places = new Set<string>()
  for (let round = 0; round < 200; round++) {
    const order = shuffled(['a', 'b', 'c'], seededChance(`${round}`))
    expect(order.toSorted()).toEqual(['a', 'b', 'c'])
    places.add(order.join(''))
  }
  expect(places.size).toBe(6)
})
