import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ObjectInfo, StorageBackend } from '../../../../engine/backend/backend.ts'
import { faultRule, withFaults, type FaultRule, type FaultyBackend } from '../../../../engine/backend/wrappers/faulty/faulty.ts'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { retryDelayMs, withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

interface World {
  readonly clock: FakeClock
  readonly faulty: FaultyBackend
  readonly backend: StorageBackend
  readonly waits: (string | undefined)[]
  readonly memory: StorageBackend
}

function world(...rules: FaultRule[]): World {
  const clock = new FakeClock()
  const memory = openMemory(randomUUID(), clock)
  const faulty = withFaults(memory, { seed: 1, rules }, clock)
  const waits: (string | undefined)[] = []
  const backend = withRetry(faulty, { clock, patienceMs: 900_000, onWaiting: (error) => waits.push(error?.code), random: () => 0.5 })
  return { clock, faulty, backend, waits, memory }
}

test('waits grow with full jitter up to a minute, and are never shorter than asked for', () => {
  expect([1, 2, 3, 8, 9, 100].map((failures) => retryDelayMs(failures, 0, () => 1))).toEqual([500, 1000, 2000, 60_000, 60_000, 60_000])
  expect(retryDelayMs(3, 0, () => 0)).toBe(0)
  expect(retryDelayMs(1, 7000, () => 1)).toBe(7000)
})

test('what fails for a while succeeds in the end; the wait is told and taken back', async () => {
  const { clock, faulty, backend, waits } = world(faultRule('put', 'before', { times: 3 }))
  const put = backend.put('x', bytesOf('x'), {}, never)
  await clock.advance(10_000)
  await put
  expect(faulty.happened).toEqual([3])
  expect(waits).toEqual(['offline', 'offline', 'offline', undefined])
})

test('patience ends: the last error comes out, after the whole window and not before', async () => {
  const { clock, backend } = world(faultRule('get', 'before'))
  let code = ''
  void codeOf(backend.get('x', 'all', never)).then((result) => { code = result })
  await clock.advance(899_000)
  expect(code).toBe('')
  await clock.advance(2_000)
  expect(code).toBe('offline')
})

test('Retry-After is kept to', async () => {
  const { clock, backend } = world(faultRule('remove', 'before', { times: 1, code: 'throttled', retryAfterMs: 20_000 }))
  let done = false
  void backend.remove('x', never).then(() => { done = true })
  await clock.advance(19_000)
  expect(done).toBe(false)
  await clock.advance(1_500)
  expect(done).toBe(true)
})

test('a storage that asks for more than the patience left is not waited for: its time is told', async () => {
  const { backend, faulty } = world(faultRule('remove', 'before', { code: 'throttled', retryAfterMs: 3 * 24 * 3_600_000 }))
  await expect(backend.remove('x', never)).rejects.toMatchObject({ code: 'throttled', message: expect.stringContaining('until 1970-01-04 00:00 UTC') as string, data: { untilMs: 259_200_000 } })
  expect(faulty.happened).toEqual([1])
})

test('what will not pass is not repeated, nor is a put that its caller repeats', async () => {
  const denied = world(faultRule('put', 'before', { code: 'denied' }))
  expect(await codeOf(denied.backend.put('x', bytesOf('x'), {}, never))).toBe('denied')
  expect(denied.faulty.happened).toEqual([1])
  const once = world(faultRule('put', 'after', { times: 1 }))
  expect(await codeOf(once.backend.put('packs/x', bytesOf('x'), { once: true }, never))).toBe('offline')
  expect(once.faulty.happened).toEqual([1])
})

test('a wait can be left at once', async () => {
  const { clock, backend } = world(faultRule('stat', 'before'))
  const controller = new AbortController()
  const result = codeOf(backend.stat('x', controller.signal))
  await clock.advance(1)
  controller.abort()
  expect(await result).toBe('aborted')
})

test('a creation that happened although its reply was lost is a success', async () => {
  const { clock, faulty, backend } = world(faultRule('put', 'after', { times: 1 }))
  const put = codeOf(backend.put('config', bytesOf('mine'), { ifAbsent: true }, never))
  await clock.advance(10_000)
  expect(await put).toBe('done')
  expect(faulty.happened).toEqual([1])
})

test('a creation that another won during the wait is lost', async () => {
  const { clock, backend, memory } = world(faultRule('put', 'before', { times: 1 }))
  const put = codeOf(backend.put('config', bytesOf('mine'), { ifAbsent: true }, never))
  await clock.advance(0)
  await memory.put('config', bytesOf('theirs'), {}, never)
  await clock.advance(10_000)
  expect(await put).toBe('exists')
})

test('the same bytes put by another are a conflict all the same', async () => {
  const { backend, memory } = world()
  await memory.put('config', bytesOf('mine'), {}, never)
  expect(await codeOf(backend.put('config', bytesOf('mine'), { ifAbsent: true }, never))).toBe('exists')
})

test('whoever has seen enough of a list ends it, down to the storage', async () => {
  const { clock, memory } = world()
  await memory.put('a', bytesOf('a'), {}, never)
  await memory.put('b', bytesOf('b'), {}, never)
  const ends: string[] = []
  class Listening extends BackendWrapper {
    override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
      try {
        yield* this.inner.list(prefix, signal)
      } finally {
        ends.push(prefix)
      }
    }
  }
  const backend = withRetry(new Listening(memory), { clock, patienceMs: 1000, random: () => 0.5 })
  for await (const { name } of backend.list('', never)) {
    expect(name).toBe('a')
    break
  }
  expect(ends).toEqual([''])
})

test('a list that breaks off again and again shows each name once', async () => {
  const { clock, faulty, backend, memory } = world(faultRule('list', 'during', { times: 2 }), faultRule('list', 'before', { times: 1, skip: 1 }))
  const wanted = ['a', 'b', 'c', 'd', 'e']
  for (const name of wanted) await memory.put(name, bytesOf(name), {}, never)
  const listed = names(backend, '')
  await clock.advance(60_000)
  expect(await listed).toEqual(wanted)
  expect(faulty.happened).toEqual([2, 1])
})

test('the sum of waits is one: it ends when the last operation stops waiting', async () => {
  const { clock, backend, waits } = world(faultRule('put', 'before', { times: 1 }), faultRule('get', 'before', { times: 1, retryAfterMs: 30_000, code: 'throttled' }))
  const both = [backend.put('x', bytesOf('x'), {}, never), codeOf(backend.get('x', 'all', never))]
  await clock.advance(5_000)
  expect(waits.toSorted()).toEqual(['offline', 'throttled'])
  await clock.advance(60_000)
  await Promise.all(both)
  expect(waits.at(-1)).toBeUndefined()
})
