import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { hasCode, type HoldfastError } from '../../../../engine/base/errors.ts'
import { NextcloudServer } from '../../../servers/nextcloud.ts'
import { startWebDav } from '../../../servers/webdav.ts'
import type { WebFault } from '../../../servers/web-service.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let server: NextcloudServer
let backend: StorageBackend

beforeEach(async () => {
  server = await NextcloudServer.start()
  backend = await open()
  await backend.put('config', bytesOf('content'), {}, never)
})
afterEach(async () => {
  await backend[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const open = (password = 'app-password'): Promise<StorageBackend> =>
  openBackend(`webdav:${server.origin}/remote.php/dav/files/anna/repo?user=anna`, { credentials: fixedCredentials({ password }), signal: never })

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  try {
    await work
  } catch (error) {
    if (hasCode(error, 'arguments', 'credentials', 'denied', 'full', 'offline', 'unavailable', 'unsupported', 'damaged', 'throttled', 'exists', 'not-found')) return error
    throw error
  }
  throw new Error('nothing failed')
}

const answers: readonly (readonly [string, WebFault, string, RegExp])[] = [
  ['a wrong login', { type: 'answer', status: 401, text: 'x', headers: { 'www-authenticate': 'Basic realm="x"' } }, 'credentials', /user name or the password/],
  ['a login that is no Basic one', { type: 'answer', status: 401, text: 'x', headers: { 'www-authenticate': 'Digest realm="x"' } }, 'credentials', /another kind of login/],
  ['a refusal', { type: 'answer', status: 403, text: 'x' }, 'denied', /refuses/],
  ['a body that is too large', { type: 'answer', status: 413, text: '<html>', headers: { 'content-type': 'text/html' } }, 'full', /no bodies this large/],
  ['a lock', { type: 'answer', status: 423, text: 'x' }, 'unavailable', /locked/],
  ['a request to go slower', { type: 'answer', status: 429, text: 'x', headers: { 'retry-after': '7' } }, 'throttled', /go slower/],
  ['maintenance', { type: 'answer', status: 503, text: 'x', headers: { 'retry-after': '7' } }, 'throttled', /left alone/],
  ['a fault of the server', { type: 'answer', status: 500, text: 'x' }, 'unavailable', /fault of its own/],
  ['a full disk', { type: 'answer', status: 507, text: 'x' }, 'full', /no room left/],
  ['a server that failed below its WebDAV', { type: 'answer', status: 405, text: 'Method Not Allowed' }, 'unavailable', /could not do it/],
  ['a promise', { type: 'answer', status: 202, text: '' }, 'unavailable', /does not answer like the storage/],
  ['something that failed in part', { type: 'answer', status: 207, text: '<multistatus xmlns="DAV:"><response><href>/x</href><status>HTTP/1.1 507 x</status></response></multistatus>' }, 'full', /no room left/],
  ['something that failed in part and is locked', { type: 'answer', status: 207, text: '<multistatus xmlns="DAV:"><response><href>/x</href><status>HTTP/1.1 423 Locked</status></response></multistatus>' }, 'unavailable', /locked/],
  ['a login page that takes everything', { type: 'answer', status: 200, text: '<html>Please log in</html>', headers: { 'content-type': 'text/html; charset=utf-8' } }, 'unavailable', /does not answer like the storage/],
  ['a redirect', { type: 'answer', status: 302, text: 'x', headers: { location: 'http://127.0.0.1:1/' } }, 'unavailable', /follows no redirect/],
]

describe('what the server answers, and what is said', () => {
  test.each(answers)('%s', async (_, fault, code, words) => {
    server.choose = () => fault
    const error = await failure(backend.put('packs/x', bytesOf('x'), {}, never))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(words)])
    if (code === 'throttled') expect(error.data['retryAfterMs']).toBe(7000)
  })

  test('a server without WebDAV', async () => {
    server.choose = () => ({ type: 'answer', status: 405, text: 'x' })
    await using fresh = await open()
    const error = await failure(fresh.put('packs/x', bytesOf('x'), {}, never))
    expect([error.code, error.message]).toEqual(['unsupported', expect.stringMatching(/no WebDAV/)])
  })

  test.each([404, 410])('an object that is there, though reading it answers %i', async (status) => {
    server.choose = ({ method }) => (method === 'GET' ? { type: 'answer', status, text: 'x' } : undefined)
    expect(await codeOf(backend.get('config', 'all', never))).toBe('unavailable')
    expect(await codeOf(backend.get('missing', 'all', never))).toBe('not-found')
  })

  test('a login page instead of an object', async () => {
    server.choose = () => ({ type: 'answer', status: 200, text: '<html>Please log in</html>', headers: { 'content-type': 'text/html' } })
    const error = await failure(backend.get('config', 'all', never))
    expect([error.code, error.message]).toEqual(['unavailable', expect.stringContaining('does not answer like the storage')])
  })

  test('no error holds the password, and it goes nowhere but to the server', async () => {
    await using wrong = await open('s3cret-pass')
    const error = await failure(wrong.put('x', bytesOf('x'), {}, never))
    expect(error.code).toBe('credentials')
    expect(JSON.stringify([error.message, error.data, String(error.cause), wrong.label, wrong.traits])).not.toContain('s3cret')
  })
})

const list = (entries: string): string => `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">${entries}</d:multistatus>`
const entry = (href: string, more = '<d:getcontentlength>5</d:getcontentlength>'): string =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:resourcetype/>${more}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`
const at = '/remote.php/dav/files/anna/repo'

describe('lists that lie', () => {
  const answer = (text: string): void => { server.choose = ({ method }) => (method === 'PROPFIND' ? { type: 'answer', status: 207, text, headers: { 'content-type': 'application/xml' } } : undefined) }

  test.each([
    ['entities', '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">]><d:multistatus xmlns:d="DAV:">&a;</d:multistatus>', 'unavailable'],
    ['half a document', list(entry(`${at}/a`)).slice(0, -20), 'unavailable'],
    ['another document', '<rss><channel/></rss>', 'unavailable'],
    ['no document', 'It works!', 'unavailable'],
    ['nothing', '', 'unavailable'],
    ['bytes that are no text', '\u0000\u0001', 'unavailable'],
    ['a text without an end', list(`<d:response><d:href>${'a'.repeat(100_000)}</d:href></d:response>`), 'unavailable'],
    ['depth without an end', list('<d:response>'.repeat(100)), 'unavailable'],
    ['objects that were not asked for', list(entry('/etc/passwd')), 'unsupported'],
  ])('%s', async (_, text, code) => {
    answer(text)
    expect(await codeOf(names(backend, ''))).toBe(code)
  })

  test.each([
    ['whole addresses', () => entry(`${server.origin}${at}/a`)],
    ['escaped letters', () => entry(`${at}/%61`)],
    ['a slash too many', () => entry(`/${at}//a`)],
    ['another prefix of the name space', () => entry(`${at}/a`).replaceAll('d:', 'x:').replace('<x:response>', '<x:response xmlns:x="DAV:">')],
    ['names that lead elsewhere', () => entry(`${at}/../other/a`) + entry(`${at}/a`)],
    ['strangers beside it', () => entry(`${at}/Photo%20%C3%A9.jpg`) + entry(`${at}/a`) + entry(`${at}/.hidden`)],
    ['the folder itself', () => entry(`${at}/`, '<d:getcontentlength>4096</d:getcontentlength>') + entry(`${at}/a`)],
    ['what has no size', () => entry(`${at}/b`, '') + entry(`${at}/a`)],
  ])('is read with %s', async (_, make) => {
    answer(list(make()))
    expect(await names(backend, '')).toEqual(['a'])
  })

  test('a list of 50,000 objects is read as it comes', async () => {
    answer(list(Array.from({ length: 50_000 }, (_one, index) => entry(`${at}/${String(index).padStart(6, '0')}`)).join('')))
    expect((await names(backend, '')).length).toBe(50_000)
  })

  test('a list that breaks off fails', async () => {
    server.choose = ({ method }) => (method === 'PROPFIND' ? { type: 'cut-reply', afterBytes: 200 } : undefined)
    expect(['offline', 'unavailable']).toContain(await codeOf(names(backend, '')))
  })
})

test('a file that the server cut short is not kept', async () => {
  server.choose = ({ method, headers }) => (method === 'PROPFIND' && headers['depth'] === '0'
    ? { type: 'answer', status: 207, text: list(entry(`${at}/x`)), headers: { 'content-type': 'application/xml' } } : undefined)
  expect(await codeOf(backend.put('packs/x', { type: 'bytes', bytes: new Uint8Array(200_000) }, {}, never))).toBe('unavailable')
  server.choose = () => undefined
  expect(await names(backend, '')).toEqual(['config'])
  expect([...server.resources.keys()].filter((path) => path.includes('.tmp/'))).toEqual([])
})

test('a folder that is locked while another put makes it is waited for', async () => {
  server.breakNext(({ method }) => method === 'MKCOL', { type: 'answer', status: 423, text: 'Locked' }, 3)
  await backend.put('packs/00/x', bytesOf('x'), {}, never)
  expect(await names(backend, 'packs/')).toEqual(['packs/00/x'])
})

test('what is put at once makes a folder once', async () => {
  const before = server.requests.length
  await Promise.all(Array.from({ length: 20 }, (_, at) => backend.put(`packs/00/${at}`, bytesOf('x'), {}, never)))
  const made = server.requests.slice(before).filter(({ method }) => method === 'MKCOL').map(({ url }) => url.replace(/.*repo/, ''))
  expect(made).toEqual(['/packs/00/', '/packs/', '/packs/00/'])
  expect(await names(backend, 'packs/')).toHaveLength(20)
})

test('a folder in the place of an object is not removed with what is in it', async () => {
  await backend.put('packs/00/x', bytesOf('x'), {}, never)
  expect(await codeOf(backend.remove('packs', never))).toBe('damaged')
  expect(await names(backend, 'packs/')).toEqual(['packs/00/x'])
})

test('temporary files of a run that died go when they have rested, and nothing else does', async () => {
  const old = `files/anna/repo/.tmp/${'a'.repeat(32)}`
  for (const path of [old, 'files/anna/repo/.tmp/notes.txt']) server.resources.set(path, { bytes: Buffer.from('x'), modifiedMs: Date.now() - 100_000 })
  expect(await backend.abortStaleUploads?.(1_000_000, never)).toBe(0)
  expect(await backend.abortStaleUploads?.(50_000, never)).toBe(1)
  expect([...server.resources.keys()].filter((path) => path.includes('.tmp/'))).toEqual(['files/anna/repo/.tmp/notes.txt'])
})

test('a limit of nginx is told with what to do', async () => {
  await using nginx = await startWebDav('nginx')
  await using small = await openBackend(`webdav:${nginx.origin}/small?user=anna`, { credentials: fixedCredentials({ password: 'ein Geheimnis: ä%' }), signal: never })
  await small.put('fits', bytesOf('x'), {}, never)
  const error = await failure(small.put('packs/x', { type: 'bytes', bytes: new Uint8Array(2_000_000) }, {}, never))
  expect([error.code, error.data['advice']]).toEqual(['full', expect.stringContaining('client_max_body_size')])
})
