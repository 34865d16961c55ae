import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { afterMove, afterTransfer, provenLimit, startConcurrency } from '../../../../engine/backend/flow/concurrency.ts'
import { bestFixed, maximum, simulate, type SimulatedLink } from './simulated-link.ts'

const MB = 1_000_000
const wide = (): number => 1000 * MB
/** Of an upload, this much is on its way and cannot be seen. */
const bufferBytes = 6 * MB

const company = { isFull: true, maximum }

const links: Readonly<Record<string, SimulatedLink>> = {
  'far away': { roundTripMs: 400, perConnection: 1 * MB, total: wide },
  'a rate for each connection': { roundTripMs: 100, perConnection: 5 * MB, total: wide },
  'a narrow line': { roundTripMs: 50, perConnection: 5 * MB, total: () => 20 * MB },
  'a slow line': { roundTripMs: 50, perConnection: 1 * MB, total: () => 1 * MB },
  'a server that refuses more than ten': { roundTripMs: 100, perConnection: 2 * MB, total: wide, refusesAbove: 10, retryAfterMs: 2_000 },
  'a line that becomes wide after a minute': { roundTripMs: 50, perConnection: 5 * MB, total: (nowMs) => (nowMs < 60_000 ? 10 : 60) * MB },
  'a line that becomes narrow after a minute': { roundTripMs: 50, perConnection: 5 * MB, total: (nowMs) => (nowMs < 60_000 ? 60 : 10) * MB },
}

describe('within a tenth of the best fixed number', () => {
  test.each(Object.entries(links))('%s', (_name, link) => {
    const seconds = 180
    const best = bestFixed(link, seconds)
    for (const direction of ['down', 'up'] as const) {
      for (const known of [undefined, maximum]) {
        const { bytes, limits } = simulate({ ...link, bufferBytes }, seconds, undefined, known, direction)
        expect(bytes / best.bytes, `${direction}, best ${best.number}; ${limits.join(' ')}`).toBeGreaterThan(0.9)
      }
    }
  })
})

test.each(['down', 'up'] as const)('two or three, each with a line of its own, are never made fewer to see whether that does as well: %s', (direction) => {
  for (const most of [2, 3]) {
    for (const known of [undefined, most]) {
      const link = { ...links['a rate for each connection'] as SimulatedLink, bufferBytes }
      const { limits } = simulate(link, 300, undefined, known, direction, most)
      expect(limits.slice(3), `${most}, known ${known}`).toEqual(Array.from({ length: 297 }, () => most))
    }
  }
})

test('from two to sixteen within two seconds where each has a line of its own', () => {
  const { limits } = simulate(links['a rate for each connection'] as SimulatedLink, 3)
  expect([limits[0], limits[2]]).toEqual([2, maximum])
})

test('uploads, of which buffers hide the pace, are all begun within a second', () => {
  const { limits } = simulate({ ...links['a rate for each connection'] as SimulatedLink, bufferBytes }, 2, undefined, undefined, 'up')
  expect(limits).toEqual([2, maximum])
})

test('it stays where the line is full, and tries for more only now and then', () => {
  const { limits } = simulate(links['a narrow line'] as SimulatedLink, 120)
  const later = limits.slice(20)
  expect(later.filter((limit) => limit === 4).length).toBeGreaterThan(later.length * 0.6)
  expect(Math.max(...later)).toBeLessThanOrEqual(8)
})

describe('more than a server bears is found out, and left, and not tried again soon', () => {
  const link: SimulatedLink = { roundTripMs: 50, perConnection: 5 * MB, total: (_, connections) => (connections > 6 ? 10 : 40) * MB, bufferBytes }
  const best = bestFixed(link, 600)
  test.each([['down', undefined], ['up', undefined], ['down', maximum], ['up', maximum]] as const)('%s, of which %s was known', (direction, known) => {
    const { bytes, limits } = simulate(link, 600, undefined, known, direction)
    expect(best.number).toBe(6)
    expect(limits.at(-1)).toBe(6)
    expect(limits.slice(60).filter((limit) => limit > 6).length).toBeLessThan(30)
    expect(bytes / best.bytes, limits.join(' ')).toBeGreaterThan(0.9)
  })
})

test('what refuses is met a few times, not again and again', () => {
  const { refusals, limits } = simulate(links['a server that refuses more than ten'] as SimulatedLink, 60)
  expect(refusals).toBeLessThanOrEqual(12)
  expect(limits.at(-1)).toBe(10)
})

test('it begins with what is known, and finds out where that no longer holds', () => {
  expect(simulate(links['a rate for each connection'] as SimulatedLink, 1, undefined, 12).limits[0]).toBe(12)
  expect(simulate(links['a rate for each connection'] as SimulatedLink, 60, undefined, 3).limits.at(-1)).toBe(maximum)
  expect(startConcurrency('up', 4, 0, 9).limit).toBe(4)
  expect(startConcurrency('up', 4, 0, 0).limit).toBe(1)
})

test('throttling halves once for all transfers of one time, and keeps to the longest Retry-After', () => {
  let state = startConcurrency('up', 16, 0, 16)
  for (let index = 0; index < 8; index++) {
    state = afterTransfer(state, { startedMs: 500, finishedMs: 1000 + index, throttled: true, retryAfterMs: 5000 }, company)
  }
  expect([state.limit, state.pausedUntilMs]).toEqual([8, 6007])
  state = afterTransfer(state, { startedMs: 7000, finishedMs: 7500, throttled: true }, company)
  expect([state.limit, state.pausedUntilMs]).toEqual([4, 7500])
})

test('a step up that was not judged yet is nothing to remember', () => {
  let state = startConcurrency('down', 16, 0)
  const move = (nowMs: number): void => { state = afterMove(state, { nowMs, bytes: 100_000, active: state.limit, moving: state.limit }, 16) }
  for (let nowMs = 10; state.limit === 2; nowMs += 10) move(nowMs)
  expect([state.limit, provenLimit(state)]).toEqual([4, 2])
})

test('while fewer run than may, nothing is learned', () => {
  let state = startConcurrency('down', 16, 0)
  for (let nowMs = 10; nowMs < 20_000; nowMs += 10) state = afterMove(state, { nowMs, bytes: 100_000, active: nowMs % 1000 === 0 ? 2 : 1, moving: 1 }, 16)
  expect([state.limit, state.borne]).toEqual([2, 0])
})

test('whatever happens, at least one and at most the maximum may run', () => {
  const outcome = fc.record({ startedMs: fc.nat(1e6), finishedMs: fc.nat(1e6), throttled: fc.boolean(), retryAfterMs: fc.nat(1e5) })
  const seen = fc.record({ nowMs: fc.nat(1e6), bytes: fc.nat(1e9), active: fc.nat(64), moving: fc.nat(64) })
  const event = fc.oneof(outcome.map((one) => ({ outcome: one })), seen.map((one) => ({ seen: one })))
  fc.assert(fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (events, most) => {
    let state = startConcurrency('up', most, 0)
    for (const one of events) {
      state = 'outcome' in one ? afterTransfer(state, one.outcome, { isFull: true, maximum: most }) : afterMove(state, one.seen, most)
      expect(state.limit).toBeGreaterThanOrEqual(1)
      expect(state.limit).toBeLessThanOrEqual(most)
    }
  }))
})
