import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { DropboxServer, hashOf } from './dropbox.ts'

let server: DropboxServer

beforeAll(async () => { server = await DropboxServer.start() })
beforeEach(() => {
  server.files.clear()
  server.quotaBytes = Infinity
  server.pageSize = 500
  server.lockMs = undefined
})
afterAll(() => server[Symbol.asyncDispose]())

interface Reply { readonly status: number; readonly text: string; readonly json: Record<string, unknown>; readonly headers: Headers }

async function post(path: string, headers: Record<string, string>, body: BodyInit | null, token = 'token-1'): Promise<Reply> {
  const reply = await fetch(server.origin + path, { method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers }, body })
  const text = await reply.text()
  return { status: reply.status, text, json: text.startsWith('{') ? JSON.parse(text) as Record<string, unknown> : {}, headers: reply.headers }
}

const rpc = (route: string, arg: unknown, token?: string): Promise<Reply> => post(`/2/files/${route}`, { 'content-type': 'application/json' }, JSON.stringify(arg), token)
const content = (route: string, arg: unknown, body = '', headers: Record<string, string> = {}): Promise<Reply> =>
  post(`/2/files/${route}`, { 'content-type': 'application/octet-stream', 'dropbox-api-arg': JSON.stringify(arg), ...headers }, body)
const add = { mode: 'add', strict_conflict: true }
const begin = async (body: string, close = false): Promise<string> => String((await content('upload_session/start', { close }, body)).json['session_id'])

test('content_hash is the published example\'s shape: of nothing it is SHA-256 of nothing', () => {
  expect(hashOf(Buffer.alloc(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('names are compared without case; add refuses, strictly also for the same bytes; overwrite replaces', async () => {
  expect(await content('upload', { path: '/A/B', ...add }, 'x')).toMatchObject({ status: 200, json: { path_lower: '/a/b', path_display: '/A/B', size: 1, content_hash: hashOf(Buffer.from('x')) } })
  expect(await content('upload', { path: '/a/b', ...add }, 'x')).toMatchObject({ status: 409, json: { error_summary: 'path/conflict/file/..', error: { '.tag': 'path', reason: { '.tag': 'conflict', conflict: { '.tag': 'file' } } } } })
  expect((await content('upload', { path: '/a/b', mode: 'add' }, 'x')).status).toBe(200)
  expect((await content('upload', { path: '/a/b', mode: { '.tag': 'overwrite' } }, 'new')).status).toBe(200)
  expect((await content('download', { path: '/a/b' })).text).toBe('new')
  expect((await content('upload', { path: '/a', mode: 'overwrite' }, 'x')).json['error_summary']).toBe('path/conflict/folder/..')
  expect((await content('upload', { path: '/a/b/c', mode: 'overwrite' }, 'x')).json['error_summary']).toBe('path/conflict/file_ancestor/..')
})

test('bad arguments are 400 in plain text', async () => {
  for (const reply of [
    await rpc('list_folder', { path: '/' }), await rpc('list_folder', { path: '', nonsense: 1 }), await content('upload', { mode: 'add' }), await rpc('nonsense', {}),
    await post('/2/files/upload', { 'content-type': 'text/plain', 'dropbox-api-arg': '{}' }, 'x'), await post('/2/files/get_metadata', { 'content-type': 'text/plain' }, '{}'),
    await post('/2/files/get_metadata', { 'content-type': 'application/json' }, '{'),
  ]) expect(reply).toMatchObject({ status: 400, json: {} })
})

test('bytes that are not those of their hash are refused, and nothing is stored', async () => {
  expect((await content('upload', { path: '/x', content_hash: 'beef' }, 'x')).json['error_summary']).toBe('content_hash_mismatch/..')
  const session_id = await begin('x')
  expect((await content('upload_session/append_v2', { cursor: { session_id, offset: 1 }, content_hash: 'beef' }, 'y')).json['error_summary']).toBe('content_hash_mismatch/..')
  expect([server.files.size, server.sessions.get(session_id)?.size]).toEqual([0, 1])
})

test('a session takes bytes at its own offset, until it is closed; it is finished once', async () => {
  const session_id = await begin('abc')
  const append = (offset: number, body: string, close = false): Promise<Reply> => content('upload_session/append_v2', { cursor: { session_id, offset }, close }, body)
  expect((await append(1, 'x')).json).toMatchObject({ error: { '.tag': 'incorrect_offset', correct_offset: 3 } })
  expect((await append(3, 'def', true)).status).toBe(200)
  expect((await append(6, 'x')).json).toMatchObject({ error: { '.tag': 'closed' } })
  const finish = (offset: number): Promise<Reply> => content('upload_session/finish', { cursor: { session_id, offset }, commit: { path: '/f', ...add } })
  expect((await finish(5)).json).toMatchObject({ error: { lookup_failed: { '.tag': 'incorrect_offset', correct_offset: 6 } } })
  expect((await finish(6)).json).toMatchObject({ size: 6 })
  expect((await finish(6)).json).toMatchObject({ error: { lookup_failed: { '.tag': 'not_found' } } })
  expect((await content('upload_session/append_v2', { cursor: { session_id: 'none', offset: 0 } })).json).toMatchObject({ error: { '.tag': 'not_found' } })
})

test('a batch finishes closed sessions, each for itself', async () => {
  const ids = [await begin('a', true), await begin('b'), 'none']
  const { json } = await rpc('upload_session/finish_batch_v2', { entries: ids.map((session_id) => ({ cursor: { session_id, offset: 1 }, commit: { path: `/${session_id}`, ...add } })) })
  expect(json).toMatchObject({ entries: [{ '.tag': 'success', size: 1 }, { failure: { lookup_failed: { '.tag': 'not_closed' } } }, { failure: { lookup_failed: { '.tag': 'not_found' } } }] })
})

test('a full Dropbox and a busy one', async () => {
  server.quotaBytes = 2
  expect((await content('upload', { path: '/x', ...add }, 'xyz')).json['error_summary']).toBe('path/insufficient_space/..')
  server.lockMs = 20
  const replies = await Promise.all([1, 2].map((index) => content('upload', { path: `/${index}`, ...add }, 'x')))
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 429])
  expect(replies.find(({ status }) => status === 429)).toMatchObject({ json: { error: { reason: { '.tag': 'too_many_write_operations' } } } })
})

test('lists go in pages, whose cursors can become void', async () => {
  for (const path of ['/r/a/1', '/r/a/2', '/r/b', '/q']) await content('upload', { path, ...add }, path)
  server.pageSize = 2
  const first = await rpc('list_folder', { path: '/R', recursive: true })
  expect(first.json).toMatchObject({ has_more: true })
  const second = await rpc('list_folder/continue', { cursor: first.json['cursor'] })
  const third = await rpc('list_folder/continue', { cursor: second.json['cursor'] })
  expect(third.json['has_more']).toBe(false)
  const paths = [first, second, third].flatMap(({ json }) => (json['entries'] as { path_lower: string }[]).map(({ path_lower }) => path_lower))
  expect(paths.sort()).toEqual(['/r', '/r/a', '/r/a/1', '/r/a/2', '/r/b'])
  server.invalidateCursors()
  expect((await rpc('list_folder/continue', { cursor: second.json['cursor'] })).json).toMatchObject({ error: { '.tag': 'reset' } })
  expect((await rpc('list_folder', { path: '/none' })).json['error_summary']).toBe('path/not_found/..')
})

test('ranges, and removal of the very revision', async () => {
  const { json } = await content('upload', { path: '/x', ...add }, 'abcdef')
  expect(await content('download', { path: '/x' }, '', { range: 'bytes=1-2' })).toMatchObject({ status: 206, text: 'bc' })
  expect((await content('download', { path: '/x' }, '', { range: 'bytes=6-7' })).status).toBe(416)
  expect((await rpc('delete_v2', { path: '/x', parent_rev: 'other' })).json['error_summary']).toBe('path_write/conflict/file/..')
  expect((await rpc('delete_v2', { path: '/x', parent_rev: json['rev'] })).status).toBe(200)
  expect((await rpc('delete_v2', { path: '/x' })).json['error_summary']).toBe('path_lookup/not_found/..')
})

test('tokens expire, and others are given for a refresh token', async () => {
  server.expired.add('token-0')
  expect((await rpc('get_metadata', { path: '/x' }, 'token-0')).json).toMatchObject({ error: { '.tag': 'expired_access_token' } })
  expect((await rpc('get_metadata', { path: '/x' }, 'no')).json).toMatchObject({ error: { '.tag': 'invalid_access_token' } })
  const { json } = await post('/oauth2/token?grant_type=refresh_token&refresh_token=r', {}, null)
  expect(json).toMatchObject({ token_type: 'bearer', expires_in: 14_400 })
  expect((await rpc('get_metadata', { path: '/x' }, String(json['access_token']))).status).toBe(409)
})
