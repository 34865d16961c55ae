import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TreeNode } from '../../../engine/snapshot/node.ts'
import { TreeBuilder } from '../../../engine/snapshot/tree-builder.ts'
import { findInTree, iterateTree } from '../../../engine/snapshot/tree-walk.ts'
import { decodeTree, encodeBranch, encodeLeaf, LeafCursor } from '../../../engine/snapshot/tree.ts'
import { collect, directory, file, idOf, plain, TreeStore } from './support.ts'

function build(nodes: readonly TreeNode[], store = new TreeStore()): { store: TreeStore; root: Uint8Array } {
  const builder = new TreeBuilder(store.store)
  for (const node of nodes) builder.add(node)
  return { store, root: builder.finish() }
}

function manyFiles(count: number): TreeNode[] {
  return Array.from({ length: count }, (_, index) => file(`file ${String(index).padStart(8, '0')}`, { inode: BigInt(index) }))
}

const names = (nodes: readonly TreeNode[]): string[] => nodes.map(({ name }) => Buffer.from(name).toString())

test('a small directory is one leaf', () => {
  fc.assert(fc.property(directory, (nodes) => {
    const { store, root } = build(nodes)
    expect([...store.blobs.keys()]).toEqual([Buffer.from(root).toString('hex')])
    expect(plain(decodeTree(store.blobs.get(Buffer.from(root).toString('hex')) ?? new Uint8Array(0)))).toEqual(plain({ type: 'leaf', nodes }))
  }))
})

test('names that do not ascend are a defect', () => {
  const builder = new TreeBuilder(new TreeStore().store)
  builder.add(file('b'))
  for (const name of ['b', 'a']) expect(() => { builder.add(file(name)) }).toThrow(expect.objectContaining({ code: 'internal' }))
})

describe('a large directory', () => {
  const nodes = manyFiles(30_000)
  const { store, root } = build(nodes)

  test('is split, in the same way each time, and read whole', async () => {
    expect(store.blobs.size).toBeGreaterThan(10)
    expect(Math.max(...[...store.blobs.values()].map((bytes) => bytes.length))).toBeLessThan(1_100_000)
    expect(Buffer.compare(build(nodes).root, root)).toBe(0)
    expect(names(await collect(iterateTree(store.load, root)))).toEqual(names(nodes))
  })

  test('is the same when entries are taken over as they were encoded', () => {
    const builder = new TreeBuilder(new TreeStore().store)
    const leaves = Array.from({ length: 30 }, (_, index) => encodeLeaf(nodes.slice(index * 1000, (index + 1) * 1000)))
    for (const leaf of leaves) {
      const cursor = new LeafCursor(leaf)
      while (cursor.next()) builder.addEncoded(cursor.name, cursor.entry)
    }
    expect(Buffer.compare(builder.finish(), root)).toBe(0)
  })

  test('changes in one leaf when an entry comes or goes', () => {
    for (const edited of [nodes.toSpliced(15_000, 0, file('file 00014999 and more')), nodes.toSpliced(20_000, 1), nodes.with(7, file('file 00000007', { size: 6 }))]) {
      const fresh = new TreeStore()
      build(edited, fresh)
      const changed = [...fresh.blobs.keys()].filter((id) => !store.blobs.has(id))
      expect(changed.length).toBeLessThanOrEqual(4)
      expect(changed.length).toBeGreaterThanOrEqual(2)
    }
  })

  test('is read from any name on, without the leaves before', async () => {
    store.loads = 0
    const page: TreeNode[] = []
    for await (const node of iterateTree(store.load, root, Buffer.from('file 00020000'))) if (page.push(node) === 10) break
    expect(names(page)).toEqual(names(nodes.slice(20_001, 20_011)))
    expect(store.loads).toBeLessThanOrEqual(3)
    expect(await collect(iterateTree(store.load, root, Buffer.from('file 99')))).toEqual([])
    expect(names(await collect(iterateTree(store.load, root, Buffer.from('aaa'))))).toHaveLength(30_000)
  })

  test('gives any one entry', async () => {
    for (const index of [0, 1, 4096, 29_999]) expect(plain(await findInTree(store.load, root, nodes[index]?.name ?? Buffer.alloc(1)))).toEqual(plain(nodes[index]))
    for (const name of ['a', 'file 00000001x', 'z']) expect(await findInTree(store.load, root, Buffer.from(name))).toBeUndefined()
  })
})

test('few entries with long content lists are split by size', async () => {
  const ids = Array.from({ length: 250 }, (_, index) => idOf(String(index)))
  const nodes = Array.from({ length: 500 }, (_, index) => file(`video ${String(index).padStart(4, '0')}`, { content: { depth: 0, ids } }))
  const { store, root } = build(nodes)
  expect(Math.max(...[...store.blobs.values()].map((bytes) => bytes.length))).toBeLessThanOrEqual(1_048_576 + 16)
  expect(names(await collect(iterateTree(store.load, root)))).toEqual(names(nodes))
})

test('a directory of 300,000 entries stays shallow and in small blobs', async () => {
  const blobs = new Map<string, number>()
  const store = new TreeStore()
  const builder = new TreeBuilder((bytes) => {
    const id = store.store(bytes)
    if (bytes[0] !== 0x42) store.blobs.delete(Buffer.from(id).toString('hex'))
    blobs.set(Buffer.from(id).toString('hex'), bytes.length)
    return id
  })
  const entry = encodeLeaf([file('0000000')])
  const cursor = new LeafCursor(entry)
  cursor.next()
  const template = Buffer.from(cursor.entry)
  for (let index = 0; index < 300_000; index++) {
    template.write(String(index).padStart(7, '0'), 1, 'latin1')
    builder.addEncoded(template.subarray(1, 8), template)
  }
  const root = decodeTree(await store.load(builder.finish()))
  expect(root).toMatchObject({ type: 'branch' })
  expect(blobs.size).toBeGreaterThan(150)
  expect(Math.max(...blobs.values())).toBeLessThan(1_100_000)
})

describe('a forged tree', () => {
  const leafA = encodeLeaf([file('a'), file('b')])
  const child = (store: TreeStore, firstName: string, bytes: Uint8Array): { firstName: Uint8Array; tree: Uint8Array } => ({ firstName: Buffer.from(firstName), tree: store.store(bytes) })

  test.each<[string, (store: TreeStore) => Uint8Array]>([
    ['whose branch leads to itself', (store) => {
      const root = idOf('loop')
      store.blobs.set(Buffer.from(root).toString('hex'), encodeBranch(2, [{ firstName: Buffer.from('a'), tree: root }]))
      return root
    }],
    ['whose depth does not fall by one', (store) => store.store(encodeBranch(3, [child(store, 'a', leafA)]))],
    ['whose branch names another first entry', (store) => store.store(encodeBranch(1, [child(store, 'A', leafA)]))],
    ['whose leaves overlap', (store) => store.store(encodeBranch(1, [child(store, 'a', encodeLeaf([file('a'), file('x')])), child(store, 'b', encodeLeaf([file('b')]))]))],
    ['with an empty leaf below a branch', (store) => store.store(encodeBranch(1, [child(store, 'a', encodeLeaf([]))]))],
  ])('%s is damaged', async (_name, forge) => {
    const store = new TreeStore()
    const root = forge(store)
    await expect(collect(iterateTree(store.load, root))).rejects.toMatchObject({ code: 'damaged' })
  })
})
