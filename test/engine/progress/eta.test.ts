import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addSample, remainingTime } from '../../../engine/progress/eta.ts'

test('nothing is said before enough is known', () => {
  expect(remainingTime([], { timeMs: 2_000, done: 100 }, 0, 100)).toBeUndefined()
  expect(remainingTime([], { timeMs: 9_000, done: 0 }, 0, 100)).toBeUndefined()
})

test('at a steady speed the range lies around the truth', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 4, max: 5_000 }), fc.integer({ min: 1, max: 1e12 }), (perMs, seconds, left) => {
    let samples: ReturnType<typeof addSample> = []
    for (let at = Math.max(0, seconds - 100); at < seconds; at++) samples = addSample(samples, { timeMs: at * 1000, done: at * 1000 * perMs })
    const range = remainingTime(samples, { timeMs: seconds * 1000, done: seconds * 1000 * perMs }, 0, left)
    const truth = left / perMs
    expect(range?.from).toBeLessThanOrEqual(truth + 1)
    expect(range?.to).toBeGreaterThanOrEqual(truth - 1)
    expect(range?.to).toBeLessThanOrEqual(truth * 1.2 + 1)
  }))
})

test('a slow minute widens the range towards later', () => {
  const samples = [{ timeMs: 60_000, done: 1_000_000 }]
  const range = remainingTime(samples, { timeMs: 120_000, done: 1_100_000 }, 0, 1_000_000)
  expect(range?.from).toBeLessThan(110_000)
  expect(range?.to).toBeGreaterThan(600_000)
})

test('samples are a minute at one a second', () => {
  let samples: ReturnType<typeof addSample> = []
  for (let ms = 0; ms < 300_000; ms += 250) samples = addSample(samples, { timeMs: ms, done: ms })
  expect(samples.length).toBeGreaterThan(55)
  expect(samples.length).toBeLessThanOrEqual(61)
})
