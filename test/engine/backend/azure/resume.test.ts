import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ContainerClient } from '@azure/storage-blob'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { AzureFront, AzureServer } from '../../../servers/azure.ts'
import type { SeenRequest } from '../../../servers/web-service.ts'
import { codeOf, names } from '../../../suites/backend-contract.ts'

/** What becomes of uploads that broke off. */
const never = new AbortController().signal
const mebibyte = 1024 * 1024
const bytes = Buffer.alloc(20 * mebibyte, randomBytes(8191))
const name = 'packs/aa/x'
let server: AzureServer
let front: AzureFront
let container: ContainerClient
let folder: string
let file: { readonly type: 'file'; readonly path: string; readonly size: number; readonly crc32: number }
let entries: Map<string, string>
let backend: StorageBackend

const isBlock = ({ url }: SeenRequest): boolean => url.includes('comp=block&')
const isCommit = ({ method, url }: SeenRequest): boolean => method === 'PUT' && url.includes('comp=blocklist')
const put = (body = file): Promise<string> => codeOf(backend.put(name, body, { once: true }, never))

async function expectWhole(): Promise<void> {
  expect(Buffer.compare(await backend.get(name, 'all', never), bytes)).toBe(0)
  expect(entries.size).toBe(0)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-azure-'))
  file = { type: 'file', path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
  await writeFile(file.path, bytes)
  server = await AzureServer.start()
  front = await AzureFront.before(server)
})
afterAll(async () => {
  await front[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  entries = new Map()
  front.choose = () => undefined
  container = await server.freshContainer()
  const uploadJournal: UploadJournal = { get: (one) => entries.get(one), set: (one, state) => { entries.set(one, state) }, delete: (one) => { entries.delete(one) } }
  backend = await openBackend(server.address(container, 'p', front.origin), { credentials: fixedCredentials(server.credentials), signal: never, uploadJournal })
  return () => backend[Symbol.asyncDispose]()
})

test('blocks that arrived are not sent again, whether their replies did or not', async () => {
  let blocks = 0
  front.choose = (request) => (isBlock(request) && ++blocks === 2 ? { type: 'lose-reply' } : undefined)
  expect(['offline', 'unavailable']).toContain(await put())
  expect(await names(backend, '')).toEqual([])
  front.choose = () => undefined
  front.receivedBytes = 0
  expect(await put()).toBe('done')
  expect(front.receivedBytes).toBeLessThan(4 * mebibyte + 10_000)
  await expectWhole()
})

test('when the last reply was lost, the object is there, and that is success', async () => {
  front.breakNext(isCommit, { type: 'lose-reply' })
  expect(['offline', 'unavailable']).toContain(await put())
  front.receivedBytes = 0
  expect(await put()).toBe('done')
  expect(front.receivedBytes).toBeLessThan(1000)
  await expectWhole()
})

test('blocks that are gone before their list was put are sent anew; after it the name is given up (R5)', async () => {
  front.breakNext(isCommit, { type: 'cut-request', afterBytes: 1 })
  expect(['offline', 'unavailable']).toContain(await put())
  expect(JSON.parse(entries.get(name) ?? '')).toMatchObject({ committing: true })
  // As a blob that was made of them and removed, or as a week later.
  await container.getBlockBlobClient(`p/${name}`).upload('', 0)
  await container.deleteBlob(`p/${name}`)
  expect(await put()).toBe('unavailable')
  expect(entries.size).toBe(0)
  let blocks = 0
  front.choose = (request) => (isBlock(request) && ++blocks === 2 ? { type: 'cut-request', afterBytes: 1 } : undefined)
  expect(['offline', 'unavailable']).toContain(await put())
  front.choose = () => undefined
  await container.getBlockBlobClient(`p/${name}`).upload('', 0)
  await container.deleteBlob(`p/${name}`)
  expect(await put()).toBe('done')
  await expectWhole()
})

test('a list that broke off on its way is put again', async () => {
  front.breakNext(isCommit, { type: 'cut-request', afterBytes: 1 })
  expect(['offline', 'unavailable']).toContain(await put())
  front.receivedBytes = 0
  expect(await put()).toBe('done')
  expect(front.receivedBytes).toBeLessThan(1000)
  await expectWhole()
})

test('blocks of another file under the name are never mixed in', async () => {
  let blocks = 0
  front.choose = (request) => (isBlock(request) && ++blocks === 3 ? { type: 'cut-request', afterBytes: 1 } : undefined)
  await put()
  front.choose = () => undefined
  const changed = Buffer.from(bytes)
  changed[0] = (changed[0] ?? 0) ^ 1
  const other = { ...file, path: join(folder, 'other'), crc32: crc32(changed) }
  await writeFile(other.path, changed)
  expect(await put(other)).toBe('done')
  expect(Buffer.compare(await backend.get(name, 'all', never), changed)).toBe(0)
  expect(entries.size).toBe(0)
})
