import { expect, test } from 'vitest'
import { AdaptivePermits, type Permits, type Release } from '../../../../engine/backend/flow/permits.ts'
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
