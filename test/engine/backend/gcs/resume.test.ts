import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import type { SeenRequest } from '../../../servers/google.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024
const bytes = Buffer.alloc(40 * mebibyte, randomBytes(8191))
let server: GcsServer
let folder: string
let file: { readonly type: 'file'; readonly path: string; readonly size: number; readonly crc32: number }
let entries: Map<string, string>

const isBytes = ({ method, headers }: SeenRequest): boolean => method === 'PUT' && !(headers['content-range'] ?? '').startsWith('bytes *')
const isLast = (request: SeenRequest): boolean => isBytes(request) && (request.headers['content-range'] ?? '').includes(`-${bytes.length - 1}/`)

function open(): Promise<StorageBackend> {
  const uploadJournal: UploadJournal = { get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) } }
  return openBackend(`gs://${server.bucket}`, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin, uploadJournal })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-gcs-'))
  file = { type: 'file', path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
  await writeFile(file.path, bytes)
})
afterAll(() => rm(folder, { recursive: true }))

beforeEach(async () => {
  entries = new Map()
  server = await GcsServer.start()
  return () => server[Symbol.asyncDispose]()
})

test('an upload that broke off in the middle of a request goes on after what was kept of it', async () => {
  await using backend = await open()
  let chunks = 0
  server.choose = (request) => (isBytes(request) && ++chunks === 2 ? { type: 'cut-request', afterBytes: 5 * mebibyte + 12_345 } : undefined)
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('offline')
  server.choose = () => undefined
  const sent: number[] = []
  await using other = await open()
  await other.put('packs/aa/x', file, { once: true, onProgress: (count) => sent.push(count) }, never)
  expect(sent[0]).toBe(21 * mebibyte)
  expect(Buffer.compare(await other.get('packs/aa/x', 'all', never), bytes)).toBe(0)
  expect(entries.size).toBe(0)
})

test.each([['known', false], ['forgotten', true]])('the last reply was lost, the session is %s: the object is found, and not sent again', async (_what, forgotten) => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('offline')
  if (forgotten) server.sessions.expire()
  const before = server.uploadedBytes
  await backend.put('packs/aa/x', file, { once: true }, never)
  expect(server.uploadedBytes - before).toBe(0)
  expect(entries.size).toBe(0)
})

test('a prune removed what was finished unheard: the name is given up (R5)', async () => {
  await using backend = await open()
  server.breakNext(isLast, { type: 'lose-reply' })
  await codeOf(backend.put('packs/aa/x', file, { once: true }, never))
  await backend.remove('packs/aa/x', never)
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect([entries.size, server.objects.size]).toEqual([0, 0])
})

test('a session that ended after its week (410) gives the name up', async () => {
  await using backend = await open()
  server.breakNext(isBytes, { type: 'refuse', status: 503, reason: 'backendError' })
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  server.sessions.expire()
  expect(await codeOf(backend.put('packs/aa/x', file, { once: true }, never))).toBe('unavailable')
  expect([entries.size, server.objects.size]).toEqual([0, 0])
})

test('a file is created exclusively, too: the condition meets it when it is whole, and leaves no entry', async () => {
  await using backend = await open()
  await backend.put('x', bytesOf('first'), {}, never)
  expect(await codeOf(backend.put('x', file, { ifAbsent: true }, never))).toBe('exists')
  expect((await backend.stat('x', never)).size).toBe(5)
  await backend.put('y', file, { ifAbsent: true }, never)
  expect(await names(backend, '')).toEqual(['x', 'y'])
  expect(entries.size).toBe(0)
  const winners = await Promise.all(Array.from({ length: 4 }, () => codeOf(backend.put('z', file, { ifAbsent: true }, never))))
  expect(winners.sort()).toEqual(['done', 'exists', 'exists', 'exists'])
})

test('the service compares what has arrived; what differs makes no object', async () => {
  await using backend = await open()
  const path = join(folder, 'changing')
  await writeFile(path, bytes)
  let changed: Promise<void> | undefined
  // Its checksums are made when the first byte asks for leave.
  const put = codeOf(backend.put('packs/aa/x', { ...file, path }, { once: true, pace: () => (changed ??= writeFile(path, Buffer.alloc(bytes.length, 1))) }, never))
  expect(await put).toBe('unavailable')
  expect([server.objects.size, server.softDeleted]).toEqual([0, []])
})
