import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter } from '../../../engine/base/bytes.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import {
  attributeKinds, attributesBlob, attributesOf, decodeAttributes, maxAttributesBytes, readInlineAttributes, sameAttributes, storeAttributes, writeInlineAttributes,
} from '../../../engine/snapshot/attributes.ts'
import type { Attribute, Attributes } from '../../../engine/snapshot/node.ts'
import { decodeTree, encodeLeaf } from '../../../engine/snapshot/tree.ts'
import { treeReferences } from '../../../engine/repository/protocol/references.ts'
import { file, plain, TreeStore } from './support.ts'

const one = (name: string, value: string | number = 'v', kind: number = attributeKinds.extended): Attribute => ({ kind, name: Buffer.from(name), value: typeof value === 'number' ? Buffer.alloc(value, 7) : Buffer.from(value) })

function stored(list: readonly Attribute[]): { readonly kept: Attributes, readonly store: TreeStore } {
  const store = new TreeStore()
  const kept = storeAttributes(store.store, list)
  if (kept === undefined || kept === 'too-large') throw new Error('nothing is kept')
  return { kept, store }
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return error instanceof HoldfastError ? error.code : String(error)
  }
}

const rows = (list: readonly Attribute[]): unknown => list.map(({ kind, name, value }) => [kind, Buffer.from(name).toString(), value.length])

describe('attributes', () => {
  test('are sorted, whatever order they were read in, and stand in the entry while they are short', async () => {
    const { kept, store } = stored([one('user.b'), one('z', 3, attributeKinds.inodeFlags), one('user.a')])
    expect(store.blobs.size).toBe(0)
    expect(attributesBlob({ attributes: kept })).toBeUndefined()
    expect(rows(await attributesOf(store.load, { attributes: kept }))).toEqual([[1, 'user.a', 1], [1, 'user.b', 1], [2, 'z', 3]])
  })

  test('go into a blob of their own beyond 512 bytes', async () => {
    // count, kind, two lengths (the value's in two bytes), name
    const edge = 512 - 1 - 1 - 1 - 2 - 6
    expect(stored([one('user.a', edge)]).store.blobs.size).toBe(0)
    const { kept, store } = stored([one('user.a', edge + 1)])
    expect(store.blobs.size).toBe(1)
    expect(attributesBlob({ attributes: kept })).toBe(kept)
    expect(rows(await attributesOf(store.load, { attributes: kept }))).toEqual([[1, 'user.a', edge + 1]])
  })

  test('beyond what the format has room for are refused, and nothing is stored', () => {
    const store = new TreeStore()
    const many = Array.from({ length: 17 }, (_, index) => one(`user.${index}`, 65_536))
    expect(storeAttributes(store.store, many)).toBe('too-large')
    expect(storeAttributes(store.store, [one('user.a', 65_537)])).toBe('too-large')
    expect(storeAttributes(store.store, [one('n'.repeat(256))])).toBe('too-large')
    expect(storeAttributes(store.store, [one('a\0b')])).toBe('too-large')
    expect(storeAttributes(store.store, [])).toBeUndefined()
    expect(store.blobs.size).toBe(0)
    expect(storeAttributes(store.store, many.slice(0, 15))).toBeInstanceOf(Uint8Array)
  })

  test('are compared by what they say', () => {
    const list = [one('user.a'), one('user.b')]
    const id = stored([one('user.a', 600)]).kept
    expect(sameAttributes(undefined, undefined)).toBe(true)
    expect(sameAttributes(list, [one('user.a'), one('user.b')])).toBe(true)
    expect(sameAttributes(id, Buffer.from(id as Uint8Array))).toBe(true)
    for (const other of [undefined, [], [one('user.a')], [one('user.a'), one('user.b', 'w')], [one('user.a'), one('user.c')], [one('user.a'), one('user.b', 'v', 2)], id]) {
      expect(sameAttributes(list, other), JSON.stringify(rows(Array.isArray(other) ? other : []))).toBe(false)
    }
  })

  test('of an entry are followed by whoever follows trees', () => {
    const { kept, store } = stored([one('user.a', 600)])
    const { trees } = treeReferences(encodeLeaf([file('f', { attributes: kept })]))
    expect(plain(trees)).toEqual([...store.blobs.keys()])
    expect(treeReferences([...store.blobs.values()][0] ?? new Uint8Array(0))).toEqual({ trees: [], data: [] })
  })
})

describe('forged attributes', () => {
  const inline = (...bytes: number[]): string | undefined => codeOf(() => readInlineAttributes(new ByteReader(Uint8Array.from(bytes), 'A tree')))

  test('are damaged when they are empty, out of order, twice, of kind 0, nameless or end early', () => {
    expect(inline(1, 1, 1, 0x61, 0)).toBeUndefined()
    expect(inline(0)).toBe('damaged')
    expect(inline(2, 1, 1, 0x62, 0, 1, 1, 0x61, 0)).toBe('damaged')
    expect(inline(2, 1, 1, 0x61, 0, 1, 1, 0x61, 0)).toBe('damaged')
    expect(inline(1, 0, 1, 0x61, 0)).toBe('damaged')
    expect(inline(1, 1, 0, 0)).toBe('damaged')
    expect(inline(1, 1, 1, 0, 0)).toBe('damaged')
    expect(inline(1, 1, 1, 0x61, 9)).toBe('damaged')
    expect(inline(0xff, 0xff, 0x3f)).toBe('damaged')
  })

  test('are damaged in place when they belong into a blob, and in a blob when they belong in place', () => {
    const writer = new ByteWriter()
    for (const byte of [1, 1, 1, 0x61, 0x80, 4, ...Buffer.alloc(512)]) writer.u8(byte)
    expect(inline(...writer.written())).toBe('damaged')
    expect(codeOf(() => decodeAttributes(Uint8Array.from([0x41, 1, 0, ...writer.written()])))).toBeUndefined()
    expect(codeOf(() => decodeAttributes(Uint8Array.from([0x41, 1, 0, 1, 1, 1, 0x61, 0])))).toBe('damaged')
    expect(codeOf(() => decodeAttributes(Uint8Array.from([0x41, 1, 1, ...writer.written()])))).toBe('damaged')
    expect(codeOf(() => decodeAttributes(Uint8Array.from([0x41, 1, 0, ...writer.written(), 0])))).toBe('damaged')
    expect(codeOf(() => decodeAttributes(new Uint8Array(maxAttributesBytes + 4).fill(0x41, 0, 1).fill(1, 1, 2)))).toBe('damaged')
  })

  test('take no entry past its end', () => {
    expect(codeOf(() => { writeInlineAttributes(new ByteWriter(), [one('user.a', 600)]) })).toBe('internal')
    const bytes = Buffer.from(encodeLeaf([file('f', { attributes: [one('user.a')] })]))
    bytes[bytes.lastIndexOf('v') - 1] = 2
    expect(codeOf(() => decodeTree(bytes))).toBe('damaged')
  })
})
