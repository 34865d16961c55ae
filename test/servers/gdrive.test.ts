import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DriveServer } from './gdrive.ts'

let server: DriveServer

beforeAll(async () => { server = await DriveServer.start() })
afterAll(() => server[Symbol.asyncDispose]())

const auth = { authorization: 'Bearer token-1' }
const json = { ...auth, 'content-type': 'application/json' }
const step = 256 * 1024

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.origin}${path}`, { redirect: 'manual', ...init, headers: { ...auth, ...init.headers } })
}

async function answer(path: string, init?: RequestInit): Promise<Record<string, unknown>> {
  return (await (await ask(path, init)).json()) as Record<string, unknown>
}

async function newId(): Promise<string> {
  return String(((await answer('/drive/v3/files/generateIds?count=1'))['ids'] as string[])[0])
}

async function create(metadata: object): Promise<Response> {
  return ask('/drive/v3/files', { method: 'POST', headers: json, body: JSON.stringify({ id: await newId(), ...metadata }) })
}

async function found(q: string, more = ''): Promise<string[]> {
  const files = (await answer(`/drive/v3/files?q=${encodeURIComponent(q)}&fields=files(name)${more}`))['files'] as { name: string }[]
  return files.map(({ name }) => name).sort()
}

test('without a good token there is nothing', async () => {
  const reply = await ask('/drive/v3/files?q=x', { headers: { authorization: 'Bearer other' } })
  expect(reply.status).toBe(401)
  expect(await reply.json()).toMatchObject({ error: { code: 401, errors: [{ reason: 'authError' }] } })
})

test('names may be there twice; an id is used once, and only one that was given out', async () => {
  expect([(await create({ name: 'twin' })).status, (await create({ name: 'twin' })).status]).toEqual([200, 200])
  const id = await newId()
  expect((await create({ id, name: 'one' })).status).toBe(200)
  const again = await create({ id, name: 'two' })
  expect(again.status).toBe(409)
  expect(await again.json()).toMatchObject({ error: { errors: [{ reason: 'fileIdInUse' }] } })
  expect((await create({ id: 'madeUp', name: 'x' })).status).toBe(400)
  expect((await create({ name: 'x', parents: ['nowhere'] })).status).toBe(404)
})

test('a query by name lags behind, one by parent does not; what is in the bin is in neither', async () => {
  await create({ name: 'lagging' })
  expect(await found(`name = 'lagging'`)).toEqual([])
  expect(await found(`'root' in parents and trashed = false`)).toContain('lagging')
  server.index()
  expect(await found(`name = 'lagging'`)).toEqual(['lagging'])
  const folder = server.add('bin', undefined)
  server.add('within', Buffer.from('x'), folder.id)
  folder.trashed = true
  expect(await found(`'${folder.id}' in parents and trashed = false`)).toEqual([])
  expect((await ask(`/drive/v3/files?q=${encodeURIComponent('name contains "x"')}`)).status).toBe(400)
  expect((await ask(`/drive/v3/files?q=${encodeURIComponent(`'nowhere' in parents`)}`)).status).toBe(404)
})

test('lists come in pages that belong to their query, and tell only the fields that were asked for', async () => {
  const folder = server.add('pages', undefined)
  for (let index = 0; index < 5; index++) server.add(`${index}`, Buffer.from('x'), folder.id)
  const q = encodeURIComponent(`'${folder.id}' in parents`)
  const names: string[] = []
  let token: string | undefined
  for (let pages = 1; pages <= 3; pages++) {
    const page: Record<string, unknown> = await answer(`/drive/v3/files?q=${q}&pageSize=2&fields=nextPageToken,files(name)${token === undefined ? '' : `&pageToken=${token}`}`)
    for (const file of page['files'] as object[]) expect(Object.keys(file)).toEqual(['name'])
    names.push(...(page['files'] as { name: string }[]).map(({ name }) => name))
    token = page['nextPageToken'] as string | undefined
  }
  expect(token).toBeUndefined()
  expect(names.sort()).toEqual(['0', '1', '2', '3', '4'])
  expect((await ask(`/drive/v3/files?q=x&pageToken=nonsense`)).status).toBe(400)
})

test('bytes come whole, in parts, and not past their end', async () => {
  const { id } = server.add('bytes', Buffer.from('0123456789'))
  expect(await (await ask(`/drive/v3/files/${id}?alt=media`)).text()).toBe('0123456789')
  const part = await ask(`/drive/v3/files/${id}?alt=media`, { headers: { range: 'bytes=8-20' } })
  expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 8-9/10', '89'])
  expect((await ask(`/drive/v3/files/${id}?alt=media`, { headers: { range: 'bytes=10-11' } })).status).toBe(416)
  expect((await ask(`/drive/v3/files/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await ask(`/drive/v3/files/${id}`)).status).toBe(404)
})

describe('a resumable upload', () => {
  async function begin(size: number): Promise<string> {
    const reply = await ask('/upload/drive/v3/files?uploadType=resumable&fields=id,size,md5Checksum', {
      method: 'POST', headers: { ...json, 'x-upload-content-length': String(size) }, body: JSON.stringify({ id: await newId(), name: 'resumed' }),
    })
    return String(reply.headers.get('location')).slice(server.origin.length)
  }
  const send = (at: string, range: string, bytes = Buffer.alloc(0)): Promise<Response> => ask(at, { method: 'PUT', headers: { 'content-range': range, 'content-length': String(bytes.length) }, body: bytes })

  test('tells what it has kept, and takes what goes on there', async () => {
    const at = await begin(step + 10)
    const nothing = await send(at, `bytes */${step + 10}`)
    expect([nothing.status, nothing.headers.get('range')]).toEqual([308, null])
    const first = await send(at, `bytes 0-${step - 1}/${step + 10}`, Buffer.alloc(step, 1))
    expect([first.status, first.headers.get('range')]).toEqual([308, `bytes=0-${step - 1}`])
    expect((await send(at, `bytes 0-${step - 1}/${step + 10}`, Buffer.alloc(step, 1))).status).toBe(400)
    expect(server.named('resumed')).toEqual([])
    const last = await send(at, `bytes ${step}-${step + 9}/${step + 10}`, Buffer.alloc(10, 2))
    expect(last.status).toBe(200)
    expect(await last.json()).toMatchObject({ size: String(step + 10) })
    expect((await send(at, `bytes */${step + 10}`)).status).toBe(200)
    expect(server.named('resumed')).toHaveLength(1)
  })

  test('refuses chunks that are no multiple of 256 KiB, and another size than was announced', async () => {
    const at = await begin(step)
    expect((await send(at, `bytes 0-999/${step}`, Buffer.alloc(1000))).status).toBe(400)
    expect((await send(at, `bytes 0-999/1000`, Buffer.alloc(1000))).status).toBe(400)
  })

  test('keeps of a chunk what it wants, and is gone after its week, or when it was ended', async () => {
    const at = await begin(4 * step)
    server.sessions.mostKept = 2 * step
    const partly = await send(at, `bytes 0-${4 * step - 1}/${4 * step}`, Buffer.alloc(4 * step))
    server.sessions.mostKept = Infinity
    expect([partly.status, partly.headers.get('range')]).toEqual([308, `bytes=0-${2 * step - 1}`])
    expect((await ask(at, { method: 'DELETE' })).status).toBe(499)
    expect((await send(at, `bytes */${4 * step}`)).status).toBe(404)
    const old = await begin(step)
    server.sessions.now = () => Date.now() + 8 * 24 * 3600_000
    expect((await send(old, `bytes */${step}`)).status).toBe(404)
    server.sessions.now = Date.now
  })
})

test('faults: refusals in both shapes, lost replies, cut replies', async () => {
  const any = (): boolean => true
  server.breakNext(any, { type: 'refuse', status: 429, reason: 'rateLimitExceeded', headers: { 'retry-after': '3' } })
  const shaped = await ask('/drive/v3/files?q=x')
  expect([shaped.status, shaped.headers.get('retry-after'), await shaped.json()]).toMatchObject([429, '3', { error: { errors: [{ reason: 'rateLimitExceeded' }] } }])
  server.breakNext(any, { type: 'refuse', status: 429, text: 'Too Many Requests' })
  expect(await (await ask('/drive/v3/files?q=x')).text()).toBe('Too Many Requests')
  server.breakNext(any, { type: 'lose-reply' })
  await expect(create({ name: 'lost' })).rejects.toThrow()
  server.breakNext(({ method }) => method === 'POST', { type: 'lose-reply' })
  await expect(create({ name: 'lost' })).rejects.toThrow()
  expect(server.named('lost')).toHaveLength(1)
})
