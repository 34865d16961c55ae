import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpeedWindow } from '../../../engine/progress/speed.ts'

test('the speed is that of the last five seconds, to the byte', () => {
  const speed = new SpeedWindow()
  expect(speed.read(1_000, 700)).toBe(0)
  expect(speed.read(1_250, 1_200)).toBe(2_000)
  expect(speed.read(2_000, 2_700)).toBe(2_000)
  // Nothing moves from here on: after five seconds the speed is none, not an average of better times.
  expect(speed.read(4_000, 2_700)).toBe((2_000 * 1000) / 3_000)
  expect(speed.read(7_000, 2_700)).toBe(0)
  expect(speed.read(8_000, 8_700)).toBe((6_000 * 1000) / 6_000)
})

test('a sum that falls back is no negative speed', () => {
  const speed = new SpeedWindow()
  speed.read(0, 1_000_000)
  expect(speed.read(250, 900_000)).toBe(0)
})

test('at a steady speed, read as often as anybody likes, it is that speed', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 50 })
  fc.assert(fc.property(steps, fc.integer({ min: 0, max: 1e6 }), (waits, perMs) => {
    const speed = new SpeedWindow()
    let now = 50
    speed.read(now, now * perMs)
    for (const wait of waits) {
      now += wait
      expect(speed.read(now, now * perMs)).toBeCloseTo(perMs * 1000, 3)
    }
  }))
})
