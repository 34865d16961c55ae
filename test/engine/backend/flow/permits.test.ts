import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterTransfer, startConcurrency, type ConcurrencyState } from '../../../../engine/backend/flow/concurrency.ts'
import { AdaptivePermits, type Permits, type Release } from '../../../../engine/backend/flow/permits.ts'
import { codeOf } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

/** Transfers of 1 MB over a line that gives each connection so much, up to a sum. */
function simulate(seconds: number, perConnection: number, line: number, maximum: number, from: ConcurrencyState, startMs = 0): ConcurrencyState {
  let state = from
  for (let nowMs = startMs; nowMs < startMs + seconds * 1000; ) {
    const rate = Math.min(line, perConnection * state.limit)
    nowMs += 1_000_000_000 / rate
    state = afterTransfer(state, { bytes: 1_000_000, startedMs: nowMs - 100, finishedMs: nowMs, throttled: false }, maximum)
  }
  return state
}

test('it starts low and grows to the maximum while that pays', () => {
  const start = startConcurrency(16, 0)
  expect(start.limit).toBe(2)
  expect(simulate(120, 1_000_000, 100_000_000, 16, start).limit).toBe(16)
})

test('it stops growing where the line is full', () => {
  const state = simulate(25, 1_000_000, 5_000_000, 16, startConcurrency(16, 0))
  expect(state.limit).toBeGreaterThanOrEqual(5)
  expect(state.limit).toBeLessThanOrEqual(7)
})

test('throttling halves once for all transfers of one time, and keeps to Retry-After', () => {
  const grown = simulate(120, 1_000_000, 100_000_000, 16, startConcurrency(16, 0))
  const nowMs = 130_000
  let state = grown
  for (let index = 0; index < 8; index++) {
    state = afterTransfer(state, { bytes: 0, startedMs: nowMs - 500, finishedMs: nowMs + index, throttled: true, retryAfterMs: 5000 }, 16)
  }
  expect(state.limit).toBe(8)
  expect(state.pausedUntilMs).toBe(nowMs + 7 + 5000)
  state = afterTransfer(state, { bytes: 0, startedMs: nowMs + 6000, finishedMs: nowMs + 6500, throttled: true }, 16)
  expect(state.limit).toBe(4)
  expect(simulate(20, 1_000_000, 100_000_000, 16, state, nowMs + 7000).limit).toBe(4)
  expect(simulate(120, 1_000_000, 100_000_000, 16, state, nowMs + 7000).limit).toBe(16)
})

test('whatever happens, at least one and at most the maximum may run', () => {
  const outcome = fc.record({ bytes: fc.nat(1e9), startedMs: fc.nat(1e6), finishedMs: fc.nat(1e6), throttled: fc.boolean(), retryAfterMs: fc.nat(1e5) })
  fc.assert(fc.property(fc.array(outcome, { maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (outcomes, maximum) => {
    let state = startConcurrency(maximum, 0)
    for (const one of outcomes) {
      state = afterTransfer(state, one, maximum)
      expect(state.limit).toBeGreaterThanOrEqual(1)
      expect(state.limit).toBeLessThanOrEqual(maximum)
    }
  }))
})

test('it starts where an earlier run arrived, beneath its own maximum, and tells what it learned', async () => {
  expect(startConcurrency(16, 0, 9).limit).toBe(9)
  expect(startConcurrency(4, 0, 9).limit).toBe(4)
  expect(startConcurrency(4, 0, 0).limit).toBe(1)
  const permits = new AdaptivePermits(16, new FakeClock(), undefined, 9)
  expect(permits.limit).toBe(9)
  expect(permits.learned).toBeUndefined()
  const release = await permits.acquire(never)
  release({ bytes: 0, startedMs: 0, finishedMs: 10, throttled: true })
  expect(permits.learned).toBe(4)
})

test('a step up that was not judged yet is nothing to remember', async () => {
  const permits = new AdaptivePermits(16, new FakeClock(), undefined, 2)
  const transfer = async (bytes: number, finishedMs: number): Promise<void> => {
    (await permits.acquire(never))({ bytes, startedMs: 0, finishedMs, throttled: false })
  }
  await transfer(1e6, 1000)
  await transfer(1e6, 2000)
  expect(permits.limit).toBe(3)
  expect(permits.learned).toBeUndefined()
  for (const atMs of [3000, 3500, 4000]) await transfer(2e6, atMs)
  expect(permits.limit).toBe(4)
  expect(permits.learned).toBe(3)
})

test('permits are given in order of asking, up to the limit, and given back once', async () => {
  const permits = new AdaptivePermits(2, new FakeClock())
  const first = await permits.acquire(never)
  await permits.acquire(never)
  const order: number[] = []
  const third = permits.acquire(never).then((release) => { order.push(3); return release })
  void permits.acquire(never).then(() => order.push(4))
  first()
  first()
  const release = await third
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([3])
  release()
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([3, 4])
})

test('who gives up waiting leaves the queue', async () => {
  const permits = new AdaptivePermits(1, new FakeClock())
  const release = await permits.acquire(never)
  const controller = new AbortController()
  const waiting = codeOf(permits.acquire(controller.signal))
  controller.abort()
  expect(await waiting).toBe('aborted')
  release()
  expect(await codeOf(permits.acquire(never))).toBe('done')
})

test('after throttling nothing is admitted before Retry-After is over', async () => {
  const clock = new FakeClock()
  const permits = new AdaptivePermits(4, clock)
  const release = await permits.acquire(never)
  release({ bytes: 0, startedMs: 0, finishedMs: 0, throttled: true, retryAfterMs: 3000 })
  let admitted = false
  void permits.acquire(never).then(() => { admitted = true })
  await clock.advance(2900)
  expect(admitted).toBe(false)
  await clock.advance(200)
  expect(admitted).toBe(true)
})

test('each permit holds one of the account, also when the account refuses', async () => {
  let held = 0
  let fail = false
  const account: Permits = {
    async acquire(): Promise<Release> {
      if (fail) throw new Error('no supervisor')
      held++
      return () => { held-- }
    },
  }
  const permits = new AdaptivePermits(1, new FakeClock(), account)
  const release = await permits.acquire(never)
  expect(held).toBe(1)
  release()
  expect(held).toBe(0)
  fail = true
  await expect(permits.acquire(never)).rejects.toThrow('no supervisor')
  fail = false
  expect(await codeOf(permits.acquire(never))).toBe('done')
})
