import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Body, StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DropboxServer } from '../../../servers/dropbox.ts'
import { codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024
const size = 20 * mebibyte
let server: DropboxServer
let backend: StorageBackend
let folder: string
let body: Extract<Body, { type: 'file' }>
let bytes: Buffer
const entries = new Map<string, string>()

beforeEach(async () => {
  server = await DropboxServer.start()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-dropbox-'))
  bytes = Buffer.alloc(size, randomBytes(4093))
  writeFileSync(join(folder, 'pack'), bytes)
  body = { type: 'file', path: join(folder, 'pack'), size, crc32: crc32(bytes) }
  entries.clear()
  const uploadJournal = { get: (name: string) => entries.get(name), set: (name: string, state: string) => { entries.set(name, state) }, delete: (name: string) => { entries.delete(name) } }
  backend = await openBackend('dropbox:/folder', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin, uploadJournal })
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
  expect(server.files.size).toBe(1)
  expect(Buffer.compare(server.files.get('/folder/packs/x')?.bytes ?? Buffer.alloc(0), bytes)).toBe(0)
  expect(entries.size).toBe(0)
}

test.each(['start', 'append_v2', 'finish_batch_v2'])('a lost reply to %s costs no byte that arrived', async (route) => {
  server.breakNext(({ url }) => url.endsWith(route), { type: 'lose-reply' })
  expect(await put()).toBe('offline')
  // Without the reply to `start` nobody knows the session.
  const resent = await sentBy(async () => { expect(await put()).toBe('done') })
  expect(resent).toBeLessThan(route === 'start' ? size + 10_000 : route === 'append_v2' ? 4 * mebibyte + 10_000 : 10_000)
  expectStored()
})

test('a lost reply to the last bytes, with which the session was closed, costs none', async () => {
  let appends = 0
  server.choose = ({ url }) => (url.endsWith('append_v2') && ++appends === 2 ? { type: 'lose-reply' } : undefined)
  expect(await put()).toBe('offline')
  expect(await sentBy(async () => { expect(await put()).toBe('done') })).toBeLessThan(10_000)
  expectStored()
})

test('a connection that breaks in the middle of a part costs that part', async () => {
  server.breakNext(({ url }) => url.endsWith('append_v2'), { type: 'cut-request', afterBytes: 3 * mebibyte })
  expect(await put()).toBe('offline')
  expect(await names(backend, '')).toEqual([])
  expect(await sentBy(put)).toBeLessThan(12 * mebibyte + 10_000)
  expectStored()
})

test('it goes on at the byte that Dropbox names, wherever that is', async () => {
  server.breakNext(({ url }) => url.endsWith('append_v2'), { type: 'cut-request', afterBytes: 3 * mebibyte })
  expect(await put()).toBe('offline')
  // Part of a request can be kept: the reports of correct_offset in https://github.com/SF-Sudio/ServerBackup/issues/27 lie between parts.
  for (const session of server.sessions.values()) {
    session.parts.push(bytes.subarray(session.size, session.size + 1_234_567))
    session.size += 1_234_567
  }
  expect(await sentBy(put)).toBeLessThan(12 * mebibyte - 1_200_000)
  expectStored()
})

test('bytes that an earlier request brings in while a later one is under way are not sent twice, nor mixed', async () => {
  let once = true
  server.choose = ({ url }) => {
    if (!url.endsWith('append_v2') || !once) return undefined
    once = false
    for (const session of server.sessions.values()) {
      session.parts.push(bytes.subarray(session.size, session.size + mebibyte))
      session.size += mebibyte
    }
    return undefined
  }
  expect(await put()).toBe('done')
  expectStored()
})

test('a session that Dropbox forgot gives the name up, and shows nothing', async () => {
  server.breakNext(({ url }) => url.endsWith('append_v2'), { type: 'cut-request', afterBytes: mebibyte })
  expect(await put()).toBe('offline')
  server.sessions.clear()
  expect(await put()).toBe('unavailable')
  expect([entries.size, server.files.size]).toEqual([0, 0])
})

test('a session that grew beyond the file gives the name up', async () => {
  server.breakNext(({ url }) => url.endsWith('append_v2'), { type: 'cut-request', afterBytes: mebibyte })
  expect(await put()).toBe('offline')
  for (const session of server.sessions.values()) session.size = size + 1
  expect(await put()).toBe('unavailable')
  expect([entries.size, server.files.size]).toEqual([0, 0])
})

test('what another put under the name after a lost reply is not taken for one\'s own', async () => {
  server.breakNext(({ url }) => url.endsWith('finish_batch_v2'), { type: 'lose-reply' })
  expect(await put()).toBe('offline')
  server.files.set('/folder/packs/x', { path: '/folder/packs/x', bytes: Buffer.alloc(size), id: 'id:1', rev: '1', modified: new Date() })
  expect(await put()).toBe('unavailable')
  expect(entries.size).toBe(0)
})

test('a full Dropbox keeps what arrived, and goes on when there is room', async () => {
  server.quotaBytes = mebibyte
  expect(await put()).toBe('full')
  server.quotaBytes = Infinity
  expect(await sentBy(put)).toBeLessThan(10_000)
  expectStored()
})

test('a session that was never closed is closed and committed', async () => {
  server.breakNext(({ url }) => url.endsWith('append_v2'), { type: 'cut-request', afterBytes: mebibyte })
  expect(await put()).toBe('offline')
  for (const session of server.sessions.values()) {
    session.parts.push(bytes.subarray(session.size))
    session.size = size
  }
  expect(await put()).toBe('done')
  expectStored()
})

test('a Dropbox that keeps nothing of what is sent comes to an end', async () => {
  server.choose = ({ url }) => (url.endsWith('append_v2') ? { type: 'answer', status: 409, json: { error_summary: 'x', error: { '.tag': 'incorrect_offset', correct_offset: 8 * mebibyte } } } : undefined)
  expect(await put()).toBe('unavailable')
})

test('a file that became shorter is told as damage, not as the network\'s', async () => {
  writeFileSync(body.path, bytes.subarray(0, 10 * mebibyte))
  expect(await put()).toBe('damaged')
  expect(server.files.size).toBe(0)
})
