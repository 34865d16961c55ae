import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BoxServer } from './box.ts'

let server: BoxServer

beforeEach(async () => { server = await BoxServer.start() })
afterEach(() => server[Symbol.asyncDispose]())

interface Reply { readonly status: number; readonly text: string; readonly json: Record<string, unknown>; readonly headers: Headers }

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, token = 'token-1'): Promise<Reply> {
  const isText = body === undefined || Buffer.isBuffer(body) || typeof body === 'string'
  const reply = await fetch(server.origin + path, {
    method, redirect: 'manual', headers: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...(isText ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, text, json: text.startsWith('{') ? JSON.parse(text) as Record<string, unknown> : {}, headers: reply.headers }
}

const sha1 = (text: Buffer | string, form: 'hex' | 'base64' = 'hex'): string => createHash('sha1').update(text).digest(form)
const form = (attributes: unknown, text: string): string =>
  `--b\r\ncontent-disposition: form-data; name="attributes"\r\n\r\n${JSON.stringify(attributes)}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n${text}\r\n--b--\r\n`
const formType = { 'content-type': 'multipart/form-data; boundary=b' }
const upload = (name: string, text: string, headers: Record<string, string> = {}): Promise<Reply> =>
  ask('POST', '/api/2.0/files/content', form({ name, parent: { id: '0' } }, text), { ...formType, ...headers })
const idOf = ({ json }: Reply): string => String((json['entries'] as { id: string }[] | undefined)?.[0]?.id ?? json['id'])

test('a name is unique in its folder, whatever its case; whoever has it is told', async () => {
  const id = idOf(await upload('A', 'x'))
  const taken = { status: 409, json: { code: 'item_name_in_use', context_info: { conflicts: { type: 'file', id, sha1: sha1('x') } } } }
  expect(await upload('a', 'y')).toMatchObject(taken)
  expect(await ask('OPTIONS', '/2.0/files/content', { name: 'a', parent: { id: '0' } })).toMatchObject(taken)
  expect(await ask('POST', '/2.0/folders', { name: 'a', parent: { id: '0' } })).toMatchObject({ status: 409, json: { context_info: { conflicts: [{ id }] } } })
  expect((await ask('OPTIONS', '/2.0/files/content', { name: 'b', parent: { id: '0' } })).status).toBe(200)
  expect((await ask('DELETE', `/2.0/files/${id}`)).status).toBe(204)
  expect(await ask('GET', `/2.0/files/${id}`)).toMatchObject({ status: 404, json: { code: 'trashed' } })
  expect((await upload('a', 'y')).status).toBe(201)
})

test('of two uploads of a name at once one is told that it is reserved or in use', async () => {
  const replies = await Promise.all([upload('x', '1'), upload('x', '2')])
  expect(replies.map(({ status }) => status).sort()).toEqual([201, 409])
  expect(['name_temporarily_reserved', 'item_name_in_use']).toContain(replies.find(({ status }) => status === 409)?.json['code'])
})

test('what is no upload is refused', async () => {
  const swapped = form({}, 'x').replace('name="attributes"', 'name="other"')
  expect((await ask('POST', '/api/2.0/files/content', swapped, formType)).json['code']).toBe('metadata_after_file_contents')
  expect((await upload('x', 'x', { 'content-md5': sha1('y') })).json['code']).toBe('bad_digest')
  expect((await upload('x ', 'x')).json['code']).toBe('item_name_invalid')
  expect((await ask('POST', '/api/2.0/files/content', form({ name: 'x', parent: { id: '99' } }, 'x'), formType)).status).toBe(404)
  server.quotaBytes = 0
  expect(await upload('x', 'x')).toMatchObject({ status: 403, json: { code: 'storage_limit_exceeded' } })
  server.uploadsLeft = 0
  expect((await upload('x', 'x')).headers.get('retry-after')).toBe('1')
  expect(server.items.size).toBe(1)
})

test('a new version keeps the id', async () => {
  const id = idOf(await upload('x', 'old'))
  expect(idOf(await ask('POST', `/api/2.0/files/${id}/content`, form({ name: 'x' }, 'new'), formType))).toBe(id)
  expect(server.fileAt('x')?.bytes.toString()).toBe('new')
})

test('bytes lie at an address of their own, where no token goes', async () => {
  const id = idOf(await upload('x', 'abcdef'))
  const { status, headers } = await ask('GET', `/2.0/files/${id}/content`)
  const at = (headers.get('location') ?? '').slice(server.origin.length)
  expect(status).toBe(302)
  expect(await ask('GET', at, undefined, { range: 'bytes=1-2' }, '')).toMatchObject({ status: 206, text: 'bc' })
  expect((await ask('GET', at)).status).toBe(400)
})

test('lists go in pages by marker', async () => {
  for (const name of ['a', 'b', 'c']) await upload(name, name)
  await ask('POST', '/2.0/folders', { name: 'd', parent: { id: '0' } })
  server.pageSize = 3
  const first = await ask('GET', '/2.0/folders/0/items?usemarker=true&limit=1000')
  const second = await ask('GET', `/2.0/folders/0/items?usemarker=true&limit=1000&marker=${String(first.json['next_marker'])}`)
  const names = [first, second].flatMap(({ json }) => (json['entries'] as { name: string }[]).map(({ name }) => name))
  expect(names).toEqual(['d', 'a', 'b', 'c'])
  expect(second.json['next_marker']).toBe('')
  expect((await ask('GET', '/2.0/folders/0/items?usemarker=true&limit=1001')).status).toBe(400)
  expect((await ask('GET', '/2.0/folders/7/items?usemarker=true')).status).toBe(404)
})

const size = 20_000_010
const bytes = Buffer.alloc(size, 'x')
const begin = async (): Promise<string> => idOf(await ask('POST', '/api/2.0/files/upload_sessions', { folder_id: '0', file_name: 'big', file_size: size }))
const put = (id: string, offset: number, part: Buffer, digest = sha1(part, 'base64')): Promise<Reply> => ask('PUT', `/api/2.0/files/upload_sessions/${id}`, part, {
  'content-type': 'application/octet-stream', digest: `sha=${digest}`, 'content-range': `bytes ${offset}-${offset + part.length - 1}/${size}`,
})
const commit = (id: string, parts: unknown, digest = sha1(bytes, 'base64')): Promise<Reply> => ask('POST', `/api/2.0/files/upload_sessions/${id}/commit`, { parts }, { digest: `sha=${digest}` })

test('a session takes parts of its own size, each once, in any order', async () => {
  server.partBytes = 10_000_000
  const id = await begin()
  const part = bytes.subarray(0, 10_000_000)
  expect((await put(id, 5, part)).json['code']).toBe('invalid_content_range')
  expect((await put(id, 0, part.subarray(1))).json['code']).toBe('invalid_content_range')
  expect((await put(id, 0, part, sha1('x', 'base64'))).json['code']).toBe('bad_digest')
  expect((await put(id, 10_000_000, part)).json).toMatchObject({ part: { offset: 10_000_000, size: 10_000_000, sha1: sha1(part) } })
  expect((await put(id, 10_000_000, part)).json['code']).toBe('range_overlaps_existing_range')
  expect((await put(id, 20_000_000, bytes.subarray(0, 10))).status).toBe(200)
  expect((await put(id, 0, part)).status).toBe(200)
  const { json } = await ask('GET', `/api/2.0/files/upload_sessions/${id}/parts?offset=1&limit=1`)
  expect(json).toMatchObject({ entries: [{ offset: 10_000_000 }], total_count: 3 })
  const { json: { entries: parts } } = await ask('GET', `/api/2.0/files/upload_sessions/${id}/parts`)
  expect((await commit(id, [...parts as unknown[]].reverse())).json['code']).toBe('parts_mismatch')
  expect((await commit(id, parts, sha1('x', 'base64'))).json['code']).toBe('bad_digest')
  server.slowCommits = 1
  expect((await commit(id, parts)).status).toBe(202)
  expect((await commit(id, parts)).status).toBe(201)
  expect((await commit(id, parts)).status).toBe(404)
  expect(server.fileAt('big')?.bytes.length).toBe(size)
})

test('no session for little, nor for a name that is taken, at its begin and at its end', async () => {
  server.partBytes = size
  expect((await ask('POST', '/api/2.0/files/upload_sessions', { folder_id: '0', file_name: 'big', file_size: 19_999_999 })).json['code']).toBe('file_size_too_small')
  const id = await begin()
  const { part } = (await put(id, 0, bytes)).json
  await upload('BIG', 'x')
  expect((await commit(id, [part])).json['code']).toBe('item_name_in_use')
  expect((await ask('POST', '/api/2.0/files/upload_sessions', { folder_id: '0', file_name: 'big', file_size: size })).json['code']).toBe('item_name_in_use')
  expect((await ask('DELETE', `/api/2.0/files/upload_sessions/${id}`)).status).toBe(204)
  expect((await put(id, 0, bytes)).status).toBe(404)
})

test('tokens that are not good are refused without a word; others are given for a refresh token', async () => {
  expect(await ask('GET', '/2.0/files/1', undefined, {}, 'no')).toMatchObject({ status: 401, text: '' })
  const { json } = await ask('POST', '/oauth2/token', 'grant_type=refresh_token&refresh_token=r', {}, '')
  expect((await ask('GET', '/2.0/files/1', undefined, {}, String(json['access_token']))).status).toBe(404)
})
