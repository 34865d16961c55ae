import { describe, expect, test } from 'vitest'
import { AdaptivePermits, type Permits, type Release } from '../../../../engine/backend/flow/permits.ts'
import { PauseGate } from '../../../../engine/base/pause.ts'
import { codeOf } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

function permitsOf(maximum: number, known: number | undefined, clock = new FakeClock(), account?: Permits): AdaptivePermits {
  return new AdaptivePermits(maximum, { direction: 'down', clock, ...(known === undefined ? {} : { known }), ...(account ? { account } : {}) })
}

test('it starts where an earlier run arrived, beneath its own maximum, and tells what it learned', async () => {
  const permits = permitsOf(16, 9)
  expect(permits.limit).toBe(9)
  expect(permits.learned).toBeUndefined()
  const permit = await permits.acquire(never)
  permit.release({ startedMs: 0, finishedMs: 10, throttled: true })
  expect([permits.learned, permits.held]).toEqual([4, 'refused'])
})

test('bytes that move let more in at once, also those that wait already', async () => {
  const clock = new FakeClock()
  const permits = permitsOf(4, undefined, clock)
  const going = [await permits.acquire(never), await permits.acquire(never)]
  let third = false
  void permits.acquire(never).then(() => { third = true })
  for (let step = 0; step < 50 && !third; step++) {
    await clock.advance(20)
    for (const permit of going) permit.moved(100_000)
  }
  await clock.advance(0)
  expect([permits.limit, third, permits.held]).toEqual([4, true, undefined])
})

test('one job’s small maximum is not what the account bears', async () => {
  const clock = new FakeClock()
  const permits = permitsOf(3, 9, clock)
  const going = await Promise.all([permits.acquire(never), permits.acquire(never), permits.acquire(never)])
  for (let step = 0; step < 700; step++) {
    await clock.advance(20)
    for (const permit of going) permit.moved(100_000)
  }
  expect([permits.limit, permits.learned]).toEqual([3, undefined])
})

test('permits are given in order of asking, up to the limit, and given back once', async () => {
  const permits = permitsOf(2, undefined)
  const first = await permits.acquire(never)
  await permits.acquire(never)
  const order: number[] = []
  const third = permits.acquire(never).then((given) => { order.push(3); return given })
  void permits.acquire(never).then(() => order.push(4))
  first.release()
  first.release()
  const permit = await third
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([3])
  permit.release()
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([3, 4])
})

test('who gives up waiting leaves the queue', async () => {
  const permits = permitsOf(1, undefined)
  const permit = await permits.acquire(never)
  const controller = new AbortController()
  const waiting = codeOf(permits.acquire(controller.signal))
  controller.abort()
  expect(await waiting).toBe('aborted')
  permit.release()
  expect(await codeOf(permits.acquire(never))).toBe('done')
})

test('after throttling nothing is admitted before Retry-After is over', async () => {
  const clock = new FakeClock()
  const permits = permitsOf(4, undefined, clock)
  const permit = await permits.acquire(never)
  permit.release({ startedMs: 0, finishedMs: 0, throttled: true, retryAfterMs: 3000 })
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
  const permits = permitsOf(1, undefined, new FakeClock(), account)
  const permit = await permits.acquire(never)
  expect(held).toBe(1)
  permit.release()
  expect(held).toBe(0)
  fail = true
  await expect(permits.acquire(never)).rejects.toThrow('no supervisor')
  fail = false
  expect(await codeOf(permits.acquire(never))).toBe('done')
})

describe('a transfer of which nothing but a round trip is left', () => {
  /** Acquires one after the other; tells how many have begun. */
  function beginning(permits: AdaptivePermits, count: number): { readonly begun: Awaited<ReturnType<AdaptivePermits['acquire']>>[] } {
    const begun: Awaited<ReturnType<AdaptivePermits['acquire']>>[] = []
    for (let at = 0; at < count; at++) void permits.acquire(never).then((permit) => { begun.push(permit) })
    return { begun }
  }

  const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })

  test('lets another begin, once, and gives its own place back once', async () => {
    const permits = permitsOf(16, 2)
    const { begun } = beginning(permits, 6)
    await turn()
    expect(begun.length).toBe(2)
    begun[0]?.ending()
    begun[0]?.ending()
    await turn()
    expect(begun.length).toBe(3)
    begun[0]?.release()
    begun[0]?.release()
    begun[0]?.ending()
    await turn()
    expect(begun.length).toBe(3)
    begun[1]?.release()
    await turn()
    expect(begun.length).toBe(4)
  })

  test('is one of half as many as may run at most', async () => {
    const permits = permitsOf(16, 4)
    const { begun } = beginning(permits, 16)
    await turn()
    for (const permit of [...begun]) permit.ending()
    await turn()
    expect(begun.length).toBe(6)
  })

  test.each([[1, 1], [4, 4], [4, 3]])('with a maximum of %i, of which %i run: never more than the maximum at once', async (maximum, known) => {
    const permits = permitsOf(maximum, known)
    const { begun } = beginning(permits, 12)
    let over = 0
    for (let round = 0; round < 12; round++) {
      await turn()
      for (const permit of [...begun]) permit.ending()
      await turn()
      expect(begun.length - over).toBeLessThanOrEqual(maximum)
      begun[over]?.release()
      over++
    }
    expect(begun.length).toBe(12)
  })

  test('keeps what it holds of the account until it ends', async () => {
    let held = 0
    const account: Permits = {
      acquire: () => {
        held++
        return Promise.resolve<Release>(() => { held-- })
      },
    }
    const permits = permitsOf(16, 1, new FakeClock(), account)
    const { begun } = beginning(permits, 2)
    await turn()
    begun[0]?.ending()
    await turn()
    expect([begun.length, held]).toEqual([2, 2])
    begun[0]?.release()
    expect(held).toBe(1)
  })
})

test('who waits for a turn while the run is paused waits on', async () => {
  const pauseGate = new PauseGate()
  const permits = new AdaptivePermits(1, { direction: 'up', clock: new FakeClock(), pauseGate })
  const first = await permits.acquire(never)
  const order: string[] = []
  const controller = new AbortController()
  const second = permits.acquire(never).then(() => { order.push('second') })
  const third = codeOf(permits.acquire(controller.signal))
  pauseGate.pause()
  first.release()
  await new Promise((resolve) => { setImmediate(resolve) })
  expect(order).toEqual([])
  controller.abort()
  expect(await third).toBe('aborted')
  pauseGate.resume()
  await second
  expect(order).toEqual(['second'])
})
