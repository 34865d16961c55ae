import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import type { GoogleFault, SeenRequest } from '../../../servers/google.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const any = (): boolean => true
const isUpload = ({ url }: SeenRequest): boolean => url.startsWith('/upload/')
const isMedia = ({ url }: SeenRequest): boolean => url.includes('alt=media')
let server: GcsServer
let backend: StorageBackend

const open = (bucket = server.bucket): Promise<StorageBackend> =>
  openBackend(`gs://${bucket}/p`, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })

beforeAll(async () => {
  server = await GcsServer.start()
  backend = await open()
})

beforeEach(() => {
  server.choose = () => undefined
  server.tell = (resource) => resource
})

afterAll(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const answers: readonly (readonly [number, string, string])[] = [
  [429, 'rateLimitExceeded', 'throttled'], [403, 'rateLimitExceeded', 'throttled'], [503, 'backendError', 'unavailable'], [500, 'internalError', 'unavailable'],
  [403, 'forbidden', 'denied'], [403, 'insufficientPermissions', 'denied'], [403, 'retentionPolicyNotMet', 'denied'], [403, 'objectUnderActiveHold', 'denied'],
  [403, 'accountDisabled', 'denied'], [403, 'quotaExceeded', 'full'], [400, 'userProjectMissing', 'denied'], [400, 'invalid', 'unavailable'], [401, 'authError', 'credentials'],
  [403, 'accessNotConfigured', 'denied'], [400, 'required', 'unsupported'], [507, 'x', 'full'],
]

test.each(answers)('%i %s means %s, to a put, a list and a get', async (status, reason, wanted) => {
  await backend.put('known', bytesOf('x'), {}, never)
  const refuse = { type: 'refuse', status, reason, message: 'Google\'s own words' } as const
  server.breakNext(isUpload, refuse, 9)
  expect(await codeOf(backend.put('new', bytesOf('x'), {}, never))).toBe(wanted)
  server.breakNext(any, refuse, 9)
  expect(await codeOf(names(backend, ''))).toBe(wanted)
  server.breakNext(isMedia, refuse, 9)
  expect(await codeOf(backend.get('known', 'all', never))).toBe(wanted)
})

const broken: readonly (readonly [string, GoogleFault, (request: SeenRequest) => boolean])[] = [
  ['a put whose reply is lost', { type: 'lose-reply' }, isUpload],
  ['a put that breaks off', { type: 'cut-request', afterBytes: 200_000 }, isUpload],
  ['a get whose reply is cut', { type: 'cut-reply', afterBytes: 100_000 }, isMedia],
  ['a get answered by a captive portal', { type: 'say', body: '<html>Please log in</html>', contentType: 'text/html' }, isMedia],
  ['a put answered by something else', { type: 'say', body: '[]' }, isUpload],
  ['a put refused without JSON', { type: 'refuse', status: 503, text: 'Service Unavailable' }, isUpload],
]

test.each(broken)('%s is an error that says so', async (what, fault, matches) => {
  const bytes = Buffer.alloc(1_000_000, 'r')
  await backend.put('big', { type: 'bytes', bytes }, {}, never)
  server.breakNext(matches, fault)
  const result = what.startsWith('a put') ? backend.put('big2', { type: 'bytes', bytes }, {}, never) : backend.get('big', { offset: 0, length: 500_000 }, never)
  expect(['offline', 'unavailable']).toContain(await codeOf(result))
  expect(Buffer.compare(await backend.get('big', 'all', never), bytes)).toBe(0)
})

test('a bucket that is not there is told apart from an object that is not', async () => {
  await using nowhere = await open('no-such-bucket')
  for (const result of [() => nowhere.get('config', 'all', never), () => nowhere.stat('config', never), () => names(nowhere, ''), () => nowhere.put('x', bytesOf('x'), {}, never), () => nowhere.remove('x', never)]) {
    await expect(result()).rejects.toMatchObject({ code: 'arguments', data: { reason: 'NoSuchBucket' } })
  }
  await using fresh = await open()
  expect(await codeOf(fresh.stat('config', never))).toBe('not-found')
  const before = server.requests.length
  expect(await codeOf(fresh.stat('config', never))).toBe('not-found')
  expect(server.requests.length - before).toBe(1)
})

test('the retention policy of the bucket is told in words', async () => {
  await backend.put('kept', bytesOf('x'), {}, never)
  server.retentionMs = 60_000
  await expect(backend.remove('kept', never)).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('retention policy') as string })
  await expect(backend.put('kept', bytesOf('y'), {}, never)).rejects.toMatchObject({ code: 'denied', data: { reason: 'retentionPolicyNotMet' } })
  server.retentionMs = 0
})

test('a second write of an object within a second is throttled where the service says so', async () => {
  server.limitsWrites = true
  await backend.put('hot', bytesOf('x'), {}, never)
  expect(await codeOf(backend.put('hot', bytesOf('y'), {}, never))).toBe('throttled')
  server.limitsWrites = false
})

test('what arrives otherwise than it was sent is told, and is gone', async () => {
  const damage: readonly ((resource: Record<string, unknown>) => Record<string, unknown>)[] = [
    (resource) => ({ ...resource, md5Hash: 'AAAA' }), (resource) => ({ ...resource, crc32c: 'AAAAAA==' }), (resource) => ({ ...resource, size: '3' }), ({ md5Hash: _md5, crc32c: _crc, ...resource }) => resource,
  ]
  for (const tell of damage) {
    server.tell = tell
    expect(await codeOf(backend.put('odd', bytesOf('right'), {}, never))).toBe('unavailable')
    server.tell = (resource) => resource
    expect(server.objects.has('p/odd')).toBe(false)
  }
  server.tell = ({ md5Hash: _, ...resource }) => resource
  expect(await codeOf(backend.put('composed', bytesOf('right'), {}, never))).toBe('done')
})

test('bytes that change on the way are refused by the service itself', async () => {
  const bytes = Buffer.alloc(100_000, 'right')
  // Its checksums are made when the first byte asks for leave.
  const pace = (): undefined => void bytes.fill('wrong')
  expect(await codeOf(backend.put('changed', { type: 'bytes', bytes }, { pace }, never))).toBe('unavailable')
  expect(server.objects.has('p/changed')).toBe(false)
  // It never was there, rather than being removed again.
  expect(server.softDeleted).not.toContain('p/changed')
})

test('nothing is sent twice behind the caller\'s back', async () => {
  const before = server.requests.length
  server.breakNext(any, { type: 'refuse', status: 503, reason: 'backendError' })
  expect(await codeOf(backend.put('packs/aa/x', bytesOf('x'), { once: true }, never))).toBe('unavailable')
  expect(server.requests.length - before).toBe(1)
})

test('a creation whose reply was lost is found to be one\'s own', async () => {
  const retrying = withRetry(backend, { clock: { ...systemClock, sleep: async () => undefined }, patienceMs: 10_000 })
  server.breakNext(isUpload, { type: 'lose-reply' })
  await retrying.put('own', bytesOf('mine'), { ifAbsent: true }, never)
  expect(await codeOf(retrying.put('own', bytesOf('mine'), { ifAbsent: true }, never))).toBe('exists')
})

test('the probe sees exclusive creation, and none where the condition is ignored', async () => {
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: true, listsAtOnce: true })
  const ignoring: StorageBackend = {
    label: backend.label, traits: backend.traits, put: (name, body, _options, signal) => backend.put(name, body, {}, signal),
    get: (...all) => backend.get(...all), stat: (...all) => backend.stat(...all), list: (...all) => backend.list(...all), remove: (...all) => backend.remove(...all),
    async [Symbol.asyncDispose]() { /* the real one is disposed of elsewhere */ },
  }
  expect((await probeBackend(ignoring, never)).exclusiveCreate).toBe(false)
  expect(await names(backend, 'probe/')).toEqual([])
})

test('objects of strangers in the bucket are passed over', async () => {
  for (const name of ['p/Upper', 'p/a b', 'p/.hidden', 'p//double', 'other', 'p/folder/', 'p/é', 'p/odd/fine']) await server.add(name, Buffer.from('x'))
  expect(await names(backend, 'odd/')).toEqual(['odd/fine'])
  expect((await names(backend, '')).every((name) => /^[a-z0-9/-]+$/.test(name))).toBe(true)
})
