import { expect, test } from 'vitest'
import { LinePace } from '../../../../engine/backend/flow/line-pace.ts'

const megabyte = 1_000_000
const outcome = (startedMs: number, finishedMs: number, bytes?: number): { startedMs: number, finishedMs: number, throttled: boolean, bytes?: number } =>
  ({ startedMs, finishedMs, throttled: false, ...(bytes === undefined ? {} : { bytes }) })

test('nobody knows anything before something was seen', () => {
  const pace = new LinePace()
  expect([pace.arrivalMs(megabyte), pace.bytesInRoundTrip]).toEqual([undefined, 0])
  pace.answered(outcome(0, 100))
  expect([pace.arrivalMs(megabyte), pace.bytesInRoundTrip]).toEqual([undefined, 0])
})

test('the pace is that of a transfer without its round trip, and the round trip the shortest that was seen', () => {
  const pace = new LinePace()
  pace.answered(outcome(0, 300))
  pace.answered(outcome(0, 100))
  pace.answered(outcome(0, 200))
  pace.ended('up', outcome(0, 1100, 10 * megabyte))
  pace.ended('down', outcome(0, 2100, 10 * megabyte))
  expect(pace.arrivalMs(5 * megabyte)).toBe(500)
  expect(pace.bytesInRoundTrip).toBe(500_000)
})

test('the last transfer counts for a part', () => {
  const pace = new LinePace()
  pace.answered(outcome(0, 0))
  pace.ended('up', outcome(0, 1000, 10 * megabyte))
  pace.ended('up', outcome(0, 1000, 20 * megabyte))
  expect(pace.arrivalMs(13 * megabyte)).toBeCloseTo(1000)
})

test('what is small, fails, is refused or took no time tells nothing', () => {
  const pace = new LinePace()
  pace.answered({ ...outcome(0, 1), throttled: true })
  pace.answered(outcome(0, 100))
  pace.ended('up', outcome(0, 1100, 10 * megabyte))
  pace.ended('up', outcome(0, 1100, 1000))
  pace.ended('up', outcome(0, 9000))
  pace.ended('up', outcome(0, 50, 10 * megabyte))
  expect(pace.arrivalMs(10 * megabyte)).toBe(1000)
})
