import { expect, test } from 'vitest'
import { fitOf, forecast, reserveOf, type SpaceSample } from '../../../engine/snapshot/space.ts'

const gib = 1024 ** 3
const day = 24 * 3_600_000
const now = 2000 * day

test.each([[1000 * gib, 2 * gib], [200 * gib, 2 * gib], [100 * gib, gib], [gib, Math.floor(gib / 100)]])('of %d bytes in all, %d stay free', (totalBytes, expected) => {
  expect(reserveOf({ freeBytes: totalBytes / 2, totalBytes })).toBe(expected)
  expect(reserveOf({ freeBytes: totalBytes })).toBe(expected)
})

/** Free GiB on the last days, oldest first. */
const samples = (...free: number[]): SpaceSample[] => free.map((each, at) => ({ timeMs: now - (free.length - 1 - at) * day, freeBytes: each * gib, totalBytes: 200 * gib }))
/** Days until it is full, and GiB a day. */
const told = (...free: number[]): unknown => {
  const found = forecast(samples(...free), now)
  return found && [Math.round(found.bytesPerDay / gib * 100) / 100, found.fullMs === undefined ? undefined : Math.round((found.fullMs - now) / day)]
}

test('a storage that fills up evenly is full when its reserve is reached', () => {
  expect(told(100, 99, 98, 97, 96, 95, 94, 93, 92)).toEqual([1, 90])
})

test('a film that came and went does not bend the trend', () => {
  expect(told(100, 99, 98, 37, 96, 95, 94, 93, 92)).toEqual([1, 90])
})

test('one that a prune empties each week fills up in years only', () => {
  const week = [100, 99, 98, 97, 96, 95, 94]
  expect(told(...week, ...week, ...week, ...week)).toEqual([0.09, 1058])
})

test('one that stays as it is, or empties, has no end', () => {
  expect(told(50, 50, 50, 50, 50, 50, 50, 50)).toEqual([0, undefined])
  expect(told(50, 51, 52, 53, 54, 55, 56, 57)).toEqual([-1, undefined])
  expect(told(150, 149.99, 149.98, 149.97, 149.96, 149.95, 149.94, 149.93)).toEqual([0.01, undefined])
})

test('too little is known to tell', () => {
  expect(told(9, 8, 7, 6)).toBeUndefined()
  expect(told(9, 8, 7, 6, 5, 4, 3)).toBeUndefined()
  expect(forecast(samples(9, 8, 7, 6, 5, 4, 3, 2, 1).map((each) => ({ ...each, timeMs: each.timeMs - 91 * day })), now)).toBeUndefined()
})

test('what is full already is full now', () => {
  expect(told(9, 8, 7, 6, 5, 4, 3, 2, 1)).toEqual([1, 0])
})

test.each<[string, number, number, number, ReturnType<typeof fitOf>]>([
  ['fits well', 100, 100, 500, { type: 'fits' }],
  ['photographs that are a little too many', 100, 0, 90, { type: 'unlikely', short: 7 * gib }],
  ['photographs that are far too many', 300, 0, 100, { type: 'impossible', short: 187 * gib }],
  ['text that shrinks, mostly', 0, 200, 100, { type: 'unlikely', short: 22 * gib }],
  ['nothing to store, and nothing free', 0, 0, 2, { type: 'fits' }],
])('%s', (_name, dense, other, free, expected) => {
  expect(fitOf({ dense: dense * gib, other: other * gib }, { freeBytes: free * gib, totalBytes: 1000 * gib })).toEqual(expected)
})
