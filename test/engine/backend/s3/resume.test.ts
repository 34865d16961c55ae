import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { FaultProxy } from '../../../faults/proxy.ts'
import { freshBucket, type S3Bucket } from '../../../servers/s3.ts'
import { codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024
const bytes = Buffer.alloc(44 * mebibyte, randomBytes(8191))
const body = { type: 'file', path: '', size: bytes.length, crc32: crc32(bytes) } as const
let bucket: S3Bucket
let proxy: FaultProxy
let folder: string
let file: { readonly type: 'file'; readonly path: string; readonly size: number; readonly crc32: number }
let entries: Map<string, string>

/** As a new process would: only the journal and the file are left. */
function open(journal = true, settings = ''): Promise<StorageBackend> {
  const uploadJournal: UploadJournal = {
    get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) },
  }
  const url = `s3://${bucket.bucket}/p?endpoint=${encodeURIComponent(proxy.endpoint)}${settings}`
  return openBackend(url, { credentials: fixedCredentials({ ...bucket.secrets }), signal: never, ...(journal ? { uploadJournal } : {}) })
}

const isPart = (one: { method: string; url: string }): boolean => one.method === 'PUT' && one.url.includes('partNumber=')
const isCompletion = (one: { method: string; url: string }): boolean => one.method === 'POST' && one.url.includes('uploadId=')

async function openUploads(): Promise<number> {
  return ((await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.bucket }))).Uploads ?? []).length
}

beforeAll(async () => {
  bucket = await freshBucket()
  proxy = await FaultProxy.start(bucket.endpoint)
  folder = await mkdtemp(join(tmpdir(), 'holdfast-resume-'))
  file = { ...body, path: join(folder, 'pack') }
  await writeFile(file.path, bytes)
})

beforeEach(() => {
  entries = new Map()
  proxy.choose = () => undefined
  proxy.uploadedBytes = 0
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  bucket.client.destroy()
  await rm(folder, { recursive: true })
})

test('an upload that broke off after some parts goes on in another process; what arrived is not sent again', async () => {
  {
    await using first = await open()
    let parts = 0
    proxy.choose = (one) => (isPart(one) && ++parts > 3 ? { type: 'answer', status: 503, code: 'ServiceUnavailable' } : undefined)
    expect(await codeOf(first.put('packs/one', file, { once: true }, never))).toBe('unavailable')
    expect(await names(first, '')).toEqual([])
  }
  const arrivedBytes = proxy.uploadedBytes
  expect(arrivedBytes).toBeGreaterThanOrEqual(16 * mebibyte)
  proxy.choose = () => undefined
  await using second = await open()
  const sent: number[] = []
  await second.put('packs/one', file, { once: true, onProgress: (count) => sent.push(count) }, never)
  // A few hundred bytes are the list of parts in the completion.
  expect(proxy.uploadedBytes - bytes.length).toBeLessThan(4096)
  expect(sent.at(-1)).toBe(bytes.length)
  expect(Buffer.compare(await second.get('packs/one', 'all', never), bytes)).toBe(0)
  expect(entries.size).toBe(0)
})

test('partSize in the address sends smaller files in parts too, and what it began goes on in another process without it', async () => {
  const small = { ...file, path: join(folder, 'small'), size: 12 * mebibyte, crc32: crc32(bytes.subarray(0, 12 * mebibyte)) }
  await writeFile(small.path, bytes.subarray(0, small.size))
  {
    await using first = await open(true, '&partSize=5M')
    let parts = 0
    proxy.choose = (one) => (isPart(one) && ++parts > 2 ? { type: 'answer', status: 503, code: 'ServiceUnavailable' } : undefined)
    expect(await codeOf(first.put('packs/small', small, { once: true }, never))).toBe('unavailable')
  }
  expect(proxy.uploadedBytes).toBe(10 * mebibyte)
  proxy.choose = () => undefined
  await using second = await open()
  await second.put('packs/small', small, { once: true }, never)
  expect(proxy.uploadedBytes - small.size).toBeLessThan(4096)
  expect(Buffer.compare(await second.get('packs/small', 'all', never), bytes.subarray(0, small.size))).toBe(0)
  expect(entries.size).toBe(0)
  expect(await openUploads()).toBe(0)
})

test('an upload that is cancelled keeps what arrived', async () => {
  const controller = new AbortController()
  await using backend = await open()
  const onProgress = (count: number): void => { if (count > 20 * mebibyte) controller.abort() }
  expect(await codeOf(backend.put('packs/cancelled', file, { once: true, onProgress }, controller.signal))).toBe('aborted')
  const before = proxy.uploadedBytes
  await backend.put('packs/cancelled', file, { once: true }, never)
  expect(proxy.uploadedBytes - before).toBeLessThanOrEqual(bytes.length - 8 * mebibyte)
})

test('a completion whose reply was lost is recognised, and completes once', async () => {
  await using backend = await open()
  proxy.breakNext(isCompletion, { type: 'lose-reply' })
  expect(['offline', 'unavailable']).toContain(await codeOf(backend.put('packs/lost', file, { once: true }, never)))
  const before = proxy.uploadedBytes
  await backend.put('packs/lost', file, { once: true }, never)
  expect(proxy.uploadedBytes - before).toBeLessThan(4096)
  expect(Buffer.compare(await backend.get('packs/lost', 'all', never), bytes)).toBe(0)
})

test('an upload that the storage dropped gives its name up instead of beginning again under it (R5)', async () => {
  await using backend = await open()
  proxy.breakNext(isPart, { type: 'answer', status: 503, code: 'ServiceUnavailable' }, 99)
  await codeOf(backend.put('packs/dropped', file, { once: true }, never))
  expect(entries.has('packs/dropped')).toBe(true)
  proxy.choose = () => undefined
  expect(await backend.abortStaleUploads?.(-60_000, never)).toBe(1)
  expect(await codeOf(backend.put('packs/dropped', file, { once: true }, never))).toBe('unavailable')
  expect(entries.size).toBe(0)
  expect(await names(backend, 'packs/dropped')).toEqual([])
})

test('another file under the same name, or a journal entry that makes no sense, begins anew', async () => {
  await using backend = await open()
  proxy.breakNext(isPart, { type: 'answer', status: 503, code: 'ServiceUnavailable' }, 99)
  await codeOf(backend.put('packs/other', file, { once: true }, never))
  proxy.choose = () => undefined
  const changed = Buffer.from(bytes)
  changed[5] = (changed[5] ?? 0) ^ 1
  const other = { ...file, path: join(folder, 'other'), crc32: crc32(changed) }
  await writeFile(other.path, changed)
  await backend.put('packs/other', other, { once: true }, never)
  expect(Buffer.compare(await backend.get('packs/other', 'all', never), changed)).toBe(0)
  entries.set('packs/nonsense', '{"version":9')
  await backend.put('packs/nonsense', file, { once: true }, never)
  expect(await openUploads()).toBe(0)
})

test('without a journal a failed upload leaves nothing behind', async () => {
  await using backend = await open(false)
  proxy.breakNext(isPart, { type: 'answer', status: 503, code: 'ServiceUnavailable' }, 99)
  expect(await codeOf(backend.put('packs/none', file, { once: true }, never))).toBe('unavailable')
  expect(await openUploads()).toBe(0)
})
