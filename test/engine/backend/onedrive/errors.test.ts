import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type CredentialSource } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { HoldfastError, toWireError } from '../../../../engine/base/errors.ts'
import { OneDriveServer } from '../../../servers/onedrive.ts'
import type { SeenRequest, WebFault } from '../../../servers/web-service.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const isContent = ({ url }: SeenRequest): boolean => url.includes(':/content')
const isItem = ({ url }: SeenRequest): boolean => url.includes(':?')
let server: OneDriveServer
let backend: StorageBackend

const open = (credentials: CredentialSource = fixedCredentials({ accessToken: 'token-1' })): Promise<StorageBackend> =>
  openBackend('onedrive:/Holdfast', { credentials, signal: never, service: server.origin })

beforeEach(async () => {
  server = await OneDriveServer.start()
  backend = await open()
  await backend.put('known', bytesOf('0123456789'), {}, never)
})
afterEach(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const refuse = (status: number, code: string, more: { readonly inner?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}): WebFault => ({
  type: 'answer', status, json: { error: { code, message: 'Microsoft\'s own words', innerError: more.inner } }, ...(more.headers ? { headers: more.headers } : {}),
})

const answers: readonly (readonly [number, string, unknown, string])[] = [
  [429, 'activityLimitReached', undefined, 'throttled'], [429, 'TooManyRequests', undefined, 'throttled'], [509, 'x', undefined, 'throttled'], [503, 'serviceNotAvailable', undefined, 'unavailable'],
  [507, 'quotaLimitReached', undefined, 'full'], [507, 'insufficientStorage', undefined, 'full'], [413, 'x', undefined, 'full'], [400, 'invalidRequest', { code: 'maxFileSizeExceeded' }, 'full'],
  [403, 'accessDenied', undefined, 'denied'], [403, 'notAllowed', undefined, 'denied'], [403, 'somethingNew', undefined, 'denied'], [400, 'invalidRequest', { code: 'invalidPath' }, 'arguments'],
  [423, 'resourceLocked', undefined, 'unavailable'], [409, 'resourceModified', undefined, 'unavailable'], [412, 'x', undefined, 'unavailable'], [500, 'generalException', undefined, 'unavailable'],
  [400, 'invalidRequest', undefined, 'unsupported'], [401, 'InvalidAuthenticationToken', undefined, 'credentials'], [404, 'resourceNotFound', undefined, 'arguments'],
  [403, 'accessDenied', { code: 'x', innerError: { code: 'quotaLimitReached' } }, 'full'],
]

test.each(answers)('%i %s %j means %s, to a put, a list and a stat, with Microsoft\'s own words', async (status, code, inner, wanted) => {
  server.choose = () => refuse(status, code, { inner })
  expect(await codeOf(backend.put('known', bytesOf('x'), {}, never))).toBe(wanted)
  // A list that is throttled waits (below).
  if (wanted !== 'throttled') expect(await codeOf(names(backend, ''))).toBe(wanted)
  const failure = await backend.stat('known', never).catch((error: unknown) => error)
  // Whoever renews the token has words of its own.
  expect(failure).toMatchObject({ code: wanted, ...(status === 401 ? {} : { cause: { message: 'Microsoft\'s own words' } }) })
})

test('how long it asks to wait is passed on; 503 with it is throttling', async () => {
  server.choose = () => refuse(429, 'activityLimitReached', { headers: { 'retry-after': '7' } })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 7000 } })
  server.choose = () => refuse(503, 'serviceNotAvailable', { headers: { 'retry-after': '2' } })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 2000 } })
})

test('one page of a list that is throttled waits, and the list is whole', async () => {
  server.breakNext(({ url }) => url.includes('children'), refuse(429, 'activityLimitReached', { headers: { 'retry-after': '1' } }))
  expect(await names(backend, '')).toEqual(['known'])
})

test('a token that has expired is renewed once, and the request goes out again; one that stays refused is told', async () => {
  const asked: string[] = []
  let token = 'token-1'
  await using renewing = await open({
    current: async () => ({ accessToken: token }),
    renew: async ({ accessToken = '' }) => {
      asked.push(accessToken)
      token = 'token-2'
      return { accessToken: token }
    },
  })
  await renewing.put('before', bytesOf('x'), {}, never)
  server.tokens.delete('token-1')
  server.tokens.add('token-2')
  const bytes = Buffer.alloc(3_000_000, 7)
  await renewing.put('after', { type: 'bytes', bytes }, {}, never)
  expect(Buffer.compare(await renewing.get('after', 'all', never), bytes)).toBe(0)
  expect(asked).toEqual(['token-1'])
  server.tokens.delete('token-2')
  expect(await codeOf(renewing.stat('after', never))).toBe('credentials')
  await using nobody = await open(fixedCredentials({}))
  await expect(nobody.stat('x', never)).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining('signed in') as string })
})

test('the token goes to the interface alone: not to where bytes lie, nor to a list\'s next page elsewhere', async () => {
  await backend.put('large', { type: 'bytes', bytes: Buffer.alloc(12_000_000) }, {}, never)
  await backend.get('large', { offset: 5, length: 5 }, never)
  const bare = server.requests.filter(({ url }) => /^\/(up|d)\//.test(url))
  expect(bare.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET'])
  expect(bare.every(({ headers }) => headers.authorization === undefined)).toBe(true)
  await using other = await OneDriveServer.start()
  for (const next of [`${other.origin}/v1.0/me/drive/x`, `${server.origin}/other/x`, 'https://evil.example/v1.0/x', 'nonsense', `${server.origin}.evil.example/v1.0/x`]) {
    server.choose = () => ({ type: 'lie', change: ({ status }) => ({ status, json: { value: [], '@odata.nextLink': next } }) })
    expect(await codeOf(names(backend, '')), next).toBe('unavailable')
  }
  expect(other.requests).toEqual([])
})

test.each(['http://evil.example/up/x', 'ftp://evil.example/x', 'file:///etc/passwd', 'nonsense'])('nothing is sent to %s, nor read from there', async (address) => {
  server.choose = (request) => (request.url.includes('createUploadSession') ? { type: 'answer', status: 200, json: { uploadUrl: address } } : undefined)
  expect(await codeOf(backend.put('large', { type: 'bytes', bytes: Buffer.alloc(5_000_000) }, {}, never))).toBe('unavailable')
  server.choose = (request) => (isContent(request) ? { type: 'answer', status: 302, headers: { location: address } } : undefined)
  expect(await codeOf(backend.get('known', 'all', never))).toBe('unavailable')
})

test('no error and no label holds the token, or the address of a session or a file', async () => {
  const secret = 'EwB.very-secret'
  server.tokens.add(secret)
  await using other = await open(fixedCredentials({ accessToken: secret }))
  const faults: WebFault[] = [refuse(403, 'x'), { type: 'lose-reply' }, { type: 'answer', status: 200, text: 'nonsense', headers: { 'content-type': 'text/html' } }, refuse(401, 'x'), { type: 'cut-reply', afterBytes: 5 }]
  for (const fault of faults) {
    for (const work of [() => other.get('known', 'all', never), () => other.put('large', { type: 'bytes', bytes: Buffer.alloc(5_000_000) }, {}, never)]) {
      server.choose = (request) => (/^\/(up|d)\//.test(request.url) || isItem(request) ? fault : undefined)
      const failure: unknown = await work().catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(HoldfastError)
      expect(JSON.stringify(toWireError(failure))).not.toMatch(/secret|\/up\/|\/d\//)
    }
  }
  expect(other.label).toBe('onedrive:/Holdfast')
})

describe('what lies', () => {
  const lies: readonly (readonly [string, WebFault])[] = [
    ['a login page', { type: 'answer', status: 200, text: '<html>', headers: { 'content-type': 'text/html; charset=utf-8' } }], ['nothing', { type: 'answer', status: 200, text: '' }],
    ['half a document', { type: 'answer', status: 200, text: '{"value":[{"na' }], ['another shape', { type: 'answer', status: 200, json: { value: [{ name: 5 }], id: 5 } }],
    ['a redirect', { type: 'answer', status: 301, headers: { location: 'https://evil.example/' } }], ['a listing without an end', { type: 'answer', status: 200, text: ' '.repeat(9_000_000) }],
    ['a refusal without an end', { type: 'answer', status: 404, text: 'x'.repeat(300_000) }], ['something else\'s "not found"', { type: 'answer', status: 404, text: 'Not Found' }],
  ]

  test.each(lies)('%s for a list, a put, a stat and a get is told, and taken for nothing else', async (_what, lie) => {
    server.choose = () => lie
    for (const work of [() => names(backend, ''), () => backend.put('y', bytesOf('y'), {}, never), () => backend.stat('known', never), () => backend.remove('known', never)]) {
      expect(await codeOf(work())).toBe('unavailable')
    }
    expect(['unavailable', 'unsupported', 'damaged']).toContain(await codeOf(backend.get('known', { offset: 1, length: 4 }, never)))
    server.choose = () => undefined
    expect(await names(backend, '')).toEqual(['known'])
  })

  test('a list whose pages have no end comes to one', async () => {
    let pages = 0
    server.choose = () => ({ type: 'answer', status: 200, json: { value: [], '@odata.nextLink': `${server.origin}/v1.0/x?${++pages}` } })
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
    expect(pages).toBeLessThan(250)
    server.choose = () => ({ type: 'answer', status: 200, json: { value: [], '@odata.nextLink': `${server.origin}/v1.0/x` } })
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
  })

  test('more or less of an object than was asked for is not taken', async () => {
    const told: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
      ['0123', { 'content-range': 'bytes 0-3/10' }, 'unavailable'], ['123456', { 'content-range': 'bytes 1-6/10' }, 'unavailable'], ['12', { 'content-range': 'bytes 1-2/3' }, 'damaged'], ['0123456789', {}, 'unsupported'],
    ]
    for (const [text, headers, wanted] of told) {
      server.choose = ({ url }) => (url.startsWith('/d/') ? { type: 'answer', status: 206, text, headers } : undefined)
      expect(await codeOf(backend.get('known', { offset: 1, length: 4 }, never)), text).toBe(wanted)
    }
  })

  test.each([['small', 1000], ['large', 12_000_000]] as const)('other bytes of a %s object than were sent are found out, and removed', async (_what, size) => {
    server.breakNext(({ method }) => method === 'PUT', { type: 'garble' })
    expect(await codeOf(backend.put('new', { type: 'bytes', bytes: Buffer.alloc(size, 1) }, {}, never))).toBe('damaged')
    expect(await names(backend, '')).toEqual(['known'])
  })

  test('a checksum that comes late is asked for; where there is none the bytes are read back', async () => {
    for (const late of [1, 2]) {
      server.lateHashes = late
      await backend.put(`late${late}`, { type: 'bytes', bytes: Buffer.alloc(6_000_000, late) }, {}, never)
      server.lateHashes = late
      server.breakNext(({ method }) => method === 'PUT', { type: 'garble' })
      expect(await codeOf(backend.put('new', { type: 'bytes', bytes: Buffer.alloc(6_000_000, 3) }, {}, never))).toBe('damaged')
    }
    server.lateHashes = 0
    expect((await names(backend, '')).sort()).toEqual(['known', 'late1', 'late2'])
  })
})

test('creating is exclusive, as it is tried when a repository is made', async () => {
  expect(await probeBackend(backend, never)).toMatchObject({ exclusiveCreate: true })
  expect(await names(backend, 'probe/')).toEqual([])
})

test('a large object is created exclusively, too, whether the name is taken before or meanwhile', async () => {
  const large = { type: 'bytes', bytes: Buffer.alloc(6_000_000) } as const
  expect(await codeOf(backend.put('known', large, { ifAbsent: true }, never))).toBe('exists')
  const results = await Promise.all([1, 2, 3].map(() => codeOf(backend.put('one', large, { ifAbsent: true }, never))))
  expect(results.sort()).toEqual(['done', 'exists', 'exists'])
  expect(server.sessions.size).toBe(0)
})

test('what stands in the way is told, and nothing of it is removed', async () => {
  await backend.put('a/b', bytesOf('x'), {}, never)
  expect(await codeOf(backend.put('a', bytesOf('x'), {}, never))).toBe('denied')
  expect(await codeOf(backend.put('known/x', bytesOf('x'), {}, never))).toBe('denied')
  expect(await codeOf(backend.stat('a', never))).toBe('not-found')
  await backend.remove('a', never)
  expect((await names(backend, '')).sort()).toEqual(['a/b', 'known'])
})

test('folders are made where an upload does not make them, and made again when somebody removes them', async () => {
  server.implicitFolders = false
  await backend.put('x/y/z', bytesOf('1'), {}, never)
  for (const { id, name } of [...server.items.values()]) if (name === 'x') server.items.delete(id)
  await backend.put('x/y/w', bytesOf('2'), {}, never)
  expect(server.fileAt('Holdfast/x/y/w')?.bytes.toString()).toBe('2')
})

test('a file of a stranger whose name differs in its letters is neither taken for an object nor removed', async () => {
  await fetch(`${server.origin}/v1.0/me/drive/special/approot:/Holdfast/CONFIG:/content`, { method: 'PUT', headers: { authorization: 'Bearer token-1' }, body: 'mine' })
  expect(await codeOf(backend.stat('config', never))).toBe('not-found')
  expect(await codeOf(backend.put('config', bytesOf('x'), { ifAbsent: true }, never))).toBe('exists')
  await backend.remove('config', never)
  expect(server.fileAt('Holdfast/CONFIG')?.bytes.toString()).toBe('mine')
})

test('files and folders of strangers are passed over', async () => {
  for (const name of ['Photo.JPG', 'a b', '.hidden']) await fetch(`${server.origin}/v1.0/me/drive/special/approot:/Holdfast/${encodeURIComponent(name)}:/content`, { method: 'PUT', headers: { authorization: 'Bearer token-1' }, body: 'x' })
  expect(await names(backend, '')).toEqual(['known'])
})
