import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type CredentialSource } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { withSortedLists } from '../../../../engine/backend/wrappers/sorted-lists.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { systemClock, type Clock } from '../../../../engine/base/clock.ts'
import type { HoldfastError } from '../../../../engine/base/errors.ts'
import { DropboxServer } from '../../../servers/dropbox.ts'
import type { WebFault } from '../../../servers/web-service.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const token = 'token-1'
let server: DropboxServer
let backend: StorageBackend

const open = (credentials: CredentialSource = fixedCredentials({ accessToken: token }), clock: Clock = systemClock): Promise<StorageBackend> =>
  openBackend('dropbox:/folder?account=anna%40example.org', { credentials, signal: never, service: server.origin, clock })

beforeEach(async () => {
  server = await DropboxServer.start()
  backend = await open()
})

afterEach(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const told = (status: number, error: unknown, headers: Record<string, string> = {}): WebFault => ({ type: 'answer', status, json: { error_summary: 'the/words/..', error }, headers })
const path = (tag: string): unknown => ({ '.tag': 'path', path: { '.tag': tag } })

const answers: readonly (readonly [string, WebFault, string])[] = [
  ['many requests, as JSON', told(429, { reason: { '.tag': 'too_many_requests' }, retry_after: 7 }, { 'retry-after': '7' }), 'throttled'],
  ['many requests, as text', { type: 'answer', status: 429, text: 'too many requests', headers: { 'retry-after': '7' } }, 'throttled'],
  ['a full Dropbox', told(409, { '.tag': 'path', reason: { '.tag': 'insufficient_space' } }), 'full'],
  ['a full Dropbox, after a session', told(409, path('insufficient_space')), 'full'],
  ['a folder that is read-only', told(409, path('no_write_permission')), 'denied'],
  ['a folder in the way', told(409, { '.tag': 'path', reason: { '.tag': 'conflict', conflict: { '.tag': 'folder' } } }), 'denied'],
  ['a name that it does not take', told(409, path('malformed_path')), 'arguments'],
  ['other bytes than were sent', told(409, { '.tag': 'content_hash_mismatch' }), 'unavailable'],
  ['a revoked token', told(401, { '.tag': 'invalid_access_token' }), 'credentials'],
  ['a sign-in without files', told(401, { '.tag': 'missing_scope', required_scope: 'files.content.write' }), 'credentials'],
  ['a suspended user', told(401, { '.tag': 'user_suspended' }), 'denied'],
  ['403', { type: 'answer', status: 403, text: 'no' }, 'denied'],
  ['400', { type: 'answer', status: 400, text: 'Error in call to API function' }, 'unsupported'],
  ['500', { type: 'answer', status: 500, text: '' }, 'unavailable'],
  ['503', { type: 'answer', status: 503, text: 'x', headers: { 'retry-after': '7' } }, 'unavailable'],
  ['an error that nobody knows', told(409, { '.tag': 'something_new' }), 'unsupported'],
  ['a login page', { type: 'answer', status: 200, text: '<html>Hotel</html>', headers: { 'content-type': 'text/html' } }, 'unavailable'],
  ['half a document', { type: 'answer', status: 200, text: '{"size":1', headers: { 'content-type': 'application/json' } }, 'unavailable'],
  ['an answer to another question', { type: 'answer', status: 200, json: { entries: 1 } }, 'unavailable'],
  ['a redirect', { type: 'answer', status: 302, text: '', headers: { location: 'https://evil.example/' } }, 'unavailable'],
  ['an endless answer', { type: 'answer', status: 200, text: 'x'.repeat(9 * 1024 * 1024) }, 'unavailable'],
]

test.each(answers)('%s', async (_what, fault, code) => {
  server.breakNext(({ url }) => url.includes('/files/'), fault, 2)
  const error = await backend.put('x', bytesOf('x'), {}, never).catch((reason: unknown) => reason as HoldfastError)
  expect(error).toMatchObject({ code })
  if (fault.type === 'answer' && fault.headers?.['retry-after']) expect(error?.data['retryAfterMs']).toBe(7000)
  if (fault.type === 'answer' && fault.json !== undefined && fault.status !== 401 && code !== 'unavailable') expect((error?.cause as Error).message).toBe('the/words/..')
  const text = JSON.stringify([error?.message, error?.data, String(error?.cause)])
  expect(text).not.toContain(token)
  expect(text.length).toBeLessThan(2000)
  server.choose = () => undefined
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('done')
})

test('a busy account is asked once more: another change takes a moment', async () => {
  server.breakNext(({ url }) => url.includes('/files/'), told(429, { reason: { '.tag': 'too_many_write_operations' } }), 1)
  await backend.put('x', bytesOf('x'), {}, never)
  expect(server.requests.length).toBe(2)
})

test('who has no token is told to sign in, and nothing is sent', async () => {
  await using nobody = await open(fixedCredentials({}))
  await expect(nobody.stat('x', never)).rejects.toMatchObject({ code: 'credentials', data: { advice: 'Sign in to Dropbox again.' } })
  expect(server.requests).toEqual([])
})

test('a token that has expired is renewed, and the request, with its bytes, sent once more', async () => {
  server.expired.add('old')
  let renewals = 0
  const renew: CredentialSource['renew'] = async () => { renewals++; return { accessToken: token } }
  await using renewing = await open({ current: async () => ({ accessToken: renewals === 0 ? 'old' : token }), renew })
  const bytes = randomBytes(700_000)
  await renewing.put('x', { type: 'bytes', bytes }, {}, never)
  expect(Buffer.compare(await renewing.get('x', 'all', never), bytes)).toBe(0)
  expect(renewals).toBe(1)
})

test('nobody there is offline', async () => {
  await using gone = await openBackend('dropbox:/x', { credentials: fixedCredentials({ accessToken: token }), signal: never, service: 'http://127.0.0.1:1' })
  expect(await codeOf(gone.stat('x', never))).toBe('offline')
})

test('neither label nor account tells a secret', () => {
  expect([backend.label, backend.traits.account]).toEqual(['dropbox:/folder of anna@example.org', 'dropbox:anna@example.org'])
})

test('it creates exclusively, also as a probe sees it', async () => {
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: true, listsAtOnce: true })
})

test.each([['a small object', 10], ['a session', 700_000]])('%s of the same bytes under a name that is taken exists, too', async (_what, size) => {
  const body = { type: 'bytes', bytes: randomBytes(size) } as const
  await backend.put('one', body, { ifAbsent: true }, never)
  expect(await codeOf(backend.put('one', body, { ifAbsent: true }, never))).toBe('exists')
})

test('to a busy account changes go one after the other', async () => {
  server.lockMs = 5
  const sizes = [10, 300_000, 20, 400_000, 500_000, 30]
  await Promise.all(sizes.map((size, index) => backend.put(`x${index}`, { type: 'bytes', bytes: randomBytes(size) }, {}, never)))
  await Promise.all(sizes.map((_, index) => backend.remove(`x${index}`, never)))
  expect(server.files.size).toBe(0)
  // Three sessions at once: fewer ends than sessions.
  expect(server.requests.filter(({ url }) => url.endsWith('finish_batch_v2')).length).toBeLessThan(3)
})

test('a folder of the name of an object is no object, and is never removed', async () => {
  await backend.put('packs/ab/x', bytesOf('x'), {}, never)
  await backend.remove('packs', never)
  await backend.remove('packs/ab', never)
  expect(await names(backend, '')).toEqual(['packs/ab/x'])
  expect(await codeOf(backend.stat('packs', never))).toBe('not-found')
  expect(await codeOf(backend.get('packs', 'all', never))).toBe('not-found')
})

test('a list that Dropbox makes void is begun anew, and each name comes once', async () => {
  const wanted = Array.from({ length: 30 }, (_, index) => `a/${String(index).padStart(2, '0')}`)
  for (const name of wanted) await backend.put(name, bytesOf('x'), {}, never)
  server.pageSize = 7
  let pages = 0
  server.choose = ({ url }) => {
    if (url.endsWith('/continue') && ++pages === 2) server.invalidateCursors()
    return undefined
  }
  const retrying = withRetry(withSortedLists(backend), { clock: { ...systemClock, sleep: async () => undefined }, patienceMs: 1000 })
  expect(await names(retrying, 'a/')).toEqual(wanted)
})

test('a page that has to wait costs no page before it', async () => {
  const waits: number[] = []
  await using patient = await open(undefined, { ...systemClock, sleep: async (ms, signal) => { if (ms === 7000) waits.push(ms); else await systemClock.sleep(ms, signal) } })
  for (let index = 0; index < 20; index++) await patient.put(`a/${index}`, bytesOf('x'), {}, never)
  server.pageSize = 9
  server.breakNext(({ url }) => url.endsWith('/continue'), told(429, { reason: { '.tag': 'too_many_requests' } }, { 'retry-after': '7' }), 2)
  expect(await names(patient, 'a/')).toHaveLength(20)
  expect(waits).toEqual([7000, 7000])
  expect(server.requests.filter(({ url }) => url.endsWith('list_folder'))).toHaveLength(1)
})

test('lists without an end, with one cursor for ever or with empty pages, are refused', async () => {
  const entry = { '.tag': 'file', path_lower: '/folder/a', size: 1, rev: '1', server_modified: '2026-01-01T00:00:00Z' }
  let number = 0
  const cases = [() => ({ entries: [entry], cursor: 'same', has_more: true }), () => ({ entries: [], cursor: `${++number}`, has_more: true })]
  for (const page of cases) {
    server.choose = ({ url }) => (url.includes('list_folder') ? { type: 'answer', status: 200, json: page() } : undefined)
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
  }
})

test('strangers\' files are passed over', async () => {
  for (const one of ['/folder/Ünicode', '/folder/.hidden/x', '/folder/a b', '/other/x', '/folder2/x']) server.files.set(one.toLowerCase(), { path: one, bytes: Buffer.from('x'), id: 'id:x', rev: '1', modified: new Date() })
  await backend.put('mine', bytesOf('x'), {}, never)
  expect(await names(backend, '')).toEqual(['mine'])
})

test('what is stored otherwise than it was sent is removed again', async () => {
  for (const size of [10, 700_000]) {
    server.breakNext(({ url }) => url.endsWith('/upload') || url.endsWith('finish_batch_v2'), {
      type: 'lie', change: (answer) => ({ ...answer, json: JSON.parse(JSON.stringify(answer.json).replaceAll(/"content_hash":"[^"]*"/g, '"content_hash":"beef"')) as unknown }),
    })
    expect(await codeOf(backend.put('x', { type: 'bytes', bytes: randomBytes(size) }, {}, never))).toBe('damaged')
    expect(server.files.size).toBe(0)
  }
})

test('what is garbled on the way is refused by Dropbox, and may be sent again', async () => {
  for (const [size, route] of [[10, '/upload'], [700_000, '/start']] as const) {
    server.breakNext(({ url }) => url.endsWith(route), { type: 'garble' })
    expect(await codeOf(backend.put('x', { type: 'bytes', bytes: randomBytes(size) }, {}, never))).toBe('unavailable')
  }
  expect(server.files.size).toBe(0)
})

test.each([['another part', 'bytes 5-14/100', 10], ['more than was asked for', 'bytes 0-19/100', 20]])('%s is not taken for what was asked for', async (_what, range, length) => {
  await backend.put('x', { type: 'bytes', bytes: randomBytes(100) }, {}, never)
  server.breakNext(({ url }) => url.endsWith('/download'), { type: 'lie', change: (answer) => ({ ...answer, bytes: Buffer.alloc(length), headers: { ...answer.headers, 'content-range': range } }) })
  expect(await codeOf(backend.get('x', { offset: 0, length: 10 }, never))).toBe('unavailable')
})

test('a reply that breaks off is no object, and one that never comes can be left at once', async () => {
  await backend.put('x', { type: 'bytes', bytes: randomBytes(100_000) }, {}, never)
  server.breakNext(({ url }) => url.endsWith('/download'), { type: 'cut-reply', afterBytes: 50_000 })
  expect(['offline', 'unavailable']).toContain(await codeOf(backend.get('x', 'all', never)))
  for (const [route, ask] of [['/download', (signal: AbortSignal) => backend.get('x', 'all', signal)], ['/upload', (signal: AbortSignal) => backend.put('y', bytesOf('y'), {}, signal)]] as const) {
    const controller = new AbortController()
    server.choose = ({ url }) => {
      if (!url.endsWith(route)) return undefined
      controller.abort()
      return { type: 'hang' }
    }
    const startedMs = performance.now()
    expect(await codeOf(ask(controller.signal))).toBe('aborted')
    expect(performance.now() - startedMs).toBeLessThan(1000)
  }
})
