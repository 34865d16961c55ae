import { expect, test } from 'vitest'
import { paceSliceBytes } from '../../../../engine/backend/backend.ts'
import { TokenBucket } from '../../../../engine/backend/flow/bandwidth.ts'
import { Transfers } from '../../../../engine/backend/flow/transfers.ts'
import { withLimits } from '../../../../engine/backend/wrappers/limits.ts'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { codeOf } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal
const slice = 65_536

/** Takes slices without end and counts them. */
function transfer(bucket: TokenBucket, sliceBytes = slice, signal = never): { bytes: number } {
  const counter = { bytes: 0 }
  void (async () => {
    while (!signal.aborted) {
      await bucket.take(sliceBytes, signal)
      counter.bytes += sliceBytes
    }
  })().catch(() => undefined)
  return counter
}

test.each([10_000, 1_000_000, 50_000_000])('a rate of %i bytes per second is held within 5 percent', async (rate) => {
  const clock = new FakeClock()
  const counter = transfer(new TokenBucket(clock, rate))
  const seconds = rate < 100_000 ? 600 : 20
  await clock.advance(seconds * 1000)
  expect(counter.bytes / (rate * seconds)).toBeGreaterThan(0.95)
  expect(counter.bytes / (rate * seconds)).toBeLessThan(1.05)
})

test('several transfers share the rate evenly', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(clock, 1_000_000)
  const counters = Array.from({ length: 4 }, () => transfer(bucket))
  await clock.advance(20_000)
  for (const { bytes } of counters) expect(bytes / 5_000_000).toBeCloseTo(1, 1)
})

test('a new rate holds at once, for those who wait too, and no limit frees them', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(clock, 1000)
  const ended = new AbortController()
  const counter = transfer(bucket, slice, ended.signal)
  await clock.advance(1000)
  expect(counter.bytes).toBe(slice)
  bucket.setRate(1_000_000)
  await clock.advance(10_000)
  expect(counter.bytes / 10_000_000).toBeCloseTo(1, 1)
  bucket.setRate(100_000)
  const before = counter.bytes
  await clock.advance(20_000)
  expect((counter.bytes - before) / 2_000_000).toBeGreaterThan(0.9)
  expect((counter.bytes - before) / 2_000_000).toBeLessThan(1.1)
  ended.abort()
  await clock.advance(10)
  void bucket.take(slice, never)
  let freed = false
  void bucket.take(1, never)?.then(() => { freed = true })
  bucket.setRate(undefined)
  await clock.advance(0)
  expect(freed).toBe(true)
  expect(bucket.take(1, never)).toBeUndefined()
})

test('a pause leaves over a fifth of a second, not more', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(clock, 1_000_000)
  await clock.advance(3_600_000)
  const counter = transfer(bucket, 1000)
  await clock.advance(0)
  expect(counter.bytes).toBeLessThanOrEqual(202_000)
})

test('who gives up waiting does not hold up the others', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(clock, 1000)
  await bucket.take(1_000, never)
  const controller = new AbortController()
  const given = bucket.take(1_000_000_000, controller.signal)
  let passed = false
  const next = bucket.take(10, never)?.then(() => { passed = true })
  controller.abort()
  expect(await codeOf(Promise.resolve(given))).toBe('aborted')
  await clock.advance(1100)
  await next
  expect(passed).toBe(true)
})

test('a rate of nothing is refused', () => {
  for (const rate of [0, -1, Number.NaN]) expect(() => new TokenBucket(systemClock, rate)).toThrow()
})

test('real time: four uploads through the limits wrapper together keep to the rate', async () => {
  const rate = 8_000_000
  const up = new TokenBucket(systemClock, rate)
  const transfers = new Transfers({ concurrency: 4, clock: systemClock })
  const backend = withLimits(openMemory('bandwidth'), { transfers, bandwidth: { up, down: new TokenBucket(systemClock) } })
  const bytes = new Uint8Array(rate / 4)
  const started = performance.now()
  await Promise.all(Array.from({ length: 4 }, (_, index) => backend.put(`x${index}`, { type: 'bytes', bytes }, {}, never)))
  const seconds = (performance.now() - started) / 1000
  // Four slices may pass before the first is paid for. A machine that stands still makes it slower, never faster.
  expect(rate / seconds).toBeLessThan(rate * 1.05 + 4 * paceSliceBytes)
  expect(seconds).toBeLessThan(2)
})
