import { expect, test } from 'vitest'
import { PatientPermits } from '../../../../engine/backend/flow/patient-permits.ts'
import type { Permits, Release } from '../../../../engine/backend/flow/permits.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

/** An account whose permits a test hands out by hand. */
function setUp() {
  const clock = new FakeClock()
  const queue: (() => void)[] = []
  let released = 0
  const account: Permits = {
    acquire: (signal) => new Promise<Release>((resolve, reject) => {
      signal.addEventListener('abort', () => { reject(signal.reason as Error) })
      queue.push(() => { resolve(() => { released++ }) })
    }),
  }
  const told: boolean[] = []
  const permits = new PatientPermits(account, clock, (waits) => told.push(waits))
  return { clock, permits, told, grant: () => queue.shift()?.(), released: () => released }
}

test('a second without a transfer is told, and its end', async () => {
  const { clock, permits, told, grant, released } = setUp()
  const first = permits.acquire(never)
  await clock.advance(900)
  expect(told).toEqual([])
  await clock.advance(200)
  expect(told).toEqual([true])
  grant()
  const release = await first
  expect(told).toEqual([true, false])
  release()
  release()
  expect(released()).toBe(2)
})

test('as long as one transfer goes on, the others’ waiting is no news', async () => {
  const { clock, permits, told, grant } = setUp()
  const first = permits.acquire(never)
  grant()
  const release = await first
  void permits.acquire(never)
  await clock.advance(60_000)
  expect(told.filter(Boolean)).toEqual([])
  release()
  release()
  await clock.advance(1_000)
  expect(told.filter(Boolean)).toEqual([true])
})

test('who gives up waiting no longer waits', async () => {
  const { clock, permits, told } = setUp()
  const control = new AbortController()
  const waiting = expect(permits.acquire(control.signal)).rejects.toThrow('enough')
  await clock.advance(1_500)
  control.abort(new Error('enough'))
  await waiting
  await clock.advance(5_000)
  expect(told).toEqual([true, false])
})
