import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type CredentialSource } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError, toWireError } from '../../../../engine/base/errors.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import type { GoogleFault, SeenRequest } from '../../../servers/google.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const any = (): boolean => true
const isUpload = ({ url }: SeenRequest): boolean => url.startsWith('/upload/')
const isMedia = ({ url }: SeenRequest): boolean => url.includes('alt=media')
let server: DriveServer
let backend: StorageBackend

const open = (credentials: CredentialSource = fixedCredentials({ accessToken: 'token-1' })): Promise<StorageBackend> =>
  openBackend('gdrive:/Holdfast', { credentials, signal: never, service: server.origin })

beforeAll(async () => {
  server = await DriveServer.start()
  backend = await open()
})

beforeEach(() => {
  server.choose = () => undefined
  server.tell = (resource) => resource
  server.tokens.add('token-1')
})

afterAll(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const answers: readonly (readonly [number, string, string])[] = [
  [403, 'userRateLimitExceeded', 'throttled'], [403, 'rateLimitExceeded', 'throttled'], [429, 'rateLimitExceeded', 'throttled'], [403, 'sharingRateLimitExceeded', 'throttled'],
  [403, 'storageQuotaExceeded', 'full'], [403, 'activeItemCreationLimitExceeded', 'full'], [403, 'numChildrenInNonRootLimitExceeded', 'full'],
  [403, 'dailyLimitExceeded', 'unavailable'], [403, 'downloadQuotaExceeded', 'unavailable'], [403, 'insufficientFilePermissions', 'denied'], [403, 'appNotAuthorizedToFile', 'denied'],
  [403, 'insufficientPermissions', 'credentials'], [403, 'accessNotConfigured', 'denied'], [403, 'domainPolicy', 'denied'], [403, 'cannotDownloadAbusiveFile', 'denied'],
  [403, 'somethingNew', 'denied'], [401, 'authError', 'credentials'], [500, 'backendError', 'unavailable'], [502, 'x', 'unavailable'], [503, 'backendError', 'unavailable'],
  [400, 'badRequest', 'unsupported'], [413, 'uploadTooLarge', 'full'], [408, 'x', 'unavailable'],
]

test.each(answers)('%i %s means %s, to a put, a list and a get', async (status, reason, wanted) => {
  await backend.put('known', bytesOf('x'), {}, never)
  const refuse = { type: 'refuse', status, reason, message: 'Google\'s own words' } as const
  server.breakNext(isUpload, refuse, 9)
  expect(await codeOf(backend.put('new', bytesOf('x'), {}, never))).toBe(wanted)
  server.breakNext(any, refuse, 9)
  expect(await codeOf(names(backend, ''))).toBe(wanted)
  server.breakNext(isMedia, refuse, 9)
  const failure = await backend.get('known', 'all', never).catch((error: unknown) => error)
  // Whoever renews the token has words of its own.
  expect(failure).toMatchObject({ code: wanted, ...(status === 401 ? {} : { cause: { message: 'Google\'s own words' } }) })
})

test('throttling without JSON is throttling; Retry-After is passed on, as seconds or a date', async () => {
  server.breakNext(any, { type: 'refuse', status: 429, text: 'Too Many Requests', headers: { 'retry-after': '7' } })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 7000 } })
  server.breakNext(any, { type: 'refuse', status: 403, reason: 'userRateLimitExceeded' })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'throttled', data: { reason: 'userRateLimitExceeded' } })
  server.breakNext(any, { type: 'refuse', status: 503, text: '<!doctype html><p>busy', headers: { 'content-type': 'text/html', 'retry-after': '2' } })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'unavailable' })
})

test('a token that has expired is renewed once, and the request goes out again; one that stays refused is told', async () => {
  const asked: string[] = []
  let token = 'token-1'
  const credentials: CredentialSource = {
    current: async () => ({ accessToken: token }),
    renew: async ({ accessToken = '' }) => {
      asked.push(accessToken)
      token = 'token-2'
      return { accessToken: token }
    },
  }
  await using renewing = await open(credentials)
  await renewing.put('before', bytesOf('x'), {}, never)
  server.tokens.delete('token-1')
  server.tokens.add('token-2')
  const bytes = Buffer.alloc(3_000_000, 7)
  await renewing.put('after', { type: 'bytes', bytes }, {}, never)
  expect(Buffer.compare(await renewing.get('after', 'all', never), bytes)).toBe(0)
  // Several requests may be refused at once; whoever renews gives all of them the same.
  expect(new Set(asked)).toEqual(new Set(['token-1']))
  server.tokens.delete('token-2')
  const before = server.requests.length
  expect(await codeOf(renewing.stat('after', never))).toBe('credentials')
  expect(server.requests.length - before).toBe(2)
  await using nobody = await open(fixedCredentials({}))
  await expect(nobody.stat('x', never)).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining('signed in') as string })
})

test('no error and no label holds the token, or the address of a session', async () => {
  const secret = 'ya29.very-secret'
  server.tokens.add(secret)
  await using other = await open(fixedCredentials({ accessToken: secret }))
  const faults: GoogleFault[] = [{ type: 'refuse', status: 403, reason: 'x' }, { type: 'lose-reply' }, { type: 'say', body: 'nonsense' }, { type: 'refuse', status: 401, reason: 'authError' }]
  for (const fault of faults) {
    server.breakNext(any, fault, 9)
    const failure: unknown = await other.stat('x', never).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(HoldfastError)
    expect(JSON.stringify(toWireError(failure))).not.toContain('secret')
  }
  expect(other.label).toBe('gdrive:/Holdfast')
  expect(server.requests.some(({ url }) => url.includes('secret'))).toBe(false)
})

const broken: readonly (readonly [string, GoogleFault, (request: SeenRequest) => boolean])[] = [
  ['a put whose reply is lost', { type: 'lose-reply' }, isUpload],
  ['a put that breaks off', { type: 'cut-request', afterBytes: 200_000 }, isUpload],
  ['a get whose reply is cut', { type: 'cut-reply', afterBytes: 100_000 }, isMedia],
  ['a get answered by a captive portal', { type: 'say', body: '<html>Please log in</html>', contentType: 'text/html' }, isMedia],
  ['a put answered by a captive portal', { type: 'say', body: '<html>Please log in</html>', contentType: 'text/html' }, isUpload],
  ['a put answered by something else', { type: 'say', body: '{"id":5}' }, isUpload],
]

test.each(broken)('%s is an error that says so, and can be done again', async (what, fault, matches) => {
  const bytes = Buffer.alloc(1_000_000, 'r')
  await backend.put('big', { type: 'bytes', bytes }, {}, never)
  server.breakNext(matches, fault)
  const result = what.startsWith('a put') ? backend.put('big2', { type: 'bytes', bytes }, {}, never) : backend.get('big', { offset: 0, length: 500_000 }, never)
  expect(['offline', 'unavailable']).toContain(await codeOf(result))
  await backend.put('big2', { type: 'bytes', bytes }, {}, never)
  expect(Buffer.compare(await backend.get('big2', 'all', never), bytes)).toBe(0)
  expect(server.named('big2')).toHaveLength(1)
})

test('nothing is sent twice behind the caller\'s back', async () => {
  await backend.put('packs/aa/before', bytesOf('x'), { once: true }, never)
  const before = server.requests.length
  server.breakNext(isUpload, { type: 'refuse', status: 500, reason: 'backendError' })
  expect(await codeOf(backend.put('packs/aa/x', bytesOf('x'), { once: true }, never))).toBe('unavailable')
  expect(server.requests.length - before).toBe(1)
})

test('a server that never answers can be left at once', async () => {
  server.breakNext(any, { type: 'hang' })
  const started = performance.now()
  expect(await codeOf(backend.stat('x', AbortSignal.timeout(100)))).toBe('aborted')
  expect(performance.now() - started).toBeLessThan(1000)
})

test('what arrives otherwise than it was sent is told, and is gone', async () => {
  const damage: readonly ((resource: Record<string, unknown>) => Record<string, unknown>)[] = [
    (resource) => ({ ...resource, md5Checksum: '0'.repeat(32), sha256Checksum: undefined }), (resource) => ({ ...resource, sha256Checksum: '0'.repeat(64) }),
    (resource) => ({ ...resource, size: '3' }), ({ md5Checksum: _md5, sha256Checksum: _sha256, ...resource }) => resource,
  ]
  for (const tell of damage) {
    server.tell = tell
    expect(await codeOf(backend.put('odd', bytesOf('right'), { once: true }, never))).toBe('unavailable')
    server.tell = (resource) => resource
    expect(server.named('odd')).toEqual([])
  }
  server.tell = ({ sha256Checksum: _, ...resource }) => resource
  expect(await codeOf(backend.put('md5', bytesOf('right'), {}, never))).toBe('done')
})

test('the probe finds lists that show at once, and no exclusive creation', async () => {
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: false, listsAtOnce: true })
  expect(await names(backend, 'probe/')).toEqual([])
})

test('what the environment says of proxies and Google\'s other worlds changes nothing', async () => {
  Object.assign(process.env, { HTTPS_PROXY: 'not a proxy', GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'evil.example' })
  try {
    await using other = await open()
    expect(await codeOf(other.put('environment', bytesOf('x'), {}, never))).toBe('done')
  } finally {
    Reflect.deleteProperty(process.env, 'HTTPS_PROXY')
    Reflect.deleteProperty(process.env, 'GOOGLE_CLOUD_UNIVERSE_DOMAIN')
  }
})

test('retries wait as they are asked to, and end well', async () => {
  const waits: number[] = []
  const retrying = withRetry(backend, { clock: { ...systemClock, sleep: async (ms) => { waits.push(ms) } }, patienceMs: 60_000 })
  server.breakNext(isUpload, { type: 'refuse', status: 429, reason: 'rateLimitExceeded', headers: { 'retry-after': '3' } })
  await retrying.put('patient', bytesOf('x'), {}, never)
  expect(waits).toEqual([3000])
})
