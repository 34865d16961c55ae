import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpClient, type HttpReply, type HttpRequest } from '../../../../engine/backend/http/client.ts'
import { standardLimits } from '../../../../engine/backend/http/limits.ts'
import { readObject, readSmall } from '../../../../engine/backend/http/reply.ts'
import { Responsiveness, Watch } from '../../../../engine/backend/http/watch.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const client = new HttpClient(4)
let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(listener: RequestListener): Promise<number> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function ask<T>(port: number, read: (reply: HttpReply, watch: Watch) => Promise<T>, more: Partial<HttpRequest> = {}, signal = never): Promise<T> {
  const limits = { ...standardLimits, smallReplyBytes: 100_000, refusalBytes: 1_000 }
  return Watch.run({ kind: 'small', clock: systemClock, limits, host: new Responsiveness() }, signal, async (watch) =>
    read(await client.send({ method: 'GET', protocol: 'http:', hostname: '127.0.0.1', port, path: '/x?y=1', headers: {}, ...more }, watch), watch))
}

describe('small replies', () => {
  test('come whole, with their headers', async () => {
    const port = await serve((request, reply) => { reply.writeHead(200, { 'x-path': request.url ?? '' }).end('hello') })
    expect(await ask(port, async (reply, watch) => [reply.status, reply.headers['x-path'], String(await readSmall(reply, watch))])).toEqual([200, '/x?y=1', 'hello'])
  })

  test.each([[200, 100_000, 'done'], [200, 100_001, 'unavailable'], [403, 1_000, 'done'], [403, 1_001, 'unavailable']])('with %i have at most so many bytes: %i is %s', async (status, bytes, wanted) => {
    const port = await serve((_request, reply) => { reply.writeHead(status).end(Buffer.alloc(bytes)) })
    expect(await codeOf(ask(port, readSmall))).toBe(wanted)
  })

  test('are never unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(10_000_000))
    const port = await serve((_request, reply) => { reply.writeHead(200, { 'content-encoding': 'gzip' }).end(packed) })
    expect(Buffer.compare(await ask(port, readSmall), packed)).toBe(0)
  })
})

test('a redirect is no more than a reply: nobody else is asked', async () => {
  let asked = 0
  const other = createServer((_request, reply) => { asked++; reply.end() }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const port = await serve((_request, reply) => { reply.writeHead(307, { location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/` }).end() })
  expect(await ask(port, async (reply) => reply.status, { headers: { authorization: 'secret' } })).toBe(307)
  expect(asked).toBe(0)
  other.close()
})

test('an answer that is announced again and again ends', async () => {
  const port = await serve((request) => {
    for (let count = 0; count < 100; count++) request.socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')
  })
  expect(await codeOf(ask(port, readSmall))).toBe('unavailable')
})

test('headers without an end are cut', async () => {
  const port = await serve((request) => { request.socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`) })
  await expect(ask(port, readSmall)).rejects.toMatchObject({ code: 'HPE_HEADER_OVERFLOW' })
})

test('a refusal that comes before the body is out is the answer, and the rest is not sent', async () => {
  const port = await serve((_request, reply) => { reply.writeHead(403).end('no') })
  let read = 0
  const body = Readable.from((function* () { for (; read < 1000; read++) yield Buffer.alloc(1_000_000) })(), { objectMode: false })
  const status = await ask(port, async (reply, watch) => {
    await readSmall(reply, watch)
    return reply.status
  }, { method: 'PUT', body, headers: { 'content-length': '1000000000' } })
  expect(status).toBe(403)
  expect(read).toBeLessThan(100)
})

test('bytes that leave are told to the watch in slices of 16 KiB', async () => {
  const port = await serve((request, reply) => { request.resume().on('end', () => reply.end()) })
  const moved: number[] = []
  await ask(port, async (reply, watch) => readSmall(reply, watch), {
    method: 'PUT', headers: { 'content-length': '100000' },
    body: Readable.from([Buffer.alloc(100_000)], { objectMode: false }).on('close', () => undefined),
  })
  await Watch.run({ kind: 'object', clock: systemClock, limits: standardLimits, host: new Responsiveness() }, never, async (watch) => {
    const told = watch.moved.bind(watch)
    watch.moved = (bytes) => { moved.push(bytes); told(bytes) }
    await readSmall(await client.send({ method: 'PUT', protocol: 'http:', hostname: '127.0.0.1', port, path: '/', headers: { 'content-length': '100000' }, body: Buffer.alloc(100_000) }, watch), watch)
  })
  expect(Math.max(...moved)).toBe(16 * 1024)
  expect(moved.reduce((sum, bytes) => sum + bytes, 0)).toBe(100_000)
})

test('an abort ends a request that is never answered at once', async () => {
  const port = await serve(() => undefined)
  const startedMs = performance.now()
  expect(await codeOf(ask(port, readSmall, {}, AbortSignal.timeout(50)))).toBe('aborted')
  expect(performance.now() - startedMs).toBeLessThan(1_000)
})

describe('objects', () => {
  const whole = Buffer.from('0123456789')
  const read = async (headers: Record<string, string>, body: Buffer, range: { offset: number; length: number } | 'all'): Promise<string> => {
    const port = await serve((_request, reply) => { reply.writeHead(206, headers).end(body) })
    const bytes = await ask(port, (reply, watch) => {
      const length = reply.headers['content-length']
      return readObject('x', range, { length: length === undefined ? undefined : Number(length), range: reply.headers['content-range'] }, reply.body, watch, undefined)
    })
    return Buffer.from(bytes).toString()
  }

  test('a part is the part that was asked for', async () => {
    expect(await read({ 'content-range': 'bytes 2-4/10', 'content-length': '3' }, whole.subarray(2, 5), { offset: 2, length: 3 })).toBe('234')
  })

  test.each([
    ['another part', { 'content-range': 'bytes 3-5/10', 'content-length': '3' }, whole.subarray(3, 6), 'unavailable'],
    ['fewer bytes', { 'content-range': 'bytes 2-3/4', 'content-length': '2' }, whole.subarray(2, 4), 'damaged'],
    ['more bytes', { 'content-range': 'bytes 2-5/10', 'content-length': '4' }, whole.subarray(2, 6), 'unavailable'],
    ['the whole object', { 'content-length': '10' }, whole, 'unsupported'],
    ['no length', { 'content-range': 'bytes 2-4/10', 'transfer-encoding': 'chunked' }, whole.subarray(2, 5), 'unavailable'],
  ])('%s instead is refused', async (_what, headers, body, wanted) => {
    expect(await codeOf(read(headers, body, { offset: 2, length: 3 }))).toBe(wanted)
  })

  test('a whole object of petabytes takes no memory', async () => {
    const port = await serve((_request, reply) => { reply.writeHead(200, { 'content-length': String(2 ** 50) }).write('x') })
    expect(await codeOf(ask(port, (reply, watch) => readObject('x', 'all', { length: Number(reply.headers['content-length']), range: undefined }, reply.body, watch, undefined)))).toBe('damaged')
  })
})
