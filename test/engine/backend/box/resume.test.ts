import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Body, StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { BoxServer } from '../../../servers/box.ts'
import { codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024
const size = 21 * mebibyte
let server: BoxServer
let backend: StorageBackend
let folder: string
let body: Extract<Body, { type: 'file' }>
let bytes: Buffer
let waits: number[]
const entries = new Map<string, string>()

const open = (journal = true): Promise<StorageBackend> => {
  const uploadJournal = { get: (name: string) => entries.get(name), set: (name: string, state: string) => { entries.set(name, state) }, delete: (name: string) => { entries.delete(name) } }
  const clock = {
    ...systemClock,
    sleep: async (ms: number, signal: AbortSignal) => {
      // The time limits of an exchange look every second.
      if (ms <= 1000) return systemClock.sleep(ms, signal)
      waits.push(ms)
    },
  }
  return openBackend('box:/folder', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin, clock, ...(journal ? { uploadJournal } : {}) })
}

beforeEach(async () => {
  server = await BoxServer.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-box-'))
  bytes = Buffer.alloc(size, randomBytes(4093))
  writeFileSync(join(folder, 'pack'), bytes)
  body = { type: 'file', path: join(folder, 'pack'), size, crc32: crc32(bytes) }
  entries.clear()
  waits = []
  backend = await open()
})

afterEach(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const put = (): Promise<string> => codeOf(backend.put('packs/x', body, { once: true }, never))
const sentBy = async (work: () => Promise<unknown>): Promise<number> => {
  const before = server.receivedBytes
  await work()
  return server.receivedBytes - before
}
const expectStored = (): void => {
  expect(Buffer.compare(server.fileAt('folder/packs/x')?.bytes ?? Buffer.alloc(0), bytes)).toBe(0)
  expect([entries.size, server.sessions.size]).toEqual([0, 0])
}
/** Stops before the third part. */
const breakOff = async (): Promise<void> => {
  let parts = 0
  server.choose = ({ method, url }) => (method === 'PUT' && url.includes('upload_sessions') && ++parts === 3 ? { type: 'cut-request', afterBytes: mebibyte } : undefined)
  expect(await put()).toBe('offline')
  expect(await names(backend, '')).toEqual([])
  server.choose = () => undefined
}

test('after a connection that breaks in the middle of a part that part is sent again, and no other', async () => {
  await breakOff()
  expect(await sentBy(put)).toBeLessThan(5 * mebibyte + 10_000)
  expectStored()
})

test.each([['a part', 'PUT'], ['the commit', 'POST']])('a lost reply to %s costs no byte that arrived', async (_what, method) => {
  server.breakNext((seen) => seen.method === method && /upload_sessions\/[0-9A-F]+/.test(seen.url), { type: 'lose-reply' })
  expect(await put()).toBe('offline')
  expect(await sentBy(async () => { expect(await put()).toBe('done') })).toBeLessThan(method === 'PUT' ? size - 8 * mebibyte + 10_000 : 10_000)
  expectStored()
})

test('a part that an earlier request brings in meanwhile is not sent twice', async () => {
  let once = true
  server.choose = ({ method, url }) => {
    if (method !== 'PUT' || !url.includes('upload_sessions') || !once) return undefined
    once = false
    for (const session of server.sessions.values()) session.parts.set(0, { part_id: 'EARLY', bytes: bytes.subarray(0, 8 * mebibyte) })
    return undefined
  }
  expect(await put()).toBe('done')
  expectStored()
})

test('a part that holds other bytes gives the session up, and the next put begins anew', async () => {
  await breakOff()
  for (const session of server.sessions.values()) session.parts.set(0, { part_id: 'WRONG', bytes: Buffer.alloc(8 * mebibyte) })
  expect(await put()).toBe('unavailable')
  expect([entries.size, server.sessions.size]).toEqual([0, 0])
  expect(await put()).toBe('done')
  expectStored()
})

test('a session that expired gives the name up, and shows nothing', async () => {
  await breakOff()
  server.expireSessions()
  expect(await put()).toBe('unavailable')
  expect(entries.size).toBe(0)
  expect(await names(backend, '')).toEqual([])
})

test('what another put under the name after a lost reply is not taken for one\'s own', async () => {
  server.breakNext(({ method, url }) => method === 'POST' && url.endsWith('/commit'), { type: 'lose-reply' })
  expect(await put()).toBe('offline')
  const file = server.fileAt('folder/packs/x')
  if (file) file.bytes = Buffer.alloc(size)
  expect(await put()).toBe('unavailable')
  expect(entries.size).toBe(0)
})

test('a commit that takes its time, or says that its parts do not match yet, is asked for again', async () => {
  server.slowCommits = 2
  server.earlyCommits = 1
  expect(await put()).toBe('done')
  expect(waits).toEqual([2000, 3000, 3000])
  expectStored()
})

test('a commit that never ends comes to an end', async () => {
  server.slowCommits = Infinity
  expect(await put()).toBe('unavailable')
  expect(entries.size).toBe(1)
})

test('of two sessions for one name one wins, and its bytes stay', async () => {
  await using other = await open(false)
  const creations = [backend, other].map((one) => codeOf(one.put('one', body, { ifAbsent: true }, never)))
  expect((await Promise.all(creations)).sort()).toEqual(['done', 'exists'])
  expect([entries.size, server.sessions.size]).toEqual([0, 0])
})

test('a large object is replaced as a version of the same file', async () => {
  await backend.put('big', { type: 'bytes', bytes: Buffer.from('small') }, {}, never)
  const id = server.fileAt('folder/big')?.id
  await backend.put('big', body, {}, never)
  expect(server.fileAt('folder/big')).toMatchObject({ id })
  expect(Buffer.compare(await backend.get('big', 'all', never), bytes)).toBe(0)
})

test('without a journal a session that breaks off is ended', async () => {
  await using without = await open(false)
  server.breakNext(({ method, url }) => method === 'PUT' && url.includes('upload_sessions'), { type: 'cut-request', afterBytes: mebibyte })
  expect(await codeOf(without.put('packs/x', body, { once: true }, never))).toBe('offline')
  expect(server.sessions.size).toBe(0)
})

test.each([0, 1, 2 ** 40])('parts of %i bytes are not what Box gives', async (partBytes) => {
  server.partBytes = partBytes
  expect(await put()).toBe('unavailable')
})

test('a file that became shorter is told as damage, not as the network\'s', async () => {
  writeFileSync(body.path, bytes.subarray(0, 10 * mebibyte))
  expect(await put()).toBe('damaged')
})
