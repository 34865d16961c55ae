import { expect, test } from 'vitest'
import { patiently } from '../../../../engine/backend/http/patience.ts'
import type { Clock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

/** Fails so often, then succeeds; tells how long was waited. */
function failing(times: number, error: HoldfastError): { readonly waits: number[]; readonly result: Promise<string> } {
  const waits: number[] = []
  const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async (ms) => { waits.push(ms) } }
  let left = times
  return { waits, result: patiently(() => (left-- > 0 ? Promise.reject(error) : Promise.resolve('page')), clock, never) }
}

test('it waits as long as it is asked to', async () => {
  const { waits, result } = failing(3, new HoldfastError('throttled', 'x', { data: { retryAfterMs: 7000 } }))
  expect(await result).toBe('page')
  expect(waits).toEqual([7000, 7000, 7000])
})

test('it waits longer each time where nobody says how long, and not for ever', async () => {
  const { waits, result } = failing(99, new HoldfastError('throttled', 'x'))
  expect(await codeOf(result)).toBe('throttled')
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 16_000, 16_000, 16_000, 16_000, 16_000])
})

test.each(['offline', 'unavailable'] as const)('what is %s now and then is asked for again, twice', async (code) => {
  const fine = failing(2, new HoldfastError(code, 'x'))
  expect(await fine.result).toBe('page')
  expect(fine.waits).toEqual([500, 500])
  expect(await codeOf(failing(3, new HoldfastError(code, 'x')).result)).toBe(code)
})

test.each([new HoldfastError('throttled', 'x', { data: { retryAfterMs: 61_000 } }), new HoldfastError('denied', 'x')])('$code with $data is not waited for', async (error) => {
  const { waits, result } = failing(1, error)
  await expect(result).rejects.toBe(error)
  expect(waits).toEqual([])
})
