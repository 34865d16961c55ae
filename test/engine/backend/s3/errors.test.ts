import { PutObjectCommand } from '@aws-sdk/client-s3'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { s3Error } from '../../../../engine/backend/s3/errors.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { FaultProxy, type HttpFault } from '../../../faults/proxy.ts'
import { freshBucket, type S3Bucket } from '../../../servers/s3.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let bucket: S3Bucket
let proxy: FaultProxy
let backend: StorageBackend

const open = (endpoint: string, secrets: Record<string, string> = { ...bucket.secrets }, name = bucket.bucket): Promise<StorageBackend> =>
  openBackend(`s3://${name}/p?endpoint=${encodeURIComponent(endpoint)}`, { credentials: fixedCredentials(secrets), signal: never })

beforeAll(async () => {
  bucket = await freshBucket()
  proxy = await FaultProxy.start(bucket.endpoint)
  backend = await open(proxy.endpoint)
})

afterAll(async () => {
  await backend[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  bucket.client.destroy()
})

const answers: readonly (readonly [string, number, string, string])[] = [
  ['503 without a name', 503, 'ServiceUnavailable', 'unavailable'], ['503 SlowDown', 503, 'SlowDown', 'throttled'], ['429', 429, 'TooManyRequests', 'throttled'],
  ['500', 500, 'InternalError', 'unavailable'], ['501', 501, 'NotImplemented', 'unsupported'], ['403', 403, 'AccessDenied', 'denied'],
  ['wrong key', 403, 'InvalidAccessKeyId', 'credentials'], ['expired token', 400, 'ExpiredToken', 'credentials'], ['quota', 403, 'QuotaExceeded', 'full'],
  ['full', 507, 'InsufficientStorage', 'full'], ['digest', 400, 'BadDigest', 'unavailable'], ['region', 301, 'PermanentRedirect', 'arguments'],
  ['no bucket', 404, 'NoSuchBucket', 'arguments'], ['Wasabi throttling', 400, 'RequestRateLimitExceeded', 'throttled'],
]

test.each(answers)('%s (%i %s) means %s', async (_what, status, code, wanted) => {
  proxy.breakNext(() => true, { type: 'answer', status, code })
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe(wanted)
  proxy.breakNext(() => true, { type: 'answer', status, code })
  expect(await codeOf(names(backend, 'n/'))).toBe(wanted)
})

test('a wrong clock is put right by the storage\'s; if that does not help, the error says so', async () => {
  const answer = { type: 'answer', status: 403, code: 'RequestTimeTooSkewed' } as const
  proxy.breakNext(() => true, answer)
  expect(await codeOf(backend.put('clock', bytesOf('x'), {}, never))).toBe('done')
  proxy.breakNext(() => true, answer, 2)
  await expect(backend.put('clock', bytesOf('x'), {}, never)).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('clock') as string })
})

test.each([['ECONNRESET', 'offline'], ['ENOTFOUND', 'offline'], ['EAI_AGAIN', 'offline'], ['ETIMEDOUT', 'offline'], ['ENETUNREACH', 'offline'], ['EPIPE', 'offline'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'denied'], ['CERT_HAS_EXPIRED', 'denied'], ['HPE_INVALID_CONSTANT', 'unavailable'], ['ODD', 'unavailable']])('%s means %s', (code, wanted) => {
  expect(s3Error(Object.assign(new Error('x'), { code }), 'x').code).toBe(wanted)
})

test('Retry-After is passed on, as seconds', async () => {
  proxy.breakNext(() => true, { type: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } })
  await expect(backend.stat('x', never)).rejects.toMatchObject({ data: { retryAfterMs: 7000 } })
  proxy.breakNext(() => true, { type: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } })
  await expect(backend.put('x', bytesOf('x'), {}, never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 7000 } })
})

test('nobody there is offline; a server that never answers can be left at once', async () => {
  const closed = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => { resolve(port) })
    })
  })
  await using gone = await open(`http://127.0.0.1:${closed}`)
  expect(await codeOf(gone.stat('x', never))).toBe('offline')
  await using unnamed = await open('http://holdfast.invalid')
  expect(await codeOf(unnamed.stat('x', never))).toBe('offline')
  proxy.breakNext(() => true, { type: 'hang' })
  const started = performance.now()
  expect(await codeOf(backend.stat('x', AbortSignal.timeout(100)))).toBe('aborted')
  expect(performance.now() - started).toBeLessThan(1000)
})

const broken: readonly (readonly [string, HttpFault, 'put' | 'get', readonly string[]])[] = [
  ['a put whose reply is lost', { type: 'lose-reply' }, 'put', ['offline', 'unavailable']],
  ['a put that breaks off', { type: 'cut-request', afterBytes: 200_000 }, 'put', ['offline', 'unavailable']],
  ['a get whose reply is cut', { type: 'cut-reply', afterBytes: 100_000 }, 'get', ['offline', 'unavailable']],
  ['a get answered by a captive portal', { type: 'portal' }, 'get', ['unavailable', 'damaged', 'unsupported']],
]

test.each(broken)('%s is an error that says so', async (_what, fault, operation, codes) => {
  const bytes = Buffer.alloc(1_000_000, 'r')
  await backend.put('big', { type: 'bytes', bytes }, {}, never)
  proxy.breakNext((one) => one.method === operation.toUpperCase(), fault)
  const result = operation === 'put' ? backend.put('big2', { type: 'bytes', bytes }, {}, never) : backend.get('big', { offset: 0, length: 500_000 }, never)
  expect(codes).toContain(await codeOf(result))
  expect(Buffer.compare(await backend.get('big', 'all', never), bytes)).toBe(0)
})

test('a list answered by a captive portal is an error, not an empty list', async () => {
  proxy.breakNext(() => true, { type: 'portal' })
  expect(await codeOf(names(backend, ''))).toBe('unavailable')
})

test('a conditional put that meets 409 is asked again until it is decided', async () => {
  proxy.breakNext((one) => one.method === 'PUT', { type: 'answer', status: 409, code: 'ConditionalRequestConflict' }, 2)
  const before = proxy.requests.length
  await backend.put('cas', bytesOf('mine'), { ifAbsent: true }, never)
  expect(proxy.requests.length - before).toBe(3)
  expect(await codeOf(backend.put('cas', bytesOf('other'), { ifAbsent: true }, never))).toBe('exists')
})

test('nothing is sent twice behind the caller\'s back', async () => {
  const before = proxy.requests.length
  proxy.breakNext(() => true, { type: 'answer', status: 500, code: 'InternalError' })
  await codeOf(backend.put('packs/aa/x', bytesOf('x'), { once: true }, never))
  expect(proxy.requests.length - before).toBe(1)
})

test('a creation whose reply was lost is found to be one\'s own', async () => {
  const retrying = withRetry(backend, { clock: { ...systemClock, sleep: async () => undefined }, patienceMs: 10_000 })
  proxy.breakNext((one) => one.method === 'PUT', { type: 'lose-reply' })
  await retrying.put('own', bytesOf('mine'), { ifAbsent: true }, never)
  expect(await codeOf(retrying.put('own', bytesOf('mine'), { ifAbsent: true }, never))).toBe('exists')
})

test('the probe believes what it sees: exclusive creation here, none where the header is ignored or refused', async () => {
  proxy.choose = () => undefined
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: true, listsAtOnce: true })
  proxy.choose = (one) => (one.headers['if-none-match'] ? { type: 'answer', status: 501, code: 'NotImplemented' } : undefined)
  expect(await probeBackend(backend, never)).toEqual({ exclusiveCreate: false, listsAtOnce: true })
  // RGW refuses a signed header that is missing, so a server of its own stands for one that ignores it.
  proxy.choose = () => undefined
  const ignoring: StorageBackend = {
    label: backend.label, traits: backend.traits,
    put: (name, body, _options, signal) => backend.put(name, body, {}, signal),
    get: (...all) => backend.get(...all), stat: (...all) => backend.stat(...all), list: (...all) => backend.list(...all), remove: (...all) => backend.remove(...all),
    async [Symbol.asyncDispose]() { /* the real one is disposed of elsewhere */ },
  }
  expect(await probeBackend(ignoring, never)).toEqual({ exclusiveCreate: false, listsAtOnce: true })
  expect(await names(backend, 'probe/')).toEqual([])
})

test('wrong credentials, missing credentials and a missing bucket have their own words', async () => {
  await using wrong = await open(bucket.endpoint, { accessKeyId: 'NOBODY', secretAccessKey: 'nothing' })
  expect(await codeOf(wrong.put('x', bytesOf('x'), {}, never))).toBe('credentials')
  expect(await codeOf(wrong.stat('x', never))).toBe('credentials')
  await using forged = await open(bucket.endpoint, { ...bucket.secrets, secretAccessKey: 'nothing' })
  const failure = await forged.put('x', bytesOf('x'), {}, never).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(HoldfastError)
  expect(failure).toMatchObject({ code: 'credentials', message: expect.not.stringContaining('nothing') as string })
  expect(await codeOf(open(bucket.endpoint, {}))).toBe('credentials')
  await using nowhere = await open(bucket.endpoint, undefined, 'no-such-bucket-here')
  await expect(nowhere.put('x', bytesOf('x'), {}, never)).rejects.toMatchObject({ code: 'arguments', data: { reason: 'NoSuchBucket' } })
})

test('keys of strangers in the bucket are passed over', async () => {
  for (const key of ['p/Upper', 'p/a b', 'p/../x', 'p/.hidden', 'p//double', 'other', 'p/odd/fine']) {
    await bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: 'x' }))
  }
  expect(await names(backend, 'odd/')).toEqual(['odd/fine'])
  const all = await names(backend, '')
  expect(all).toContain('odd/fine')
  expect(all.every((name) => /^[a-z0-9/-]+$/.test(name))).toBe(true)
})
