import { expect, test } from 'vitest'
import { MakeOnce } from '../../../../engine/backend/flow/make-once.ts'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

test('what several want at once is made once, and what is there not at all', async () => {
  const once = new MakeOnce<string>()
  const there = new Map<string, string>()
  let made = 0
  const get = (key: string): Promise<string> => once.get(key, () => there.get(key), async () => {
    made++
    await new Promise(setImmediate)
    there.set(key, `${key} ${made}`)
    return `${key} ${made}`
  }, never)
  expect(await Promise.all([get('a'), get('a'), get('b'), get('a')])).toEqual(['a 2', 'a 2', 'b 2', 'a 2'])
  expect([await get('b'), made]).toEqual(['b 2', 2])
})

test('a failure is that of who made it; who waited tries for itself', async () => {
  const once = new MakeOnce<string>()
  let made = 0
  const get = (): Promise<string> => once.get('a', () => undefined, async () => {
    const number = ++made
    await new Promise(setImmediate)
    if (number === 1) throw new Error('first')
    return 'second'
  }, never)
  const ends = await Promise.allSettled([get(), get()])
  expect(ends).toMatchObject([{ status: 'rejected', reason: { message: 'first' } }, { status: 'fulfilled', value: 'second' }])
})

test('who gives up waiting takes nothing from who makes it', async () => {
  const once = new MakeOnce<string>()
  const made = Promise.withResolvers<string>()
  const first = once.get('a', () => undefined, () => made.promise, never)
  const controller = new AbortController()
  const second = codeOf(once.get('a', () => undefined, () => Promise.reject(new Error('not asked')), controller.signal))
  controller.abort()
  expect(await second).toBe('aborted')
  made.resolve('there')
  expect(await first).toBe('there')
})
