import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RememberedConcurrency } from '../../../engine/backend/flow/remembered-concurrency.ts'
import { linkKey } from '../../../engine/commands/transfers.ts'
import { openStorage } from '../../../engine/commands/open.ts'
import type { Progress } from '../../../engine/protocol/progress.ts'
import { FakeClock } from '../backend/fake-clock.ts'
import { testContext } from './run-support.ts'

const signal = new AbortController().signal
const body = { type: 'bytes', bytes: new Uint8Array(100_000) } as const

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-open-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

/** Opens a storage, stores ten packs at once, closes it; how many of them were on their way at the same time. */
async function transfersAtOnce(name: string, concurrency: number, faults: string, home = folder): Promise<number> {
  const going = new Set<number>()
  let most = 0
  const context = testContext({
    transfer: ({ id, state }) => {
      if (state === 'active') most = Math.max(most, going.add(id).size)
      else going.delete(id)
    },
  })
  await using storage = await openStorage({ type: 'test', repository: `faulty+memory:${name}?${faults}`, home, concurrency }, context)
  await Promise.all(Array.from({ length: 10 }, (_none, at) => storage.backend.put(`packs/00/000${at}`, body, {}, signal)))
  return most
}

const key = (name: string): string => linkKey(`memory:${name}`, 'up', '')
const slow = 'fault.rule=put,delay,ms=20'

test('a run starts with as many transfers as its account bore before, never above the user’s number', async () => {
  const name = randomUUID()
  expect(await transfersAtOnce(name, 8, slow)).toBe(2)
  await new RememberedConcurrency(folder).remember(key(name), 6, Date.now())
  expect(await transfersAtOnce(name, 8, slow)).toBe(6)
  expect(await transfersAtOnce(name, 3, slow)).toBe(3)
  // The smaller number of one job is not what the account bears.
  expect(await transfersAtOnce(name, 8, slow)).toBe(6)
})

test('a storage that asked for patience is approached more gently the next time', async () => {
  const name = randomUUID()
  await new RememberedConcurrency(folder).remember(key(name), 6, Date.now())
  expect(await transfersAtOnce(name, 8, `${slow}&fault.rule=put,before,code=throttled,times=1`)).toBe(6)
  expect(new RememberedConcurrency(folder).of(key(name))).toBe(3)
  expect(await transfersAtOnce(name, 8, slow)).toBe(3)
})

test('a run that learned nothing leaves no trace, and one that cannot write what it learned goes well all the same', async () => {
  const name = randomUUID()
  await transfersAtOnce(name, 8, slow)
  expect(existsSync(join(folder, 'concurrency.json'))).toBe(false)
  const home = join(folder, 'home')
  mkdirSync(join(home, 'concurrency.json'), { recursive: true })
  await transfersAtOnce(name, 8, `${slow}&fault.rule=put,before,code=throttled,times=1`, home)
})

test('a run that gets no turn on its account says so after a second, as opening, and takes it back', async () => {
  const clock = new FakeClock()
  const pictures: Progress[] = []
  const grant = Promise.withResolvers<() => void>()
  const context = { ...testContext({ progress: (picture) => pictures.push(picture) }), clock, permits: () => ({ acquire: () => grant.promise }) }
  await using storage = await openStorage({ type: 'check', repository: `memory:${randomUUID()}`, home: folder, concurrency: 4, readDataPercent: 0 }, context)
  const stored = storage.backend.put('packs/00/0000', body, {}, signal)
  await clock.advance(1_500)
  expect(pictures).toMatchObject([{ operation: 'check', phase: 'opening', waitingFor: { code: 'permit', sinceMs: 1_000 } }])
  grant.resolve(() => undefined)
  await stored
  expect(pictures.at(-1)).not.toHaveProperty('waitingFor')
  expect(pictures).toHaveLength(2)
})

test.each(['list', 'remove', 'stat'])('a storage that refuses a %s for days ends the run at once, and says until when', async (operation) => {
  const repository = `faulty+memory:${randomUUID()}?fault.rule=${operation},before,code=throttled,retryAfterMs=259200000,times=1`
  await using storage = await openStorage({ type: 'check', repository, home: folder, concurrency: 4, readDataPercent: 0 }, { ...testContext(), clock: new FakeClock() })
  const { backend } = storage
  const requests = {
    list: async () => { for await (const _ of backend.list('', signal)) return },
    remove: () => backend.remove('x', signal),
    stat: () => backend.stat('x', signal),
  } as const
  const until = { code: 'throttled', message: expect.stringContaining('until 1970-01-04 00:00 UTC') as string }
  await expect(requests[operation as keyof typeof requests]()).rejects.toMatchObject(until)
  // Whatever the run still wants, the storage is not asked.
  await expect(backend.put('packs/00/0000', body, {}, signal)).rejects.toMatchObject(until)
  await expect(requests.list()).rejects.toMatchObject(until)
})

test('when the storage refuses a removal for a while, all other requests wait, and the run says so', async () => {
  const clock = new FakeClock()
  const pictures: Progress[] = []
  const told: number[] = []
  const heard = new Set<(pauseMs: number) => void>()
  const pauses = () => ({ tell: (pauseMs: number) => { told.push(pauseMs) }, follow: (listener: (pauseMs: number) => void) => { heard.add(listener); return () => { heard.delete(listener) } } })
  const context = { ...testContext({ progress: (picture) => pictures.push(picture) }), clock, pauses }
  const repository = `faulty+memory:${randomUUID()}?fault.rule=remove,before,code=throttled,retryAfterMs=5000,times=1`
  const storage = await openStorage({ type: 'check', repository, home: folder, concurrency: 4, readDataPercent: 0 }, context)
  const { backend } = storage
  const ended: string[] = []
  const follow = (name: string, request: Promise<unknown>): void => { void request.then(() => ended.push(name), () => ended.push(name)) }
  follow('remove', backend.remove('x', signal))
  await clock.advance(0)
  follow('put', backend.put('packs/00/0000', body, {}, signal))
  follow('get', backend.get('small', 'all', signal))
  follow('stat', backend.stat('small', signal))
  follow('list', (async () => { for await (const _ of backend.list('', signal)) return })())
  await clock.advance(4_900)
  expect([ended, told, pictures.at(-1)?.waitingFor?.code]).toEqual([[], [5000], 'throttled'])
  // Somebody else who uses the account was asked for more.
  for (const listener of heard) listener(3_000)
  await clock.advance(2_900)
  expect(ended).toEqual([])
  await clock.advance(200)
  expect(ended.toSorted()).toEqual(['get', 'list', 'put', 'remove', 'stat'])
  expect([told, pictures.at(-1)?.waitingFor]).toEqual([[5000], undefined])
  await storage[Symbol.asyncDispose]()
  expect(heard.size).toBe(0)
})

test('a storage that lists in no order is listed in order all the same', async () => {
  await using storage = await openStorage({ type: 'test', repository: `faulty+memory:${randomUUID()}?fault.order=any`, home: folder, concurrency: 4 }, testContext({}))
  for (const name of ['b', 'a/1', 'c', 'a/0']) await storage.backend.put(name, body, {}, signal)
  const names: string[] = []
  for await (const { name } of storage.backend.list('', signal)) names.push(name)
  expect(names).toEqual(['a/0', 'a/1', 'b', 'c'])
})

test('a storage that cannot take a whole pack is refused before anything is stored there', async () => {
  const opening = openStorage({ type: 'test', repository: `faulty+memory:${randomUUID()}?fault.largest=10000000`, home: folder, concurrency: 4 }, testContext({}))
  await expect(opening).rejects.toMatchObject({ code: 'unsupported', message: expect.stringMatching(/no objects of more than 9 MiB/) as string })
})
