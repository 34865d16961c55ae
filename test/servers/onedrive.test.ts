import { afterEach, beforeEach, expect, test } from 'vitest'
import { OneDriveServer, quickXor } from './onedrive.ts'

let server: OneDriveServer

beforeEach(async () => { server = await OneDriveServer.start() })
afterEach(() => server[Symbol.asyncDispose]())

interface Reply { readonly status: number; readonly text: string; readonly json: Record<string, unknown>; readonly headers: Headers }

const root = '/v1.0/me/drive/special/approot'
const step = 320 * 1024

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, token = 'token-1'): Promise<Reply> {
  const isText = body === undefined || Buffer.isBuffer(body) || typeof body === 'string'
  const reply = await fetch(path.startsWith('http') ? path : server.origin + path, {
    method, redirect: 'manual', headers: { ...(token === '' ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
  })
  const text = await reply.text()
  return { status: reply.status, text, json: text.startsWith('{') ? JSON.parse(text) as Record<string, unknown> : {}, headers: reply.headers }
}

const upload = (path: string, text: string, conflict = 'fail'): Promise<Reply> => ask('PUT', `${root}:/${path}:/content?@microsoft.graph.conflictBehavior=${conflict}`, text)
const code = ({ status, json }: Reply): unknown => [status, (json['error'] as { code?: string } | undefined)?.code]
const begin = async (path: string, conflict = 'fail'): Promise<string> =>
  String((await ask('POST', `${root}:/${path}:/createUploadSession`, { item: { '@microsoft.graph.conflictBehavior': conflict } })).json['uploadUrl'])
const range = (url: string, bytes: Buffer, first: number, total: number, token = ''): Promise<Reply> =>
  ask('PUT', url, bytes, { 'content-range': `bytes ${first}-${first + bytes.length - 1}/${total}` }, token)

test('a name is unique in its folder, whatever its case; replacing keeps the item', async () => {
  const first = await upload('Some/A', 'x')
  expect(first).toMatchObject({ status: 201, json: { name: 'A', size: 1, file: { hashes: { quickXorHash: quickXor(Buffer.from('x')) } } } })
  expect(code(await upload('some/a', 'y'))).toEqual([409, 'nameAlreadyExists'])
  expect(await upload('some/a', 'yy', 'replace')).toMatchObject({ status: 200, json: { id: first.json['id'], size: 2 } })
  expect(code(await upload('some', 'y', 'replace'))).toEqual([409, 'nameAlreadyExists'])
  expect(code(await ask('POST', `${root}/children`, { name: 'SOME', folder: {}, '@microsoft.graph.conflictBehavior': 'fail' }))).toEqual([409, 'nameAlreadyExists'])
  expect((await ask('POST', `${root}/children`, { name: 'other', folder: {}, '@microsoft.graph.conflictBehavior': 'fail' })).status).toBe(201)
  server.implicitFolders = false
  expect(code(await upload('no/a', 'y'))).toEqual([404, 'itemNotFound'])
})

test('a token that has ended is refused, names that cannot be are, and so is what is too much', async () => {
  expect(code(await ask('GET', root, undefined, {}, 'token-0'))).toEqual([401, 'InvalidAuthenticationToken'])
  expect(code(await upload('a%3Ab', 'x'))).toEqual([400, 'invalidRequest'])
  expect(code(await upload('a.', 'x'))).toEqual([400, 'invalidRequest'])
  server.quotaBytes = 2
  expect(code(await upload('a', 'xxx'))).toEqual([507, 'quotaLimitReached'])
  server.requestsLeft = 0
  const slower = await ask('GET', root)
  expect([code(slower), slower.headers.get('retry-after')]).toEqual([[429, 'activityLimitReached'], '1'])
})

test('a list has pages, and links that lead on', async () => {
  for (const name of ['a', 'b', 'c']) await upload(`f/${name}`, name)
  server.pageSize = 2
  const first = await ask('GET', `${root}:/f:/children?$top=1000`)
  const next = await ask('GET', String(first.json['@odata.nextLink']))
  const names = [first, next].flatMap(({ json }) => (json['value'] as { name: string }[]).map(({ name }) => name))
  expect(names).toEqual(['c', 'b', 'a'])
  expect(next.json['@odata.nextLink']).toBeUndefined()
  expect(code(await ask('GET', `${root}:/g:/children`))).toEqual([404, 'itemNotFound'])
})

test('a download is another address without a token, for a time; a range is a range', async () => {
  await upload('x', '0123456789')
  const found = await ask('GET', `${root}:/x:/content`)
  const location = found.headers.get('location') ?? ''
  expect(found.status).toBe(302)
  expect(await ask('GET', location, undefined, { range: 'bytes=2-4' }, '')).toMatchObject({ status: 206, text: '234' })
  expect((await ask('GET', location, undefined, { range: 'bytes=10-' }, '')).status).toBe(416)
  expect((await ask('GET', location)).status).toBe(401)
  server.expireDownloads()
  expect((await ask('GET', location, undefined, {}, '')).status).toBe(404)
})

test('ranges come in order, in steps of 320 KiB, without a token; the last makes the file', async () => {
  const bytes = Buffer.alloc(step * 2 + 5, 'ab')
  const url = await begin('s/x')
  const part = (from: number, to: number): Buffer => bytes.subarray(from, to)
  expect((await range(url, part(0, step), 0, bytes.length, 'token-1')).status).toBe(401)
  expect(code(await range(url, part(step, 2 * step), step, bytes.length))).toEqual([400, 'invalidRange'])
  expect(code(await range(url, part(0, 1000), 0, bytes.length))).toEqual([400, 'invalidRequest'])
  expect(await range(url, part(0, step), 0, bytes.length)).toMatchObject({ status: 202, json: { nextExpectedRanges: [`${step}-${bytes.length - 1}`] } })
  expect(code(await range(url, part(0, step), 0, bytes.length))).toEqual([416, 'invalidRange'])
  expect(code(await range(url, part(step, 2 * step), step, bytes.length + 1))).toEqual([400, 'invalidRequest'])
  expect((await ask('GET', url, undefined, {}, '')).json['nextExpectedRanges']).toEqual([`${step}-${bytes.length - 1}`])
  expect(server.fileAt('s/x')).toBeUndefined()
  expect(await range(url, part(step, bytes.length), step, bytes.length)).toMatchObject({ status: 201, json: { size: bytes.length } })
  expect(server.fileAt('s/x')?.bytes.equals(bytes)).toBe(true)
  expect(code(await ask('GET', url, undefined, {}, ''))).toEqual([404, 'itemNotFound'])
})

test('a name that was taken meanwhile is told at the last range, and the session stays until it is ended', async () => {
  const url = await begin('x')
  expect(code(await ask('POST', `${root}:/x:/createUploadSession`, {}))).toEqual([200, undefined])
  await upload('x', 'first')
  expect(code(await range(url, Buffer.from('second'), 0, 6))).toEqual([409, 'nameAlreadyExists'])
  expect((await ask('GET', url, undefined, {}, '')).json['nextExpectedRanges']).toEqual([])
  expect((await ask('DELETE', url, undefined, {}, '')).status).toBe(204)
  expect((await ask('GET', url, undefined, {}, '')).status).toBe(404)
  expect(code(await ask('POST', `${root}:/x:/createUploadSession`, {}))).toEqual([409, 'nameAlreadyExists'])
  const other = await begin('x', 'replace')
  server.expireSessions()
  expect(code(await range(other, Buffer.from('second'), 0, 6))).toEqual([404, 'itemNotFound'])
})

test('what is removed is gone with all that is in it', async () => {
  const { json } = await upload('a/b', 'x')
  const folder = await ask('GET', `${root}:/a:`)
  expect(folder.json['folder']).toBeDefined()
  expect((await ask('DELETE', `/v1.0/me/drive/items/${encodeURIComponent(String(folder.json['id']))}`)).status).toBe(204)
  expect(code(await ask('DELETE', `/v1.0/me/drive/items/${encodeURIComponent(String(json['id']))}`))).toEqual([404, 'itemNotFound'])
})
