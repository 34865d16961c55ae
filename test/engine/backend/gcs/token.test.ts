import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fixedCredentials, type Credentials } from '../../../../engine/backend/credentials.ts'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { TokenSource } from '../../../../engine/backend/gcs/token.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError, toWireError } from '../../../../engine/base/errors.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import { bytesOf, codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let server: GcsServer
let key: string

const isToken = ({ url }: { readonly url: string }): boolean => url === '/token'
const source = (credentials: Credentials, clock = systemClock): TokenSource => new TokenSource(fixedCredentials(credentials), server.origin, clock)
const open = (credentials: Credentials): Promise<StorageBackend> => openBackend(`gs://${server.bucket}`, { credentials: fixedCredentials(credentials), signal: never, service: server.origin })

beforeAll(async () => {
  server = await GcsServer.start()
  key = server.serviceAccount()
})
beforeEach(() => {
  server.choose = () => undefined
  server.tokensGiven = 0
})
afterAll(() => server[Symbol.asyncDispose]())

test('one token serves all who ask, until its hour ends', async () => {
  let nowMs = Date.now()
  using tokens = source({ serviceAccount: key }, { ...systemClock, now: () => nowMs })
  const all = await Promise.all(Array.from({ length: 10 }, () => tokens.current(never)))
  expect(new Set(all.map(({ accessToken }) => accessToken))).toEqual(new Set(['minted-1']))
  nowMs += 58 * 60_000
  expect(await tokens.current(never)).toEqual({ accessToken: 'minted-1' })
  nowMs += 60_000
  server.now = () => nowMs
  expect(await tokens.current(never)).toEqual({ accessToken: 'minted-2' })
  server.now = Date.now
})

test('a refused token is replaced once, however many were refused', async () => {
  using tokens = source({ serviceAccount: key })
  const refused = await tokens.current(never)
  const renewed = await Promise.all(Array.from({ length: 5 }, () => tokens.renew(refused, never)))
  expect(renewed).toEqual(Array.from({ length: 5 }, () => ({ accessToken: 'minted-2' })))
  expect(await tokens.current(never)).toEqual({ accessToken: 'minted-2' })
})

test('a signed-in account\'s token is taken as it is, and renewed where it came from', async () => {
  using tokens = new TokenSource({ current: async () => ({ accessToken: 'own' }), renew: async () => ({ accessToken: 'newer' }) }, server.origin, systemClock)
  expect(await tokens.current(never)).toEqual({ accessToken: 'own' })
  expect(await tokens.renew({ accessToken: 'own' }, never)).toEqual({ accessToken: 'newer' })
  expect(server.tokensGiven).toBe(0)
})

test('an expired token in the middle of work is no error', async () => {
  await using backend = await open({ serviceAccount: key })
  await backend.put('before', bytesOf('x'), {}, never)
  server.tokens.clear()
  await backend.put('after', bytesOf('x'), {}, never)
  expect((await backend.stat('after', never)).size).toBe(1)
  server.tokens.add('token-1')
})

test.each([
  ['', 'it is empty'],
  [' \n', 'it is empty'],
  ['{}', 'its JSON is not what'],
  ['[]', 'its JSON is not what'],
  ['not JSON', 'it is not the JSON'],
  ['/home/anna/key.json', 'it is not the JSON'],
  ['{"type":"authorized_user"}', 'a person\'s login'],
  ['{"type":"external_account"}', 'a federated login'],
  ['{"type":"impersonated_service_account"}', 'stands for a service account'],
  ['{"type":"service_account","client_email":"a@b"}', 'parts of it are missing'],
  ['{"installed":{"client_id":"x"}}', 'OAuth client'],
  ['{"type":"something secret"}', 'its JSON is not what'],
])('what is no key is told at once, and what it is: %j', async (text, words) => {
  const failing = open({ serviceAccount: text })
  await expect(failing).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining(`is not one: `) as string, data: { advice: expect.stringContaining('Make a key') as string } })
  await expect(failing).rejects.toThrow(words)
})

test('a damaged key, one that was deleted, and no key at all have their own words, which hold nothing of the key', async () => {
  const parsed = JSON.parse(key) as Record<string, string>
  const secret = (parsed['private_key'] ?? '').split('\n')[5] ?? 'none'
  const failures: unknown[] = []
  const failing = async (credentials: Credentials): Promise<unknown> => {
    const failure: unknown = await (async () => {
      await using backend = await open(credentials)
      return await backend.stat('x', never)
    })().catch((error: unknown) => error)
    failures.push(failure)
    return failure
  }
  expect(await failing({ serviceAccount: JSON.stringify({ ...parsed, private_key: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n` }) })).toMatchObject({ code: 'credentials', message: expect.stringContaining('damaged') as string })
  expect(await failing({})).toMatchObject({ code: 'credentials', message: expect.stringContaining('GOOGLE_APPLICATION_CREDENTIALS') as string })
  server.revokeKey()
  expect(await failing({ serviceAccount: key })).toMatchObject({ code: 'credentials', data: { reason: 'ServiceAccountRefused' }, cause: { message: expect.stringContaining('account not found') as string } })
  for (const failure of failures) {
    expect(failure).toBeInstanceOf(HoldfastError)
    expect(JSON.stringify(toWireError(failure))).not.toContain(secret)
  }
  key = server.serviceAccount()
})

test('a wrong clock is told: Google refuses the signature\'s time', async () => {
  using tokens = source({ serviceAccount: key }, { ...systemClock, now: () => Date.now() + 3600_000 })
  await expect(tokens.current(never)).rejects.toMatchObject({ code: 'credentials', data: { advice: expect.stringContaining('date and time') as string } })
})

test('the token\'s host is under the same limits: refusals, portals, silence', async () => {
  using tokens = source({ serviceAccount: key })
  server.breakNext(isToken, { type: 'refuse', status: 503, text: 'busy' })
  expect(await codeOf(tokens.current(never))).toBe('unavailable')
  server.breakNext(isToken, { type: 'refuse', status: 429, text: 'slow', headers: { 'retry-after': '4' } })
  await expect(tokens.current(never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 4000 } })
  server.breakNext(isToken, { type: 'say', body: '<html>Please log in</html>', contentType: 'text/html' })
  expect(await codeOf(tokens.current(never))).toBe('unavailable')
  server.breakNext(isToken, { type: 'say', body: 'x'.repeat(9_000_000) })
  expect(await codeOf(tokens.current(never))).toBe('unavailable')
  server.breakNext(isToken, { type: 'hang' })
  const started = performance.now()
  const waiting = [tokens.current(AbortSignal.timeout(5_000)), tokens.current(AbortSignal.timeout(100))]
  expect(await codeOf(Promise.race(waiting))).toBe('aborted')
  expect(performance.now() - started).toBeLessThan(1000)
  server.choose = () => undefined
  await Promise.allSettled(waiting)
})
