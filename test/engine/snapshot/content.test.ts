import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunkIds, ContentBuilder, decodeList, encodeList, maxInlineIds } from '../../../engine/snapshot/content.ts'
import type { BlobId, ContentRef } from '../../../engine/snapshot/node.ts'
import { collect, idOf, TreeStore } from './support.ts'

const ids = Array.from({ length: 20_000 }, (_, index) => idOf(`chunk ${index}`))

function build(of: readonly BlobId[], store = new TreeStore()): { store: TreeStore; content: ContentRef } {
  const builder = new ContentBuilder(store.store)
  for (const id of of) builder.add(id)
  return { store, content: builder.finish() }
}

const hex = (of: readonly Uint8Array[]): string[] => of.map((id) => Buffer.from(id).toString('hex'))

test('a file of any number of chunks gives them back in order', async () => {
  await fc.assert(fc.asyncProperty(fc.oneof(fc.nat(600), fc.nat(20_000)), async (count) => {
    const { store, content } = build(ids.slice(0, count))
    expect(content.ids.length).toBeLessThanOrEqual(maxInlineIds)
    expect(content.depth === 0).toBe(count <= maxInlineIds)
    expect(hex(await collect(chunkIds(store.load, content)))).toEqual(hex(ids.slice(0, count)))
    expect(build(ids.slice(0, count)).content).toEqual(content)
  }), { numRuns: 20 })
})

test('ids that never end a list, and ids that always do, are still bounded', async () => {
  for (const first of [0, 1]) {
    const same = ids.slice(0, 3000).map((id) => Uint8Array.from([first, ...id.subarray(1)]))
    const { store, content } = build(same)
    expect(Math.max(...[...store.blobs.values()].map((bytes) => bytes.length))).toBeLessThanOrEqual(1024 * 32 + 8)
    expect(content.ids.length).toBeLessThanOrEqual(maxInlineIds)
    expect(hex(await collect(chunkIds(store.load, content)))).toEqual(hex(same))
  }
})

test('a chunk more in the middle changes one list', () => {
  const before = build(ids)
  const after = build(ids.toSpliced(10_000, 0, idOf('inserted')))
  const fresh = [...after.store.blobs.keys()].filter((id) => !before.store.blobs.has(id))
  expect(before.store.blobs.size).toBeGreaterThan(50)
  expect(fresh.length).toBeLessThanOrEqual(3)
})

test('a builder is empty after it has finished', () => {
  const builder = new ContentBuilder(new TreeStore().store)
  builder.add(idOf('one'))
  builder.finish()
  expect(builder.finish()).toEqual({ depth: 0, ids: [] })
})

test('forged lists are damaged', async () => {
  const list = Buffer.from(encodeList(0, [idOf('a'), idOf('b')]))
  const damaged = expect.objectContaining({ code: 'damaged' }) as unknown as Error
  for (let length = 0; length < list.length; length++) expect(() => decodeList(list.subarray(0, length))).toThrow(damaged)
  expect(() => decodeList(Buffer.concat([list, Buffer.of(1)]))).toThrow(damaged)
  expect(() => decodeList(encodeList(0, []))).toThrow(damaged)
  expect(() => decodeList(encodeList(9, [idOf('a')]))).toThrow(damaged)
  expect(() => decodeList(Uint8Array.of(0x4c, 1, 1, 0xff, 0xff, 0xff, 0x7f))).toThrow(damaged)
  const store = new TreeStore()
  const root = idOf('loop')
  store.blobs.set(Buffer.from(root).toString('hex'), encodeList(1, [root]))
  await expect(collect(chunkIds(store.load, { depth: 2, ids: [root] }))).rejects.toMatchObject({ code: 'damaged' })
})
