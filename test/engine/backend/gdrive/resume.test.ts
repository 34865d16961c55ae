import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type CredentialSource } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import type { SeenRequest } from '../../../servers/google.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

/** What becomes of uploads that broke off, and of creations that nobody heard of. */
const never = new AbortController().signal
const mebibyte = 1024 * 1024
const bytes = Buffer.alloc(40 * mebibyte, randomBytes(8191))
let server: DriveServer
let folder: string
let file: { readonly type: 'file'; readonly path: string; readonly size: number; readonly crc32: number }
let entries: Map<string, string>

const token = fixedCredentials({ accessToken: 'token-1' })
const isBytes = ({ method, headers }: SeenRequest): boolean => method === 'PUT' && !(headers['content-range'] ?? '').startsWith('bytes *')
const isLast = (request: SeenRequest): boolean => isBytes(request) && (request.headers['content-range'] ?? '').includes(`-${bytes.length - 1}/`)
const isCreation = ({ method, url }: SeenRequest): boolean => method === 'POST' && url.includes('uploadType=multipart')

function open(credentials: CredentialSource = token): Promise<StorageBackend> {
  const uploadJournal: UploadJournal = { get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) } }
  return openBackend('gdrive:/Holdfast', { credentials, signal: never, service: server.origin, uploadJournal })
}

async function expectWhole(backend: StorageBackend, name: string): Promise<void> {
  expect(Buffer.compare(await backend.get(name, 'all', never), bytes)).toBe(0)
  expect(server.named(name.slice(name.lastIndexOf('/') + 1))).toHaveLength(1)
  expect(entries.size).toBe(0)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-drive-'))
  file = { type: 'file', path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
  await writeFile(file.path, bytes)
})
afterAll(() => rm(folder, { recursive: true }))

beforeEach(async () => {
  entries = new Map()
  server = await DriveServer.start()
  return () => server[Symbol.asyncDispose]()
})

test('an upload that the service broke off goes on with the byte that it waits for', async () => {
  await using backend = await open()
  let chunks = 0
  server.choose = (request) => (isBytes(request) && ++chunks === 2 ? { type: 'cut-request', afterBytes: 5 * mebibyte + 12_345 } : undefined)
  expect(['offline', 'unavailable']).toContain(await codeOf(backend.put('packs/aa/x', file, { once: true }, never)))
  expect(await names(backend, '')).toEqual([])
  server.choose = () => undefined
  const sent: number[] = []
  await using other = await open()
  await other.put('packs/aa/x', file, { once: true, onProgress: (count) => sent.push(count) }, never)
  // 16 MiB were acknowledged, and 5 MiB of the next request kept in steps of 256 KiB.
  expect(sent[0]).toBe(21 * mebibyte)
  expect(sent.at(-1)).toBe(bytes.length)
  await expectWhole(other, 'packs/aa/x')
})

test('a service that keeps a part of each request gets the rest of it again; one that keeps nothing is told', async () => {
  await using backend = await open()
  server.sessions.mostKept = 3 * mebibyte + 1
  await backend.put('packs/aa/x', file, { once: true }, never)
  await expectWhole(backend, 'packs/aa/x')
  server.sessions.mostKept = 0
  expect(await codeOf(backend.put('packs/aa/y', file, { once: true }, never))).toBe('unavailable')
})

test('the last reply was lost: the file is found, and not sent again', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('offline')
  const before = server.uploadedBytes
  await using other = await open()
  await other.put('packs/aa/x', file, { once: true }, never)
  expect(server.uploadedBytes - before).toBe(0)
  await expectWhole(other, 'packs/aa/x')
})

test('the last reply was lost, and the session forgotten: the file is found by its id', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  await codeOf(backend.put('packs/aa/x', file, { once: true }, never))
  server.sessions.expire()
  await backend.put('packs/aa/x', file, { once: true }, never)
  await expectWhole(backend, 'packs/aa/x')
})

test('the last reply was lost, and a prune has removed the file since: its name is given up (R5)', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  await codeOf(backend.put('packs/aa/x', file, { once: true }, never))
  await using other = await open()
  await other.remove('packs/aa/x', never)
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
  expect(await names(backend, '')).toEqual([])
})

test('a session that ended after its week gives the name up, and the next attempt begins anew', async () => {
  await using backend = await open()
  server.breakNext(isBytes, { type: 'refuse', status: 503, reason: 'backendError' })
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(1)
  server.sessions.expire()
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
  await backend.put('packs/aa/y', file, { once: true }, never)
  await expectWhole(backend, 'packs/aa/y')
})

test('a session that ends in the middle, too', async () => {
  await using backend = await open()
  let chunks = 0
  server.choose = (request) => {
    if (isBytes(request) && ++chunks === 2) server.sessions.expire()
    return undefined
  }
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
})

test('a token that expires in the middle is renewed, and only what was on its way is sent again', async () => {
  let accessToken = 'token-1'
  await using backend = await open({
    current: async () => ({ accessToken }),
    renew: async () => ({ accessToken: (accessToken = 'token-2') }),
  })
  let chunks = 0
  server.choose = (request) => {
    if (isBytes(request) && ++chunks === 2) {
      server.tokens.clear()
      server.tokens.add('token-2')
    }
    return undefined
  }
  await backend.put('packs/aa/x', file, { once: true }, never)
  expect(server.requests.filter(isBytes)).toHaveLength(4)
  await expectWhole(backend, 'packs/aa/x')
})

test.each(['https://evil.example/upload?id=1', 'http://www.googleapis.com/upload', 'http://127.0.0.1:1/upload', '', 'no address'])('bytes and token go to no session elsewhere: %j', async (location) => {
  await using backend = await open()
  await backend.put('folders', bytesOf('x'), {}, never)
  server.breakNext(({ url }) => url.includes('uploadType=resumable'), { type: 'say', body: '', headers: { location } })
  expect(await codeOf(backend.put('x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
  entries.set('y', JSON.stringify({ version: 1, address: location, size: file.size, crc32: file.crc32 }))
  await backend.put('y', file, { once: true }, never)
  await expectWhole(backend, 'y')
})

test('a finished upload that came out otherwise is removed, and its session is over', async () => {
  await using backend = await open()
  server.tell = (resource) => ({ ...resource, ...('md5Checksum' in resource ? { md5Checksum: '0'.repeat(32) } : {}) })
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
  expect(server.named('x')).toEqual([])
})

test('full is told at the beginning and at the end of an upload', async () => {
  await using backend = await open()
  const refuse = { type: 'refuse', status: 403, reason: 'storageQuotaExceeded' } as const
  server.breakNext(({ url }) => url.includes('uploadType=resumable'), refuse)
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('full')
  server.breakNext(isLast, refuse)
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('full')
})

test('a creation whose reply was lost is not done a second time, by a retry or under other bytes', async () => {
  await using backend = await open()
  const retrying = withRetry(backend, { clock: { ...systemClock, sleep: async () => undefined }, patienceMs: 10_000 })
  server.breakNext(isCreation, { type: 'lose-reply' })
  await retrying.put('a', bytesOf('mine'), {}, never)
  expect(server.named('a').map(({ content }) => content?.toString())).toEqual(['mine'])
  server.breakNext(isCreation, { type: 'lose-reply' })
  expect(await codeOf(backend.put('b', bytesOf('one'), { once: true }, never))).toBe('offline')
  await backend.put('b', bytesOf('two'), { once: true }, never)
  expect(server.named('b').map(({ content }) => content?.toString())).toEqual(['two'])
})

test('a creation that arrives late meets the one that was made instead', async () => {
  await using backend = await open()
  await backend.put('folder/x', bytesOf('x'), {}, never)
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  const controller = new AbortController()
  server.breakNext(isCreation, { type: 'late', until })
  const first = codeOf(backend.put('folder/late', bytesOf('first'), {}, controller.signal))
  // The request is out, and nobody knows what becomes of it.
  await expect.poll(() => server.late.taken).toBe(1)
  controller.abort()
  expect(await first).toBe('aborted')
  await backend.put('folder/late', bytesOf('second'), {}, never)
  release()
  await expect.poll(() => server.late.done).toBe(1)
  expect(server.named('late').map(({ content }) => content?.toString())).toEqual(['second'])
})

test('a file that is replaced goes up in a session, too, and keeps its id', async () => {
  await using backend = await open()
  await backend.put('x', bytesOf('small'), {}, never)
  const [before] = server.named('x')
  server.breakNext(isLast, { type: 'refuse', status: 500, reason: 'backendError' })
  expect(await codeOf(backend.put('x', file, {}, never))).toBe('unavailable')
  expect((await backend.stat('x', never)).size).toBe(5)
  await backend.put('x', file, {}, never)
  expect(server.named('x').map(({ id }) => id)).toEqual([before?.id])
  await expectWhole(backend, 'x')
})
