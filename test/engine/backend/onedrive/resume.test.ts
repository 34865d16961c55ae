import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { OneDriveServer } from '../../../servers/onedrive.ts'
import type { SeenRequest } from '../../../servers/web-service.ts'
import { codeOf, names } from '../../../suites/backend-contract.ts'

/** What becomes of uploads that broke off. */
const never = new AbortController().signal
const mebibyte = 1024 * 1024
const bytes = Buffer.alloc(25 * mebibyte, randomBytes(8191))
let server: OneDriveServer
let folder: string
let file: { readonly type: 'file'; readonly path: string; readonly size: number; readonly crc32: number }
let entries: Map<string, string>

const isRange = ({ method, url }: SeenRequest): boolean => method === 'PUT' && url.startsWith('/up/')
const isLast = (request: SeenRequest): boolean => isRange(request) && String(request.headers['content-range']).includes(`-${bytes.length - 1}/`)
const name = 'packs/aa/x'

function open(): Promise<StorageBackend> {
  const uploadJournal: UploadJournal = { get: (one) => entries.get(one), set: (one, state) => { entries.set(one, state) }, delete: (one) => { entries.delete(one) } }
  return openBackend('onedrive:/', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin, uploadJournal })
}

const put = (backend: StorageBackend): Promise<string> => codeOf(backend.put(name, file, { once: true }, never))

async function expectWhole(backend: StorageBackend): Promise<void> {
  expect(Buffer.compare(await backend.get(name, 'all', never), bytes)).toBe(0)
  expect([entries.size, server.sessions.size]).toEqual([0, 0])
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-onedrive-'))
  file = { type: 'file', path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
  await writeFile(file.path, bytes)
})
afterAll(() => rm(folder, { recursive: true }))

beforeEach(async () => {
  entries = new Map()
  server = await OneDriveServer.start()
  return () => server[Symbol.asyncDispose]()
})

test('of a range that broke off nothing is kept, and those before it are not sent again', async () => {
  await using backend = await open()
  let ranges = 0
  server.choose = (request) => (isRange(request) && ++ranges === 2 ? { type: 'cut-request', afterBytes: 5 * mebibyte } : undefined)
  expect(['offline', 'unavailable']).toContain(await put(backend))
  expect(await names(backend, '')).toEqual([])
  server.choose = () => undefined
  server.receivedBytes = 0
  expect(await put(backend)).toBe('done')
  expect(server.receivedBytes).toBeLessThan(15 * mebibyte + 10_000)
  await expectWhole(backend)
})

test('a range whose reply was lost is there: it goes on behind it', async () => {
  await using backend = await open()
  server.breakNext(isRange, { type: 'lose-reply' })
  expect(['offline', 'unavailable']).toContain(await put(backend))
  server.receivedBytes = 0
  expect(await put(backend)).toBe('done')
  expect(server.receivedBytes).toBeLessThan(15 * mebibyte + 10_000)
  await expectWhole(backend)
})

test('a range that is there after all (416) is asked about, and not sent again', async () => {
  await using backend = await open()
  let told = 0
  // What it is told to go on with is behind the time once.
  server.choose = ({ method, url }) => (method === 'GET' && url.startsWith('/up/') && told++ === 0
    ? { type: 'lie', change: ({ status, json }) => ({ status, json: { ...(json as object), nextExpectedRanges: ['0-'] } }) } : undefined)
  server.breakNext(isLast, { type: 'cut-request', afterBytes: 100 })
  expect(['offline', 'unavailable']).toContain(await put(backend))
  server.choose = ({ method, url }) => (method === 'GET' && url.startsWith('/up/') && told++ === 0
    ? { type: 'lie', change: ({ status, json }) => ({ status, json: { ...(json as object), nextExpectedRanges: ['0-'] } }) } : undefined)
  expect(await put(backend)).toBe('done')
  expect(told).toBe(2)
  await expectWhole(backend)
})

test('when the last reply was lost, the object is there, and that is success', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  expect(['offline', 'unavailable']).toContain(await put(backend))
  server.receivedBytes = 0
  expect(await put(backend)).toBe('done')
  expect(server.receivedBytes).toBeLessThan(1000)
  await expectWhole(backend)
})

test('when the session has ended, the name is given up (R5), and works anew', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'cut-request', afterBytes: 100 })
  await put(backend)
  server.expireSessions()
  expect(await put(backend)).toBe('unavailable')
  expect(entries.size).toBe(0)
  expect(await put(backend)).toBe('done')
  await expectWhole(backend)
})

test('an address that is refused has ended, too; the token is not renewed for it', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'cut-request', afterBytes: 100 })
  await put(backend)
  server.choose = ({ url }) => (url.startsWith('/up/') ? { type: 'answer', status: 401, json: { error: { code: 'unauthenticated', message: 'x' } } } : undefined)
  expect(await put(backend)).toBe('unavailable')
  expect(entries.size).toBe(0)
})

test('a full account is told at the last range; the next attempt begins anew', async () => {
  await using backend = await open()
  server.quotaBytes = 1000
  expect(await put(backend)).toBe('full')
  expect(await names(backend, '')).toEqual([])
  server.quotaBytes = Infinity
  expect(await put(backend)).toBe('unavailable')
  expect([entries.size, server.sessions.size]).toEqual([0, 0])
  expect(await put(backend)).toBe('done')
  await expectWhole(backend)
})

test('a session that keeps nothing comes to an end', async () => {
  await using backend = await open()
  server.choose = (request) => (isRange(request) ? { type: 'answer', status: 202, json: { nextExpectedRanges: ['0-'] } } : undefined)
  expect(await put(backend)).toBe('unavailable')
  expect(server.requests.filter(isRange)).toHaveLength(3)
})

test('a journal that names another place is not believed', async () => {
  await using backend = await open()
  for (const url of ['http://evil.example/up/x', 'https://evil.example/up/x', 'file:///etc/passwd', '']) {
    entries.set(name, JSON.stringify({ version: 1, url, size: file.size, crc32: file.crc32 }))
    expect(await put(backend), url).toBe('done')
    await backend.remove(name, never)
  }
  expect(entries.size).toBe(0)
})
