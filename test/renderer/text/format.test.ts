import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatAge, formatBytes, formatCount, formatDuration, formatEta, formatMoment, formatPercent, formatRate, formatThings,
} from '../../../renderer/text/format.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('bytes', () => {
  test.each([
    [0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1.00 kB'], [9_994, '9.99 kB'], [9_996, '10.0 kB'], [99_960, '100 kB'],
    [999_499, '999 kB'], [999_600, '1.00 MB'], [1_240_000, '1.24 MB'], [23_400_000_000, '23.4 GB'], [5e15, '5.00 PB'], [-3, '0 bytes'],
  ])('%d is %s', (bytes, words) => {
    expect(formatBytes(bytes)).toBe(words)
  })

  test('never takes more than eight characters up to a petabyte, beyond whole bytes', () => {
    fc.assert(fc.property(fc.double({ min: 1000, max: 9e17, noNaN: true }), (bytes) => formatBytes(bytes).length <= 8))
  })

  test('a rate below a kilobyte stays in bytes', () => {
    expect(formatRate(512)).toBe('512 B/s')
    expect(formatRate(6_860_000)).toBe('6.86 MB/s')
  })
})

test('counts have separators, one thing is not several', () => {
  expect(formatCount(48_213)).toBe('48,213')
  expect(formatThings(1, 'file', 'files')).toBe('1 file')
  expect(formatThings(0, 'file', 'files')).toBe('0 files')
})

test('percent is 0 only at the start and 100 only at the end', () => {
  expect([0, 0.0001, 0.424, 0.9999, 1, 1.2].map(formatPercent)).toEqual(['0 %', '1 %', '42 %', '99 %', '100 %', '100 %'])
})

test.each([
  [300, '0.3 s'], [4_200, '4 s'], [59_000, '59 s'], [95_000, '1 min 35 s'], [2 * minute, '2 min'], [34 * minute, '34 min'],
  [hour, '1 h'], [80 * minute, '1 h 20 min'], [51 * hour, '2 d 3 h'],
])('a duration of %d ms is %s', (ms, words) => {
  expect(formatDuration(ms)).toBe(words)
})

test.each([
  [10 * second, 50 * second, 'less than a minute left'],
  [30 * second, 4 * minute, 'up to 4 min left'],
  [12 * minute, 18 * minute, '12–18 min left'],
  [12 * minute, 12.2 * minute, 'about 12 min left'],
  [31 * minute, 44 * minute, '30–45 min left'],
  [80 * minute, 2 * hour, '80 min to 2 h left'],
  [2 * hour, 3.6 * hour, '2–3.5 h left'],
  [3 * day, 5 * day, '3–5 days left'],
])('an estimate from %d to %d ms is %s', (from, to, words) => {
  expect(formatEta({ from, to })).toBe(words)
})

test('an estimate is never empty and never ends before it begins', () => {
  fc.assert(
    fc.property(fc.nat(10 * day), fc.nat(10 * day), (from, to) => {
      const words = formatEta({ from, to })
      const [low, high] = /^([\d.]+)–([\d.]+)/.exec(words)?.slice(1).map(Number) ?? [0, 1]
      return words.endsWith('left') && (low ?? 0) < (high ?? 0)
    })
  )
})

describe('moments, seen at noon', () => {
  const now = new Date(2026, 10, 22, 12, 0).getTime()
  const at = (...parts: [number, number, number, number, number]): number => new Date(...parts).getTime()

  test.each([
    [at(2026, 10, 22, 9, 5), 'Today 09:05'], [at(2026, 10, 21, 23, 59), 'Yesterday 23:59'], [at(2026, 10, 23, 2, 0), 'Tomorrow 02:00'],
    [at(2026, 2, 3, 14, 5), '3 Mar 14:05'], [at(2025, 2, 3, 14, 5), '3 Mar 2025 14:05'],
  ])('%d', (ms, words) => {
    expect(formatMoment(ms, now)).toBe(words)
  })

  test.each([
    [now - 20 * second, 'just now'], [now + hour, 'just now'], [now - 5 * minute, '5 min ago'], [now - 11 * hour, '11 h ago'],
    [at(2026, 10, 21, 22, 0), 'yesterday'], [at(2026, 10, 21, 1, 0), 'yesterday'], [at(2026, 10, 20, 12, 0), '2 days ago'], [at(2026, 7, 1, 12, 0), '1 Aug 2026'],
  ])('the age of %d', (ms, words) => {
    expect(formatAge(ms, now)).toBe(words)
  })
})
