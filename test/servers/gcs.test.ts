import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GcsServer } from './gcs.ts'

let server: GcsServer

beforeAll(async () => { server = await GcsServer.start() })
afterAll(() => server[Symbol.asyncDispose]())

const auth = { authorization: 'Bearer token-1' }
const step = 256 * 1024

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.origin}${path}`, { redirect: 'manual', ...init, headers: { ...auth, ...init.headers } })
}

function upload(metadata: object, content: string, query = ''): Promise<Response> {
  const body = `--b\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--b\r\ncontent-type: text/plain\r\n\r\n${content}\r\n--b--\r\n`
  return ask(`/upload/storage/v1/b/${server.bucket}/o?uploadType=multipart${query}`, { method: 'POST', headers: { 'content-type': 'multipart/related; boundary=b' }, body })
}

const objects = `/storage/v1/b/holdfast-test/o`

test('an object is made where there is none, and only where its checksums are right', async () => {
  expect((await upload({ name: 'a/b' }, 'first', '&ifGenerationMatch=0')).status).toBe(200)
  const again = await upload({ name: 'a/b' }, 'second', '&ifGenerationMatch=0')
  expect([again.status, await again.json()]).toMatchObject([412, { error: { errors: [{ reason: 'conditionNotMet' }] } }])
  expect((await upload({ name: 'sum', md5Hash: createHash('md5').update('other').digest('base64') }, 'content')).status).toBe(400)
  expect((await upload({ name: 'sum', crc32c: 'AAAAAA==' }, 'content')).status).toBe(400)
  expect(server.objects.has('sum')).toBe(false)
  const read = await ask(`${objects}/a%2Fb?alt=media`, { headers: { range: 'bytes=1-2' } })
  expect([read.status, await read.text()]).toEqual([206, 'ir'])
  expect(read.headers.get('x-goog-hash')).toMatch(/^crc32c=.*,md5=/)
})

test('a condition of a resumable upload is looked at when it ends', async () => {
  await server.add('taken', Buffer.from('x'))
  const begun = await ask(`/upload/storage/v1/b/${server.bucket}/o?uploadType=resumable&ifGenerationMatch=0`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"taken"}' })
  expect(begun.status).toBe(200)
  const at = String(begun.headers.get('location')).slice(server.origin.length)
  const first = await ask(at, { method: 'PUT', headers: { 'content-range': `bytes 0-${step - 1}/${step + 1}` }, body: Buffer.alloc(step) })
  expect(first.status).toBe(308)
  expect((await ask(at, { method: 'PUT', headers: { 'content-range': `bytes ${step}-${step}/${step + 1}` }, body: 'x' })).status).toBe(412)
  server.sessions.expire()
  expect((await ask(at, { method: 'PUT', headers: { 'content-range': 'bytes */1', 'content-length': '0' } })).status).toBe(410)
})

test('lists ascend, in pages, and an empty one has no items', async () => {
  for (const name of ['l/b', 'l/a', 'l/c', 'm']) await server.add(name, Buffer.from('x'))
  const first = (await (await ask(`${objects}?prefix=l%2F&maxResults=2&fields=items(name),nextPageToken`)).json()) as Record<string, unknown>
  expect(first['items']).toEqual([{ name: 'l/a' }, { name: 'l/b' }])
  const second: unknown = await (await ask(`${objects}?prefix=l%2F&maxResults=2&fields=items(name),nextPageToken&pageToken=${String(first['nextPageToken'])}`)).json()
  expect(second).toEqual({ items: [{ name: 'l/c' }] })
  expect(await (await ask(`${objects}?prefix=none%2F&fields=items(name),nextPageToken`)).json()).toEqual({})
})

test('what the retention policy keeps can be neither replaced nor deleted; what is deleted is kept softly', async () => {
  await server.add('kept', Buffer.from('x'))
  server.retentionMs = 60_000
  for (const reply of [await upload({ name: 'kept' }, 'y'), await ask(`${objects}/kept`, { method: 'DELETE' })]) {
    expect([reply.status, (await reply.json()) as unknown]).toMatchObject([403, { error: { errors: [{ reason: 'retentionPolicyNotMet' }] } }])
  }
  server.retentionMs = 0
  expect((await ask(`${objects}/kept`, { method: 'DELETE' })).status).toBe(204)
  expect(server.softDeleted).toContain('kept')
  expect((await ask(`${objects}/kept`, { method: 'DELETE' })).status).toBe(404)
})

test('an object takes one write a second where that is limited; another bucket is not there', async () => {
  server.limitsWrites = true
  expect((await upload({ name: 'hot' }, 'a')).status).toBe(200)
  expect((await upload({ name: 'hot' }, 'b')).status).toBe(429)
  server.limitsWrites = false
  const elsewhere = await ask('/storage/v1/b/other/o')
  expect([elsewhere.status, await elsewhere.json()]).toMatchObject([404, { error: { message: 'The specified bucket does not exist.' } }])
})

test('a token is given for the signature of a known key, and for nothing else', async () => {
  const post = (assertion: string): Promise<Response> => fetch(`${server.origin}/token`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
  })
  server.serviceAccount()
  const claims = Buffer.from(JSON.stringify({ iss: 'backup@project.iam.gserviceaccount.com' })).toString('base64url')
  const forged = await post(`e30.${claims}.AAAA`)
  expect([forged.status, await forged.json()]).toEqual([400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }])
  const unknown = await post(`e30.${Buffer.from('{"iss":"x@y"}').toString('base64url')}.AAAA`)
  expect(await unknown.json()).toMatchObject({ error: 'invalid_grant' })
})
