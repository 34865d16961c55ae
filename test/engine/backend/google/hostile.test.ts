import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import type { GoogleFault, GoogleService } from '../../../servers/google.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

/** What answers in Google's place and is not it, or lies. */
const never = new AbortController().signal
const json = (body: unknown): GoogleFault => ({ type: 'say', body: JSON.stringify(body) })

const services = [
  ['Drive', () => DriveServer.start(), 'gdrive:/Holdfast', 'drive#fileList'] as const,
  ['Cloud Storage', () => GcsServer.start(), 'gs://holdfast-test', 'storage#objects'] as const,
]

describe.each(services)('%s', (_name, start, address, kind) => {
  let server: GoogleService
  let backend: StorageBackend

  beforeEach(async () => {
    server = await start()
    backend = await openBackend(address, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
    await backend.put('known/x', bytesOf('0123456789'), {}, never)
  })
  afterEach(async () => {
    await backend[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const lies: readonly (readonly [string, GoogleFault])[] = [
    ['a login page', { type: 'say', body: '<html>', contentType: 'text/html; charset=utf-8' }], ['nothing', { type: 'say', body: '' }], ['half a document', { type: 'say', body: '{"items":[{"na' }],
    ['another shape', json({ items: [{ name: 5, size: {} }], files: [{ id: 5 }] })], ['a list of nothing', json([])], ['an object of nothing', json({})], ['a redirect', { type: 'refuse', status: 302, text: '', headers: { location: 'https://evil.example/' } }],
    ['a listing without an end', { type: 'say', body: ' '.repeat(9_000_000) }], ['a refusal without an end', { type: 'refuse', status: 404, text: 'x'.repeat(300_000) }],
  ]

  test.each(lies)('%s for a list, a put and a get is told, and taken for nothing else', async (_what, lie) => {
    server.choose = () => lie
    for (const work of [() => names(backend, 'known/'), () => backend.put('known/y', bytesOf('y'), {}, never), () => backend.stat('known/x', never)]) {
      expect(await codeOf(work())).toBe('unavailable')
    }
    // A get has nothing but its length to be judged by.
    expect(['unavailable', 'unsupported', 'damaged']).toContain(await codeOf(backend.get('known/x', { offset: 1, length: 4 }, never)))
  })

  test('a list whose pages have no end comes to one', async () => {
    let pages = 0
    server.choose = () => json({ kind, files: [], items: [], nextPageToken: `${++pages}` })
    expect(await codeOf(names(backend, 'known/'))).toBe('unsupported')
    expect(pages).toBeLessThan(500)
    server.choose = () => json({ kind, files: [], items: [], nextPageToken: 'same' })
    expect(await codeOf(names(backend, 'known/'))).toBe('unsupported')
  })

  test('more or less of an object than was asked for is not taken', async () => {
    const answers: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
      ['0123', { 'content-range': 'bytes 0-3/10' }, 'unavailable'], ['123456', { 'content-range': 'bytes 1-6/10' }, 'unavailable'], ['12', { 'content-range': 'bytes 1-2/3' }, 'damaged'], ['0123456789', {}, 'unsupported'],
    ]
    for (const [body, headers, wanted] of answers) {
      server.choose = ({ url }) => (url.includes('alt=media') ? { type: 'say', body, contentType: 'application/octet-stream', headers } : undefined)
      expect(await codeOf(backend.get('known/x', { offset: 1, length: 4 }, never)), body).toBe(wanted)
    }
  })

  test('what comes in chunks is read whole and in parts, and not taken when it breaks off', async () => {
    server.inChunks = true
    expect(Buffer.from(await backend.get('known/x', 'all', never)).toString()).toBe('0123456789')
    expect(Buffer.from(await backend.get('known/x', { offset: 2, length: 3 }, never)).toString()).toBe('234')
    expect(await codeOf(backend.get('known/x', { offset: 8, length: 3 }, never))).toBe('damaged')
    server.choose = ({ url }) => (url.includes('alt=media') ? { type: 'cut-reply', afterBytes: 4 } : undefined)
    for (const range of ['all', { offset: 2, length: 7 }] as const) expect(['offline', 'unavailable']).toContain(await codeOf(backend.get('known/x', range, never)))
  })

  test('hidden and endless words of a refusal are shown short', async () => {
    server.choose = () => ({ type: 'refuse', status: 403, reason: 'odd\u202ereason', message: `\u001b[31mred${'x'.repeat(5000)}` })
    const failure = await backend.stat('known/x', never).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'denied', data: { reason: 'Unknown' } })
    const { message } = (failure as Error).cause as Error
    expect(message.length).toBeLessThan(400)
    expect(message).not.toContain('\u001b')
  })
})

test('Drive: files of other folders, ids that are none, and a search that is not whole are refused', async () => {
  await using server = await DriveServer.start()
  await using backend = await openBackend('gdrive:/Holdfast', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
  await backend.put('known/x', bytesOf('x'), {}, never)
  const [folder] = server.named('Holdfast')
  const listing = (files: readonly object[], more: object = {}): GoogleFault => json({ kind: 'drive#fileList', files, ...more })
  const inFolder = ({ url }: { readonly url: string }): boolean => url.includes(folder?.id ?? 'none')
  server.choose = (request) => (inFolder(request) ? listing([{ id: 'abc', name: 'x', size: '1', parents: ['elsewhere'] }]) : undefined)
  expect(await codeOf(names(backend, ''))).toBe('unsupported')
  server.choose = (request) => (inFolder(request) ? listing([{ id: `' or trashed = true`, name: 'x', size: '1' }]) : undefined)
  expect(await codeOf(names(backend, ''))).toBe('unavailable')
  server.choose = (request) => (inFolder(request) ? listing([], { incompleteSearch: true }) : undefined)
  expect(await codeOf(names(backend, ''))).toBe('unavailable')
  // A token that is not taken any more: whoever lists begins anew.
  server.choose = () => undefined
  server.pageSize = 1
  for (const name of ['a', 'b']) await backend.put(name, bytesOf('x'), {}, never)
  server.choose = ({ url }) => (url.includes('pageToken=') ? { type: 'refuse', status: 400, reason: 'invalid' } : undefined)
  expect(await codeOf(names(backend, ''))).toBe('unavailable')
})

test('Cloud Storage: lists without order, and of other objects, are refused', async () => {
  await using server = await GcsServer.start()
  await using backend = await openBackend('gs://holdfast-test/p', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
  const item = (name: string): object => ({ name, size: '1' })
  for (const items of [[item('p/b'), item('p/a')], [item('p/a'), item('p/a')], [item('q/a')]]) {
    server.choose = () => json({ kind: 'storage#objects', items })
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
  }
})
