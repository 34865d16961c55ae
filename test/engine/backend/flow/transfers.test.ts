import { expect, test } from 'vitest'
import { FixedPermits, Transfers } from '../../../../engine/backend/flow/transfers.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

test('small requests go beside the transfers, eight at a time', async () => {
  const transfers = new Transfers({ concurrency: 1, clock: new FakeClock() })
  await transfers.acquire('up', never)
  const small = await Promise.all(Array.from({ length: 8 }, () => transfers.acquireSmall(never)))
  let ninth = false
  void transfers.acquireSmall(never).then(() => { ninth = true })
  await new Promise((resolve) => setImmediate(resolve))
  expect(ninth).toBe(false)
  small[0]?.()
  small[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  expect(ninth).toBe(true)
})

test('each direction has its own number, and both together what the account bears', async () => {
  const clock = new FakeClock()
  const transfers = new Transfers({ concurrency: 2, clock, account: new FixedPermits(3, clock) })
  const given: string[] = []
  const ask = (direction: 'up' | 'down') => transfers.acquire(direction, never).then((permit) => {
    given.push(direction)
    return permit
  })
  const asked = [ask('up'), ask('up'), ask('up'), ask('down'), ask('down')]
  await clock.advance(0)
  expect(given).toEqual(['up', 'up', 'down'])
  const first = await asked[0]
  first?.release()
  await clock.advance(0)
  expect(given).toHaveLength(4)
})

test('what the storage asks of one, all heed: transfers in both directions and small requests', async () => {
  const clock = new FakeClock()
  const transfers = new Transfers({ concurrency: 4, clock })
  transfers.pause.heed(new HoldfastError('throttled', 'x', { data: { retryAfterMs: 3_000 } }))
  const given: string[] = []
  void transfers.acquire('up', never).then(() => given.push('up'))
  void transfers.acquire('down', never).then(() => given.push('down'))
  void transfers.acquireSmall(never).then(() => given.push('small'))
  await clock.advance(2_900)
  expect(given).toEqual([])
  await clock.advance(200)
  expect(given.toSorted()).toEqual(['down', 'small', 'up'])
})
