import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type CredentialSource } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { systemClock, type Clock } from '../../../../engine/base/clock.ts'
import type { HoldfastError } from '../../../../engine/base/errors.ts'
import { BoxServer } from '../../../servers/box.ts'
import type { WebFault } from '../../../servers/web-service.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const token = 'token-1'
let server: BoxServer
let backend: StorageBackend

const open = (credentials: CredentialSource = fixedCredentials({ accessToken: token }), clock: Clock = systemClock): Promise<StorageBackend> =>
  openBackend('box:/folder?account=anna%40example.org', { credentials, signal: never, service: server.origin, clock })

beforeEach(async () => {
  server = await BoxServer.start()
  backend = await open()
})

afterEach(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const told = (status: number, code: string, headers: Record<string, string> = {}): WebFault => ({ type: 'answer', status, json: { type: 'error', status, code, message: 'its words' }, headers })

const answers: readonly (readonly [string, WebFault, string])[] = [
  ['many requests', told(429, 'rate_limit_exceeded', { 'retry-after': '7' }), 'throttled'],
  ['many requests, without a body', { type: 'answer', status: 429, text: '', headers: { 'retry-after': '7' } }, 'throttled'],
  ['a full account', told(403, 'storage_limit_exceeded'), 'full'],
  ['a file that the plan does not take', told(413, 'file_size_limit_exceeded'), 'full'],
  ['a folder that is read-only', told(403, 'access_denied_insufficient_permissions'), 'denied'],
  ['a sign-in without files', told(403, 'insufficient_scope'), 'credentials'],
  ['a name that it does not take', told(400, 'item_name_invalid'), 'arguments'],
  ['other bytes than were sent', told(412, 'bad_digest'), 'unavailable'],
  ['a token that is no longer good', { type: 'answer', status: 401, text: '' }, 'credentials'],
  ['a conflict of another kind', told(409, 'operation_blocked_temporary'), 'unavailable'],
  ['405', told(405, 'method_not_allowed'), 'unsupported'],
  ['500', { type: 'answer', status: 500, text: '' }, 'unavailable'],
  ['503', { type: 'answer', status: 503, text: 'x', headers: { 'retry-after': '7' } }, 'unavailable'],
  ['a login page', { type: 'answer', status: 200, text: '<html>Hotel</html>', headers: { 'content-type': 'text/html' } }, 'unavailable'],
  ['half a document', { type: 'answer', status: 201, text: '{"size":1' }, 'unavailable'],
  ['an answer to another question', { type: 'answer', status: 201, json: { entries: [] } }, 'unavailable'],
  ['a redirect', { type: 'answer', status: 302, text: '', headers: { location: 'https://evil.example/' } }, 'unavailable'],
  ['an endless answer', { type: 'answer', status: 200, text: 'x'.repeat(9 * 1024 * 1024) }, 'unavailable'],
]

test.each(answers)('%s', async (_what, fault, code) => {
  await backend.put('first', bytesOf('x'), {}, never)
  server.breakNext(({ url }) => url.includes('/files/content'), fault, 3)
  const error = await backend.put('x', bytesOf('x'), { once: true }, never).catch((reason: unknown) => reason as HoldfastError)
  expect(error).toMatchObject({ code })
  if (fault.type === 'answer' && fault.headers?.['retry-after']) expect(error?.data['retryAfterMs']).toBe(7000)
  if (fault.type === 'answer' && fault.json !== undefined && fault.status >= 400) expect((error?.cause as Error).message).toBe('its words')
  const text = JSON.stringify([error?.message, error?.data, String(error?.cause)])
  expect(text).not.toContain(token)
  expect(text.length).toBeLessThan(2000)
  server.choose = () => undefined
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('done')
})

test('a token that has expired is renewed, and the request, with its bytes, sent once more', async () => {
  let renewals = 0
  const renew: CredentialSource['renew'] = async () => { renewals++; return { accessToken: token } }
  await using renewing = await open({ current: async () => ({ accessToken: renewals === 0 ? 'old' : token }), renew })
  const bytes = randomBytes(700_000)
  await renewing.put('x', { type: 'bytes', bytes }, {}, never)
  expect(Buffer.compare(await renewing.get('x', 'all', never), bytes)).toBe(0)
  expect(renewals).toBe(1)
})

test('the token goes to the interface and nowhere else', async () => {
  await backend.put('x', bytesOf('x'), {}, never)
  await backend.get('x', 'all', never)
  const bare = server.requests.filter(({ headers }) => headers.authorization === undefined)
  expect(bare.map(({ url }) => url.split('/')[1])).toEqual(['d'])
  const before = server.requests.length
  server.breakNext(({ url }) => url.endsWith('/content'), { type: 'answer', status: 302, text: '', headers: { location: 'http://127.0.0.1:1/d/1/x/download' } })
  expect(await codeOf(backend.get('x', 'all', never))).toBe('unavailable')
  expect(server.requests.length).toBe(before + 1)
})

test('nobody there is offline', async () => {
  await using gone = await openBackend('box:/x', { credentials: fixedCredentials({ accessToken: token }), signal: never, service: 'http://127.0.0.1:1' })
  expect(await codeOf(gone.stat('x', never))).toBe('offline')
})

test('neither label nor account tells a secret', () => {
  expect([backend.label, backend.traits.account]).toEqual(['box:/folder of anna@example.org', 'box:anna@example.org'])
})

test('it creates exclusively, also as a probe sees it', async () => {
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: true, listsAtOnce: true })
})

test('a name that is reserved for a moment is waited for', async () => {
  server.breakNext(({ url }) => url.includes('/files/content'), told(409, 'name_temporarily_reserved'), 3)
  expect(await codeOf(backend.put('x', bytesOf('x'), { ifAbsent: true }, never))).toBe('done')
  server.breakNext(() => true, told(409, 'name_temporarily_reserved'), 99)
  await using hurried = await open(undefined, { ...systemClock, sleep: async () => new Promise((resolve) => setImmediate(resolve)) })
  expect(await codeOf(hurried.put('y', bytesOf('y'), { ifAbsent: true }, never))).toBe('unavailable')
})

test('a conflict that does not tell with what is looked at', async () => {
  await backend.put('x', bytesOf('old'), {}, never)
  server.breakNext(({ method, url }) => method === 'POST' && url.includes('/files/content'), told(409, 'item_name_in_use'), 1)
  await backend.put('x', bytesOf('new'), { once: true }, never)
  expect(Buffer.from(await backend.get('x', 'all', never)).toString()).toBe('new')
  server.breakNext(({ method, url }) => method === 'POST' && url.includes('/files/content'), told(409, 'item_name_in_use'), 1)
  expect(await codeOf(backend.put('x', bytesOf('third'), { ifAbsent: true }, never))).toBe('exists')
})

test('a file of the same name in other letters is nobody\'s object, and stays', async () => {
  await backend.put('mine', bytesOf('x'), {}, never)
  const parent = server.fileAt('folder/mine')?.parent ?? ''
  server.items.set('7', { id: '7', type: 'file', name: 'Config', parent, trashed: false, bytes: Buffer.from('theirs'), modified: new Date() })
  expect(await codeOf(backend.get('config', 'all', never))).toBe('not-found')
  await backend.remove('config', never)
  for (const ifAbsent of [true, false]) expect(await codeOf(backend.put('config', bytesOf('ours'), { ifAbsent }, never))).toBe('denied')
  expect(server.fileAt('folder/Config')?.bytes.toString()).toBe('theirs')
  expect(await names(backend, '')).toEqual(['mine'])
})

test('a file where a folder has to be is told', async () => {
  server.items.set('7', { id: '7', type: 'file', name: 'folder', parent: '0', trashed: false, bytes: Buffer.from('x'), modified: new Date() })
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('denied')
  expect(await codeOf(backend.stat('x', never))).toBe('not-found')
  expect(await names(backend, '')).toEqual([])
})

test('a folder of the name of an object is no object, and is never removed', async () => {
  await backend.put('packs/ab/x', bytesOf('x'), {}, never)
  await backend.remove('packs', never)
  await using other = await open()
  await other.remove('packs/ab', never)
  expect(await names(other, '')).toEqual(['packs/ab/x'])
  expect(await codeOf(other.get('packs', 'all', never))).toBe('not-found')
})

test('what somebody removed and made anew, file or folder, is found under its new id', async () => {
  await backend.put('a/x', bytesOf('old'), {}, never)
  await using other = await open()
  await other.remove('a/x', never)
  await other.put('a/x', bytesOf('new'), {}, never)
  expect(Buffer.from(await backend.get('a/x', 'all', never)).toString()).toBe('new')
  for (const item of server.items.values()) if (item.name === 'a') item.trashed = true
  expect(await codeOf(other.stat('a/y', never))).toBe('not-found')
  expect(await codeOf(backend.put('a/y', bytesOf('y'), {}, never))).toBe('done')
  await using third = await open()
  expect(await names(third, '')).toEqual(['a/y'])
})

test('a file that somebody gave another name is not there any more', async () => {
  await backend.put('a/x', bytesOf('x'), {}, never)
  const file = server.fileAt('folder/a/x')
  if (file) server.items.set(file.id, { ...file, name: 'renamed' })
  expect(await codeOf(backend.stat('a/x', never))).toBe('not-found')
  await backend.put('a/x', bytesOf('y'), {}, never)
  expect(await names(backend, 'a/')).toEqual(['a/renamed', 'a/x'])
})

test('a file that is removed while it is replaced is stored anew', async () => {
  await backend.put('x', bytesOf('old'), {}, never)
  server.choose = ({ method, url }) => {
    const file = server.fileAt('folder/x')
    if (file && method === 'POST' && url.includes(`/files/${file.id}/content`)) file.trashed = true
    return undefined
  }
  await backend.put('x', bytesOf('new'), {}, never)
  expect(Buffer.from(await backend.get('x', 'all', never)).toString()).toBe('new')
})

test('a page that has to wait costs no page before it', async () => {
  const waits: number[] = []
  await using patient = await open(undefined, { ...systemClock, sleep: async (ms, signal) => { if (ms === 7000) waits.push(ms); else await systemClock.sleep(ms, signal) } })
  for (let index = 0; index < 12; index++) await patient.put(`${index % 3}/${index}`, bytesOf('x'), {}, never)
  server.pageSize = 2
  server.requests.length = 0
  server.breakNext(({ url }) => url.includes('marker='), told(429, 'rate_limit_exceeded', { 'retry-after': '7' }), 2)
  expect(await names(patient, '')).toHaveLength(12)
  expect(waits).toEqual([7000, 7000])
  // Two pages of the folder above, and two of each of three; the two refused were asked for once more.
  expect(server.requests.filter(({ url }) => url.includes('/items?'))).toHaveLength(10)
})

test('lists without an end, with one marker for ever or with empty pages, are refused', async () => {
  await backend.put('x', bytesOf('x'), {}, never)
  let number = 0
  const entry = { type: 'file', id: '1', name: 'a', size: 1 }
  const cases = [() => ({ entries: [entry], next_marker: 'same' }), () => ({ entries: [], next_marker: `${++number}` })]
  for (const page of cases) {
    server.choose = ({ url }) => (url.includes('/items?') ? { type: 'answer', status: 200, json: page() } : undefined)
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
  }
})

test('folders that hold themselves come to an end', async () => {
  await backend.put('x', bytesOf('x'), {}, never)
  server.choose = ({ url }) => (url.includes('/items?') ? { type: 'answer', status: 200, json: { entries: [{ type: 'folder', id: '1', name: 'a' }], next_marker: '' } } : undefined)
  expect(await names(backend, '')).toEqual([])
  // A name has at most 255 characters: 128 folders deep.
  expect(server.requests.filter(({ url }) => url.includes('/items?')).length).toBeLessThan(130)
})

test('what is stored otherwise than it was sent is removed again', async () => {
  server.breakNext(({ url }) => url.includes('/files/content'), {
    type: 'lie', change: (answer) => ({ ...answer, json: JSON.parse(JSON.stringify(answer.json).replace(/"sha1":"[^"]*"/, `"sha1":"${'0'.repeat(40)}"`)) as unknown }),
  })
  expect(await codeOf(backend.put('x', bytesOf('x'), { once: true }, never))).toBe('damaged')
  expect(await names(backend, '')).toEqual([])
})

test('what is not ready to be read says so', async () => {
  await backend.put('x', bytesOf('x'), {}, never)
  server.breakNext(({ url }) => url.endsWith('/content'), { type: 'answer', status: 202, text: '', headers: { 'retry-after': '7' } })
  await expect(backend.get('x', 'all', never)).rejects.toMatchObject({ code: 'unavailable', data: { retryAfterMs: 7000 } })
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
  for (const [route, ask] of [['/download', (signal: AbortSignal) => backend.get('x', 'all', signal)], ['/files/content', (signal: AbortSignal) => backend.put('y', bytesOf('y'), {}, signal)]] as const) {
    const controller = new AbortController()
    server.choose = ({ url }) => {
      if (!url.includes(route)) return undefined
      controller.abort()
      return { type: 'hang' }
    }
    const startedMs = performance.now()
    expect(await codeOf(ask(controller.signal))).toBe('aborted')
    expect(performance.now() - startedMs).toBeLessThan(1000)
  }
})
