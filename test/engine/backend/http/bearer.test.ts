import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CredentialSource } from '../../../../engine/backend/credentials.ts'
import { BearerClient, jsonAnswer, type Send } from '../../../../engine/backend/http/bearer.ts'
import { readSmall } from '../../../../engine/backend/http/reply.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { object, string } from 'valibot'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let origin: string
let good: string | undefined
let seen: (string | undefined)[]
const server = createServer((request, reply) => {
  seen.push(request.headers.authorization)
  reply.writeHead(request.headers.authorization === `Bearer ${good}` ? 200 : 401).end('{}')
})

beforeAll(async () => {
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

beforeEach(() => { seen = [] })

afterAll(() => { server.close() })

function clientOf(credentials: Partial<CredentialSource>): BearerClient {
  const source = { current: async () => ({ accessToken: 'old' }), renew: async () => ({ accessToken: 'new' }), ...credentials }
  return new BearerClient({ credentials: source, connections: 2, clock: systemClock, service: 'Cloud' })
}

function ask(client: BearerClient): Promise<number> {
  return client.exchange('x', 'small', async (send: Send, watch) => {
    const reply = await send({ method: 'GET', url: `${origin}/a?b=c` })
    await readSmall(reply, watch)
    if (reply.status === 401) throw new HoldfastError('credentials', 'refused', { data: { status: 401 } })
    return reply.status
  }, never)
}

test('a refused token is renewed once, and the exchange repeated with the new one', async () => {
  good = 'new'
  let rejected: unknown
  using client = clientOf({ renew: async (old) => { rejected = old; return { accessToken: 'new' } } })
  expect(await ask(client)).toBe(200)
  expect(rejected).toEqual({ accessToken: 'old' })
  expect(seen).toEqual(['Bearer old', 'Bearer new'])
})

test('a new token that is refused too ends it', async () => {
  good = undefined
  using client = clientOf({})
  expect(await codeOf(ask(client))).toBe('credentials')
  expect(seen).toEqual(['Bearer old', 'Bearer new'])
})

test('what was refused for another reason is not repeated', async () => {
  good = 'old'
  using client = clientOf({})
  const refuse = client.exchange('x', 'small', () => Promise.reject(new HoldfastError('credentials', 'no scope', { data: { status: 403 } })), never)
  expect(await codeOf(refuse)).toBe('credentials')
  expect(seen).toEqual([])
})

test('without a token nothing is sent, and the words say what to do', async () => {
  using client = clientOf({ current: async () => ({}) })
  await expect(ask(client)).rejects.toMatchObject({ code: 'credentials', message: expect.stringContaining('Cloud') as string, data: { advice: 'Sign in to Cloud again.' } })
  expect(seen).toEqual([])
})

test('a bare request carries no token', async () => {
  using client = clientOf({})
  await client.exchange('x', 'small', async (send, watch) => readSmall(await send({ method: 'GET', url: origin }, 'bare'), watch), never)
  expect(seen).toEqual([undefined])
})

test('nobody there is offline; what is thrown otherwise is told as a strange answer', async () => {
  using client = clientOf({})
  const nobody = client.exchange('x', 'small', (send) => send({ method: 'GET', url: 'http://127.0.0.1:1' }), never)
  expect(await codeOf(nobody)).toBe('offline')
  expect(await codeOf(client.exchange('x', 'small', () => Promise.reject(new TypeError('odd')), never))).toBe('unavailable')
})

test.each([['{"a":"b"}', 'done'], ['{"a":1}', 'unavailable'], ['<html>', 'unavailable'], ['', 'unavailable']])('the answer %j: %s', async (text, code) => {
  expect(await codeOf((async () => jsonAnswer('x', object({ a: string() }), Buffer.from(text)))())).toBe(code)
})
