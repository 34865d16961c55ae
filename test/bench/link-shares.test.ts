import { expect, test } from 'vitest'
import { capacityOf, useOf } from './link-shares.ts'
import type { LinkReading } from '../servers/slow-link.ts'

/** Readings each tenth of a second: `rates` bytes a second for a second each, from time 1000. */
function readings(rates: readonly number[]): LinkReading[] {
  const list: LinkReading[] = [{ atMs: 1000, up: 0, down: 0, connections: 1 }]
  let up = 0
  for (const [second, rate] of rates.entries()) {
    for (let tenth = 1; tenth <= 10; tenth++) list.push({ atMs: 1000 + second * 1000 + tenth * 100, up: (up += rate / 10), down: 0, connections: 1 })
  }
  return list
}

test('the capacity is the link’s or the connections’, whichever is less', () => {
  const perConnection = { roundTripMs: 100, bytesPerSecondPerConnection: 5 }
  expect(capacityOf(perConnection, 4)).toBe(20)
  expect(capacityOf({ ...perConnection, bytesPerSecond: 12 }, 4)).toBe(12)
  expect(capacityOf({ ...perConnection, bytesPerSecond: 12 }, 2)).toBe(10)
})

test('each second has its share, and what comes after the last byte is no part of it', () => {
  const use = useOf(readings([0, 5e6, 10e6, 8e6, 0, 0]), 'up', 1000, 10e6)
  expect(use.shares.map((share) => share.toFixed(2))).toEqual(['0.00', '0.50', '1.00', '0.80'])
  expect(use.later).toBeCloseTo(0.9)
  expect(use.movedSeconds).toBeCloseTo(4)
})

test('a run that begins between readings and ends within a second', () => {
  const use = useOf(readings([10e6, 10e6]), 'up', 1550, 10e6)
  expect(use.shares.map((share) => share.toFixed(2))).toEqual(['1.00', '1.00'])
  expect(use.later).toBeUndefined()
})

test('talk is no transfer', () => {
  const use = useOf(readings([10e6, 10e6, 10e6, 1e4, 1e4]), 'up', 1000, 10e6)
  expect(use.movedSeconds).toBeCloseTo(3)
})
