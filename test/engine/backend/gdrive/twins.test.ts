import { beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

/** Names that are there more than once, and machines that know of different ones. */
const never = new AbortController().signal
let server: DriveServer

const open = (): Promise<StorageBackend> => openBackend('gdrive:/Holdfast', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
const text = async (backend: StorageBackend, name: string): Promise<string> => Buffer.from(await backend.get(name, 'all', never)).toString()
const folder = (name: string, parent?: string, createdMs?: number): string => server.add(name, undefined, parent, createdMs).id
const file = (name: string, content: string, parent: string, createdMs?: number): string => server.add(name, Buffer.from(content), parent, createdMs).id

beforeEach(async () => {
  server = await DriveServer.start()
  return () => server[Symbol.asyncDispose]()
})

test('of twins everybody reads the older one; where the times are equal, the one with the smaller id', async () => {
  const root = folder('Holdfast')
  file('x', 'younger', root, 2000)
  file('x', 'older', root, 1000)
  const equal = [file('y', 'one', root, 1000), file('y', 'two', root, 1000)]
  for (let machine = 0; machine < 3; machine++) {
    await using backend = await open()
    expect(await names(backend, '')).toEqual(expect.arrayContaining(['x', 'y']))
    expect((await names(backend, '')).length).toBe(2)
    expect(await text(backend, 'x')).toBe('older')
    expect(await text(backend, 'y')).toBe((equal[0] ?? '') < (equal[1] ?? '') ? 'one' : 'two')
  }
})

test('folders of one name are one folder, at every level, the repository\'s too', async () => {
  const [first, second] = [folder('Holdfast', undefined, 1000), folder('Holdfast', undefined, 2000)]
  const [packs, otherPacks] = [folder('packs', first, 1000), folder('packs', second, 1000)]
  const [three, otherThree, third] = [folder('3f', packs, 1000), folder('3f', packs, 2000), folder('3f', otherPacks, 3000)]
  for (const [parent, name] of [[three, '3fa'], [otherThree, '3fb'], [third, '3fc'], [second, 'config']] as const) file(name, name, parent)
  await using backend = await open()
  expect((await names(backend, 'packs/3f/')).sort()).toEqual(['packs/3f/3fa', 'packs/3f/3fb', 'packs/3f/3fc'])
  expect((await names(backend, '')).sort()).toEqual(['config', 'packs/3f/3fa', 'packs/3f/3fb', 'packs/3f/3fc'])
  expect((await names(backend, 'packs/3')).length).toBe(3)
  expect(await text(backend, 'packs/3f/3fc')).toBe('3fc')
  await backend.put('packs/3f/3fd', bytesOf('new'), {}, never)
  expect(server.named('3fd')[0]?.parents).toEqual([three])
  await backend.put('packs/3f/3fb', bytesOf('replaced'), {}, never)
  expect(server.named('3fb')).toHaveLength(1)
  await backend.remove('packs/3f/3fc', never)
  expect(await codeOf(backend.stat('packs/3f/3fc', never))).toBe('not-found')
})

test('two machines that make the same folders and names at once see the same afterwards', async () => {
  const machines = await Promise.all([open(), open(), open()])
  await Promise.all(machines.flatMap((backend, machine) => Array.from({ length: 10 }, async (_, index) => {
    await backend.put(`packs/${index % 2}f/${machine}-${index}`, bytesOf('x'), { once: true }, never)
    await backend.put('gc/same', bytesOf(`${machine}`), {}, never)
  })))
  const lists = await Promise.all(machines.map(async (backend) => (await names(backend, '')).sort()))
  expect(lists[0]?.length).toBe(31)
  expect(lists[1]).toEqual(lists[0])
  expect(lists[2]).toEqual(lists[0])
  const read = await Promise.all(machines.map((backend) => text(backend, 'gc/same')))
  expect(new Set(read).size).toBe(1)
  for (const backend of machines) await backend[Symbol.asyncDispose]()
})

test('a folder that another machine makes beside the one that is known is seen by lists, and by what is not found otherwise', async () => {
  await using backend = await open()
  await backend.put('intents/a', bytesOf('a'), {}, never)
  const [known] = server.named('intents')
  file('b', 'b', folder('intents', known?.parents[0], 1))
  expect((await names(backend, 'intents/')).sort()).toEqual(['intents/a', 'intents/b'])
  file('c', 'c', folder('intents', known?.parents[0], 2))
  expect(await text(backend, 'intents/c')).toBe('c')
})

test('removing takes all twins, the one that is read last', async () => {
  const root = folder('Holdfast')
  const ids = [file('x', 'older', root, 1000), file('x', 'younger', root, 2000), file('x', 'youngest', root, 3000)]
  await using backend = await open()
  await backend.remove('x', never)
  expect(server.requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url.split('/').at(-1))).toEqual(ids.reverse())
  expect(await names(backend, '')).toEqual([])
})

test('a put replaces the bytes of the file that is read, under its id', async () => {
  const root = folder('Holdfast')
  const older = file('x', 'older', root, 1000)
  file('x', 'younger', root, 2000)
  await using backend = await open()
  await backend.put('x', bytesOf('newest'), {}, never)
  expect(server.files.get(older)?.content?.toString()).toBe('newest')
  await using other = await open()
  expect(await text(other, 'x')).toBe('newest')
})

test('what another machine removed and made anew is found under its new id', async () => {
  await using backend = await open()
  await backend.put('x', bytesOf('old'), {}, never)
  expect(await text(backend, 'x')).toBe('old')
  const [old] = server.named('x')
  server.files.delete(old?.id ?? '')
  file('x', 'new', old?.parents[0] ?? '')
  expect(await text(backend, 'x')).toBe('new')
  expect((await backend.stat('x', never)).size).toBe(3)
})

test('a folder that somebody removed, or moved to the bin, is made anew', async () => {
  await using backend = await open()
  await backend.put('packs/aa/one', bytesOf('1'), { once: true }, never)
  const [aa] = server.named('aa')
  server.files.delete(aa?.id ?? '')
  await backend.put('packs/aa/two', bytesOf('2'), { once: true }, never)
  const [again] = server.named('aa')
  if (again) again.trashed = true
  await backend.put('packs/aa/three', bytesOf('3'), { once: true }, never)
  expect(await names(backend, 'packs/')).toEqual(['packs/aa/three'])
})

test('what lies in a folder that somebody removed is not there, and can be removed, listed and made anew', async () => {
  await using backend = await open()
  await backend.put('gc/a', bytesOf('a'), {}, never)
  for (const name of ['gc', 'Holdfast']) {
    server.files.delete(server.named('a')[0]?.id ?? '')
    server.files.delete(server.named(name)[0]?.id ?? '')
    expect(await codeOf(backend.stat('gc/a', never))).toBe('not-found')
    await backend.remove('gc/a', never)
    expect(await names(backend, 'gc/')).toEqual([])
    await backend.put('gc/a', bytesOf('again'), {}, never)
    expect(await text(backend, 'gc/a')).toBe('again')
  }
})

test('before a small put, its folder and all levels above are asked for at once', async () => {
  await using backend = await open()
  await backend.put('gc/a', bytesOf('a'), {}, never)
  const { promise: until, resolve: release } = Promise.withResolvers<void>()
  let lists = 0
  server.choose = ({ url }) => {
    if (!url.includes('in%20parents')) return undefined
    if (++lists === 3) release()
    return { type: 'late', until }
  }
  await backend.put('gc/b', bytesOf('b'), {}, never)
  expect(lists).toBe(3)
})

test('what is no object of ours is passed over: documents, odd names, names with slashes', async () => {
  const root = folder('Holdfast')
  for (const name of ['Upper', 'a b', '.hidden', 'packs/aa', 'é', '..']) file(name, 'x', root)
  for (const name of ['.git', 'A', '..', 'a/b']) file('inner', 'x', folder(name, root))
  file('fine', 'x', root)
  const document = server.add('document', undefined, root)
  server.files.set(document.id, { ...document, mimeType: 'application/vnd.google-apps.document' })
  await using backend = await open()
  expect(await names(backend, '')).toEqual(['fine'])
})

test('a folder of the address is found in either spelling of its accents', async () => {
  const root = folder('Sauvegarde été'.normalize('NFD'))
  file('config', 'there', root)
  for (const form of ['NFC', 'NFD']) {
    await using backend = await openBackend(`gdrive:/${encodeURIComponent('Sauvegarde été'.normalize(form))}`, { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin })
    expect(await text(backend, 'config')).toBe('there')
  }
})

test('a list of many folders bears replies that break off here and there; what asks for patience is told', async () => {
  const packs = folder('packs', folder('Holdfast'))
  const wanted = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'))
  for (const name of wanted) file(`${name}a`, 'x', folder(name, packs))
  await using backend = await open()
  let count = 0
  server.choose = () => (++count % 10 === 0 ? { type: 'lose-reply' } : count % 10 === 5 ? { type: 'refuse', status: 500, reason: 'backendError' } : undefined)
  expect((await names(backend, 'packs/')).sort()).toEqual(wanted.map((name) => `packs/${name}/${name}a`))
  expect(server.requests.length).toBeLessThan(350)
  server.breakNext(({ url }) => url.includes(packs), { type: 'refuse', status: 403, reason: 'userRateLimitExceeded' })
  expect(await codeOf(names(backend, 'packs/'))).toBe('throttled')
  server.choose = () => ({ type: 'refuse', status: 500, reason: 'backendError' })
  const before = server.requests.length
  expect(await codeOf(names(backend, 'packs/'))).toBe('unavailable')
  // Both levels above are asked for at once, each three times.
  expect(server.requests.length - before).toBe(6)
})
