import { ContainerSASPermissions, generateBlobSASQueryParameters, type ContainerClient, type StorageSharedKeyCredential } from '@azure/storage-blob'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials, type Credentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { HoldfastError, toWireError } from '../../../../engine/base/errors.ts'
import { AzureFront, AzureServer } from '../../../servers/azure.ts'
import type { WebFault } from '../../../servers/web-service.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let server: AzureServer
let front: AzureFront
let container: ContainerClient
let backend: StorageBackend

const open = (credentials: Credentials = server.credentials, address = server.address(container, 'some/prefix', front.origin)): Promise<StorageBackend> =>
  openBackend(address, { credentials: fixedCredentials(credentials), signal: never })

beforeAll(async () => {
  server = await AzureServer.start()
  front = await AzureFront.before(server)
})
afterAll(async () => {
  await front[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})
beforeEach(async () => {
  front.choose = () => undefined
  container = await server.freshContainer()
  backend = await open()
  await backend.put('known', bytesOf('0123456789'), {}, never)
  return () => backend[Symbol.asyncDispose]()
})

const answers: readonly (readonly [number, string, string])[] = [
  [403, 'AuthenticationFailed', 'credentials'], [401, 'NoAuthenticationInformation', 'credentials'], [400, 'InvalidAuthenticationInfo', 'credentials'], [401, 'x', 'credentials'],
  [403, 'AuthorizationFailure', 'denied'], [403, 'AuthorizationPermissionMismatch', 'denied'], [403, 'AuthorizationProtocolMismatch', 'denied'], [403, 'AuthorizationSourceIPMismatch', 'denied'],
  [403, 'KeyBasedAuthenticationNotPermitted', 'denied'], [403, 'AccountIsDisabled', 'denied'], [403, 'x', 'denied'],
  [404, 'ContainerNotFound', 'arguments'], [409, 'ContainerBeingDeleted', 'unavailable'], [409, 'ContainerDisabled', 'denied'], [400, 'InvalidResourceName', 'arguments'],
  [409, 'BlobImmutableDueToPolicy', 'denied'], [409, 'BlobImmutableDueToLegalHold', 'denied'], [412, 'LeaseIdMissing', 'denied'], [409, 'SnapshotsPresent', 'denied'],
  [409, 'BlobArchived', 'unavailable'], [409, 'BlobBeingRehydrated', 'unavailable'], [409, 'BlobTypeMismatch', 'denied'], [400, 'Md5Mismatch', 'unavailable'],
  [503, 'ServerBusy', 'throttled'], [500, 'OperationTimedOut', 'throttled'], [429, 'x', 'throttled'], [500, 'InternalError', 'unavailable'], [502, 'x', 'unavailable'], [507, 'x', 'full'],
  [413, 'RequestBodyTooLarge', 'full'], [400, 'InvalidHeaderValue', 'unsupported'],
]

test.each(answers)('%i %s means %s, to a put, a get, a stat and a removal', async (status, code, wanted) => {
  front.choose = () => AzureFront.refusal(status, code)
  expect(await codeOf(backend.put('new', bytesOf('x'), {}, never))).toBe(wanted)
  expect(await codeOf(backend.stat('known', never))).toBe(wanted)
  expect(await codeOf(backend.remove('known', never))).toBe(wanted)
  const failure = await backend.get('known', 'all', never).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: wanted, data: { status, reason: code }, cause: { message: 'Azure\'s own words' } })
})

test('a list that is throttled waits; what else happens to it is told, and a missing container is no empty list', async () => {
  front.breakNext(() => true, AzureFront.refusal(503, 'ServerBusy', { 'retry-after': '1' }))
  expect(await names(backend, '')).toEqual(['known'])
  front.choose = () => AzureFront.refusal(403, 'AuthorizationFailure')
  expect(await codeOf(names(backend, ''))).toBe('denied')
  front.choose = () => AzureFront.refusal(404, 'x')
  expect(await codeOf(names(backend, ''))).toBe('arguments')
  front.choose = () => undefined
  await using elsewhere = await open(server.credentials, server.address({ containerName: 'no-such-one' } as ContainerClient))
  for (const work of [() => names(elsewhere, ''), () => elsewhere.put('x', bytesOf('x'), {}, never), () => elsewhere.get('x', 'all', never), () => elsewhere.stat('x', never), () => elsewhere.remove('x', never)]) {
    await expect(work()).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining('container does not exist') as string })
  }
})

test('how long it asks to wait is passed on', async () => {
  front.choose = () => AzureFront.refusal(503, 'ServerBusy', { 'retry-after': '7' })
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'throttled', data: { retryAfterMs: 7000 } })
})

test('a clock that is wrong is told from a wrong key, by the storage\'s own', async () => {
  const at = (ms: number): Readonly<Record<string, string>> => ({ date: new Date(Date.now() + ms).toUTCString() })
  front.choose = () => AzureFront.refusal(403, 'AuthenticationFailed', at(20 * 60_000))
  await expect(backend.stat('known', never)).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('clock') as string })
  front.choose = () => AzureFront.refusal(403, 'AuthenticationFailed', at(-5 * 60_000))
  expect(await codeOf(backend.stat('known', never))).toBe('credentials')
})

describe('credentials', () => {
  const sas = (permissions: string, expiresOn = new Date(Date.now() + 3_600_000)): string => generateBlobSASQueryParameters(
    { containerName: container.containerName, permissions: ContainerSASPermissions.parse(permissions), expiresOn }, container.credential as StorageSharedKeyCredential).toString()

  test('a key that is another, or none, is told', async () => {
    await using wrong = await open({ accountKey: Buffer.alloc(64, 1).toString('base64') })
    // Azurite says AuthorizationFailure where Azure says AuthenticationFailed.
    for (const work of [() => wrong.stat('known', never), () => wrong.put('x', bytesOf('x'), {}, never), () => names(wrong, '')]) {
      await expect(work()).rejects.toMatchObject({ code: 'denied', data: { status: 403, advice: expect.stringContaining('account key') as string } })
    }
    for (const credentials of [{}, { sasToken: 'nonsense' }, { sasToken: '?' }, { accountKey: '', sasToken: '' }]) expect(await codeOf(open(credentials))).toBe('credentials')
  })

  test.each([(token: string) => token, (token: string) => `?${token}`, (token: string) => `https://name.blob.core.windows.net/c?${token}\n`])('a SAS token does all that a key does, however it is pasted (%#)', async (pasted) => {
    await using other = await open({ sasToken: pasted(sas('racwdl')) })
    await other.put('a/b', bytesOf('x'), { ifAbsent: true }, never)
    await other.put('large', { type: 'bytes', bytes: Buffer.alloc(9_000_000) }, {}, never)
    expect(await names(other, '')).toEqual(['a/b', 'known', 'large'])
    expect(await other.get('a/b', 'all', never)).toHaveLength(1)
    await other.remove('large', never)
    expect(await codeOf(other.stat('large', never))).toBe('not-found')
  })

  test('a SAS token that may not do a thing, or has ended, is told', async () => {
    await using reader = await open({ sasToken: sas('rl') })
    expect(await names(reader, '')).toEqual(['known'])
    expect(await codeOf(reader.put('x', bytesOf('x'), {}, never))).toBe('denied')
    await using ended = await open({ sasToken: sas('rl', new Date(Date.now() - 60_000)) })
    expect(await codeOf(names(ended, ''))).toBe('denied')
  })

  test('no error, no label and no account of the traits holds a key or a token', async () => {
    const token = sas('racwdl')
    const signature = new URLSearchParams(token).get('sig') ?? 'none'
    for (const credentials of [server.credentials, { sasToken: token }]) {
      await using other = await open(credentials)
      for (const fault of [AzureFront.refusal(403, 'AuthenticationFailed'), { type: 'lose-reply' }, { type: 'answer', status: 200, text: 'nonsense' }, { type: 'answer', status: 307, headers: { location: `https://x/?${token}` } }] satisfies WebFault[]) {
        front.choose = () => fault
        const failure: unknown = await other.get('known', 'all', never).catch((error: unknown) => error)
        expect(failure).toBeInstanceOf(HoldfastError)
        const told = JSON.stringify([toWireError(failure), other.label, other.traits])
        for (const secret of [signature, encodeURIComponent(signature), server.credentials.accountKey]) expect(told).not.toContain(secret)
      }
    }
  })
})

describe('what lies', () => {
  const lies: readonly (readonly [string, WebFault])[] = [
    ['a login page', { type: 'answer', status: 200, text: '<html>', headers: { 'content-type': 'text/html; charset=utf-8' } }], ['nothing', { type: 'answer', status: 200, text: '' }],
    ['JSON', { type: 'answer', status: 200, text: '{"value":[]}', headers: { 'content-type': 'application/json' } }], ['half a document', { type: 'answer', status: 200, text: '<EnumerationResults><Blobs><Bl' }],
    ['a redirect', { type: 'answer', status: 301, headers: { location: 'https://evil.example/' } }], ['a listing without an end', { type: 'answer', status: 200, text: ' '.repeat(9_000_000) }],
    ['a bomb of elements', { type: 'answer', status: 200, text: `<a>${'<b/>'.repeat(1_000_000)}</a>` }], ['another document', { type: 'answer', status: 200, text: '<a><b/></a>' }],
  ]

  test.each(lies)('%s for a list, a put and a stat is told, and taken for nothing else', async (_what, lie) => {
    front.choose = () => lie
    for (const work of [() => names(backend, ''), () => backend.put('y', bytesOf('y'), {}, never), () => backend.put('z', { type: 'bytes', bytes: Buffer.alloc(9_000_000) }, {}, never), () => backend.stat('known', never)]) {
      expect(await codeOf(work())).toBe('unavailable')
    }
    expect(['unavailable', 'unsupported', 'damaged']).toContain(await codeOf(backend.get('known', { offset: 1, length: 4 }, never)))
    front.choose = () => undefined
    expect(await names(backend, '')).toEqual(['known'])
  })

  const page = (blobs: readonly string[], next: string): WebFault => ({
    type: 'answer', status: 200, headers: { 'content-type': 'application/xml' },
    text: `<?xml version="1.0"?><EnumerationResults ServiceEndpoint="x" ContainerName="c"><Blobs>${blobs.map((name) => `<Blob><Name>some/prefix/${name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>`).join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`,
  })

  test('a list without order, or without an end, is not taken', async () => {
    front.choose = () => page(['a', 'b'], '')
    expect(await names(backend, '')).toEqual(['a', 'b'])
    front.choose = () => page(['b', 'a'], '')
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
    front.choose = () => page([], 'same')
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
    let pages = 0
    front.choose = () => page([], `${++pages}`)
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
    expect(pages).toBeLessThan(250)
  })

  test('folders that accounts with a hierarchy list are no objects', async () => {
    const folder = '<Blob><Name>some/prefix/a</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><ResourceType>directory</ResourceType><Content-Length>0</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>'
    front.choose = () => ({ type: 'answer', status: 200, headers: { 'content-type': 'application/xml' }, text: `<?xml version="1.0"?><EnumerationResults><Blobs>${folder}</Blobs><NextMarker/></EnumerationResults>` })
    expect(await names(backend, '')).toEqual([])
  })

  describe('an account with a hierarchical namespace', () => {
    beforeEach(() => {
      front.hierarchical = true
      return () => { front.hierarchical = false }
    })

    test('has folders, which are no objects: to lists, to reading, and to a removal, which leaves what is in them', async () => {
      await backend.put('packs/3f/a', bytesOf('a'), {}, never)
      await backend.put('packs/40/b', bytesOf('b'), {}, never)
      expect(await names(backend, '')).toEqual(['known', 'packs/3f/a', 'packs/40/b'])
      expect(await names(backend, 'packs')).toEqual(['packs/3f/a', 'packs/40/b'])
      expect(await codeOf(backend.stat('packs/3f', never))).toBe('not-found')
      expect(await codeOf(backend.get('packs/3f', 'all', never))).toBe('not-found')
      expect(await codeOf(backend.remove('packs/3f', never))).toBe('done')
      await backend.remove('packs/40/b', never)
      expect(await names(backend, 'packs/')).toEqual(['packs/3f/a'])
    })

    test('lists a folder before its siblings: names that would then come without order are refused, and never passed over', async () => {
      await backend.put('a/b', bytesOf('x'), {}, never)
      await backend.put('a-b', bytesOf('x'), {}, never)
      expect(await codeOf(names(backend, ''))).toBe('unsupported')
      expect(await names(backend, 'a/')).toEqual(['a/b'])
    })
  })

  test('other bytes than were sent are found out by Azure itself, and nothing is stored', async () => {
    for (const size of [1000, 9_000_000]) {
      front.breakNext(({ method }) => method === 'PUT', { type: 'garble' })
      expect(await codeOf(backend.put('new', { type: 'bytes', bytes: Buffer.alloc(size, 1) }, {}, never))).toBe('unavailable')
    }
    expect(await names(backend, '')).toEqual(['known'])
  })

  test('a reply that is cut or comes from another place of the object is not taken', async () => {
    await backend.put('big', { type: 'bytes', bytes: Buffer.alloc(500_000, 1) }, {}, never)
    front.choose = () => ({ type: 'cut-reply', afterBytes: 1000 })
    expect(['offline', 'unavailable']).toContain(await codeOf(backend.get('big', 'all', never)))
    front.choose = () => ({ type: 'lie', change: ({ headers, ...answer }) => ({ ...answer, headers: { ...headers, 'content-range': 'bytes 0-3/10' } }) })
    expect(await codeOf(backend.get('known', { offset: 1, length: 4 }, never))).toBe('unavailable')
  })
})

test('creating is exclusive, as it is tried when a repository is made; in blocks, too', async () => {
  expect(await probeBackend(backend, never)).toMatchObject({ exclusiveCreate: true })
  const large = { type: 'bytes', bytes: Buffer.alloc(9_000_000) } as const
  expect(await codeOf(backend.put('known', large, { ifAbsent: true }, never))).toBe('exists')
  const results = await Promise.all([1, 2, 3].map(() => codeOf(backend.put('one', large, { ifAbsent: true }, never))))
  expect(results.filter((code) => code === 'done')).toHaveLength(1)
  expect(results.filter((code) => code === 'exists' || code === 'unavailable')).toHaveLength(2)
  expect(Buffer.compare(await backend.get('one', 'all', never), large.bytes)).toBe(0)
})
