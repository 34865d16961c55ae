import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { NextcloudServer } from '../../../servers/nextcloud.ts'
import { backendContract, bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

const never = new AbortController().signal
const address = (origin: string): string => `webdav:${origin}/remote.php/dav/files/anna/Sicherung?user=anna`
const credentials = { password: 'app-password' }

backendContract('WebDAV (Nextcloud, stand-in)', async () => {
  const server = await NextcloudServer.start()
  return {
    open: () => openBackend(address(server.origin), { credentials: fixedCredentials(credentials), signal: never }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

resumeContract('WebDAV (Nextcloud, stand-in)', async () => {
  const server = await NextcloudServer.start()
  return { address: address(server.origin), credentials, stepBytes: 8 * 1024 * 1024, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
})

let server: NextcloudServer
let folder: string
let entries: Map<string, string>
const size = 20 * 1024 * 1024
const bytes = Buffer.alloc(size, randomBytes(8191))
const file = (): { type: 'file'; path: string; size: number; crc32: number } => ({ type: 'file', path: join(folder, 'pack'), size, crc32: crc32(bytes) })

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-nextcloud-'))
  writeFileSync(join(folder, 'pack'), bytes)
})
afterAll(() => { rmSync(folder, { recursive: true }) })
beforeEach(async () => {
  server = await NextcloudServer.start()
  entries = new Map()
  return async () => { await server[Symbol.asyncDispose]() }
})

function open(): Promise<StorageBackend> {
  const uploadJournal = { get: (name: string) => entries.get(name), set: (name: string, state: string) => { entries.set(name, state) }, delete: (name: string) => { entries.delete(name) } }
  return openBackend(address(server.origin), { credentials: fixedCredentials(credentials), signal: never, uploadJournal })
}

test('a large file goes in chunks, a small one whole', async () => {
  await using backend = await open()
  await backend.put('packs/large', file(), { once: true }, never)
  await backend.put('config', bytesOf('small'), {}, never)
  const puts = server.requests.filter(({ method }) => method === 'PUT').map(({ url }) => url.replace(/[0-9a-f]{32}/, '…'))
  expect(puts).toEqual([...[1, 2, 3].map((number) => `/remote.php/dav/uploads/anna/holdfast-…/0000${number}`), '/remote.php/dav/files/anna/Sicherung/.tmp/…'])
  expect(Buffer.compare(await backend.get('packs/large', 'all', never), bytes)).toBe(0)
  expect(server.uploads).toEqual([])
})

test('a putting together whose reply was lost is recognised, and happens once', async () => {
  await using backend = await open()
  server.breakNext(({ method, url }) => method === 'MOVE' && url.endsWith('/.file'), { type: 'lose-reply' })
  expect(await codeOf(backend.put('packs/lost', file(), { once: true }, never))).toBe('offline')
  server.choose = () => undefined
  const before = server.receivedBytes
  await backend.put('packs/lost', file(), { once: true }, never)
  expect(server.receivedBytes - before).toBeLessThan(2000)
  expect(entries.size).toBe(0)
})

test('an upload that the server forgot gives its name up instead of beginning again under it (R5)', async () => {
  await using backend = await open()
  server.breakNext(({ method, url }) => method === 'PUT' && url.endsWith('/00002'), { type: 'answer', status: 503, text: 'x' })
  expect(await codeOf(backend.put('packs/forgotten', file(), { once: true }, never))).toBe('unavailable')
  expect(backend.continues?.('packs/forgotten')).toBe(true)
  server.choose = () => undefined
  server.forgetUploads()
  expect(await codeOf(backend.put('packs/forgotten', file(), { once: true }, never))).toBe('unavailable')
  expect([entries.size, await names(backend, '')]).toEqual([0, []])
})

test('a chunk that arrived in part is sent again', async () => {
  await using backend = await open()
  server.breakNext(({ method, url }) => method === 'PUT' && url.endsWith('/00002'), { type: 'answer', status: 503, text: 'x' })
  await codeOf(backend.put('packs/part', file(), { once: true }, never))
  server.choose = () => undefined
  const [upload = ''] = server.uploads
  server.resources.set(`${upload}/00002`, { bytes: bytes.subarray(8 * 1024 * 1024, 9 * 1024 * 1024), modifiedMs: 1 })
  await backend.put('packs/part', file(), { once: true }, never)
  expect(Buffer.compare(await backend.get('packs/part', 'all', never), bytes)).toBe(0)
})

test.each([403, 404, 405, 409, 501])('a server that knows no chunks (%i) is sent files whole, and asked once', async (status) => {
  await using backend = await open()
  server.choose = ({ url }) => (url.includes('/uploads/') ? { type: 'answer', status, text: 'x' } : undefined)
  for (const name of ['packs/a', 'packs/b']) {
    await backend.put(name, file(), { once: true }, never)
    expect(Buffer.compare(await backend.get(name, 'all', never), bytes)).toBe(0)
  }
  expect([entries.size, server.requests.filter(({ url }) => url.includes('/uploads/')).length]).toEqual([0, 1])
})

test('unfinished uploads of others are left alone', async () => {
  await using backend = await open()
  server.resources.set('uploads/anna/web-file-upload-1', { bytes: undefined, modifiedMs: 1 })
  server.breakNext(({ method, url }) => method === 'PUT' && url.endsWith('/00002'), { type: 'answer', status: 503, text: 'x' })
  await codeOf(backend.put('packs/own', file(), { once: true }, never))
  server.choose = () => undefined
  expect(await backend.abortStaleUploads?.(-60_000, never)).toBe(1)
  expect(server.uploads).toEqual(['uploads/anna/web-file-upload-1'])
})
