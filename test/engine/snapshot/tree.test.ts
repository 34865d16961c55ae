import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../../engine/base/errors.ts'
import type { TreeNode } from '../../../engine/snapshot/node.ts'
import { decodeTree, encodeBranch, encodeLeaf, LeafCursor } from '../../../engine/snapshot/tree.ts'
import { directory, file, idOf, plain } from './support.ts'

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}

/** A leaf as someone could forge it: bytes of it replaced after it was encoded. */
function forged(nodes: readonly TreeNode[], change: (bytes: Buffer) => Uint8Array | void): Uint8Array {
  const bytes = Buffer.from(encodeLeaf(nodes))
  return change(bytes) ?? bytes
}

describe('a leaf', () => {
  test('gives back its entries, and has one encoding', () => {
    fc.assert(fc.property(directory, (nodes) => {
      const bytes = encodeLeaf(nodes)
      const decoded = decodeTree(bytes)
      if (decoded.type !== 'leaf') throw new Error('not a leaf')
      expect(plain(decoded.nodes)).toEqual(plain(nodes))
      expect(Buffer.compare(encodeLeaf(decoded.nodes), bytes)).toBe(0)
    }))
  })

  test('leaves room for the hasher', () => {
    expect(encodeLeaf([]).byteOffset).toBeGreaterThanOrEqual(64)
    expect(encodeBranch(1, [{ firstName: Buffer.from('a'), tree: idOf('a') }]).byteOffset).toBeGreaterThanOrEqual(64)
  })

  test('with any byte changed or cut is damaged or another leaf that encodes to just these bytes', () => {
    fc.assert(fc.property(directory, fc.nat(), fc.integer({ min: 1, max: 255 }), (nodes, at, change) => {
      const bytes = encodeLeaf(nodes).slice()
      const place = at % bytes.length
      expect(codeOf(() => decodeTree(bytes.subarray(0, place)))).toBe('damaged')
      bytes[place] = (bytes[place] ?? 0) ^ change
      const code = codeOf(() => {
        const decoded = decodeTree(bytes)
        if (decoded.type === 'leaf') expect(Buffer.compare(encodeLeaf(decoded.nodes), bytes)).toBe(0)
      })
      expect([undefined, 'damaged']).toContain(code)
    }), { numRuns: 500 })
  })

  test.each(['..', '.', '', 'a/b', '/etc/passwd', 'a\0b'])('cannot be made with the name %j', (name) => {
    expect(codeOf(() => encodeLeaf([file(name)]))).toBe('internal')
  })

  test.each(['..', '.x', 'a/', '/a', 'a\0'])('forged to hold the name %j is damaged unless a file could have it', (name) => {
    const bytes = forged([file('zz')], (leaf) => { leaf.write(name, leaf.indexOf('zz'), 'latin1') })
    expect(codeOf(() => decodeTree(bytes))).toBe(name === '.x' ? undefined : 'damaged')
  })

  test('with an empty name, names twice or out of order is damaged', () => {
    expect(codeOf(() => decodeTree(forged([file('z')], (leaf) => { leaf[leaf.indexOf('z') - 1] = 0 })))).toBe('damaged')
    for (const second of ['a', 'b']) {
      const bytes = forged([file('b'), file('c')], (leaf) => { leaf.write(second, leaf.lastIndexOf('c'), 'latin1') })
      expect(codeOf(() => decodeTree(bytes))).toBe('damaged')
    }
  })

  test('with a size that no file has, an unknown type, flag, mode or version is damaged', () => {
    const at = 3 + 1 + 1 + 1 // behind the head, the count, the name's length and the name
    const changes: [number, number][] = [[at, 4], [at + 2, 0x10], [at + 19, 8], [at + 19, 6], [at + 51, 0x7f], [at + 52, 2], [at + 54, 9], [1, 2], [2, 1], [0, 0x42], [0, 0x4c], [0, 0x99]]
    for (const [place, byte] of changes) {
      const bytes = forged([file('z')], (leaf) => { leaf[place] = byte })
      expect(codeOf(() => decodeTree(bytes)), `byte ${place} = ${byte}`).toBe('damaged')
    }
  })

  test('cannot make us take memory for what it does not hold', () => {
    expect(codeOf(() => decodeTree(Uint8Array.of(0x54, 1, 0, 0xff, 0x1f)))).toBe('damaged')
    expect(codeOf(() => decodeTree(Uint8Array.of(0x54, 1, 0, 0xff, 0xff, 0xff, 0x7f)))).toBe('damaged')
    expect(codeOf(() => decodeTree(Uint8Array.of(0x42, 1, 1, 0xff, 0xff, 0xff, 0x7f)))).toBe('damaged')
    expect(codeOf(() => decodeTree(new Uint8Array(0)))).toBe('damaged')
  })

  test('followed by anything is damaged', () => {
    expect(codeOf(() => decodeTree(forged([file('z')], (leaf) => Buffer.concat([leaf, Buffer.of(0)]))))).toBe('damaged')
    expect(codeOf(() => decodeTree(forged([], (leaf) => Buffer.concat([leaf, Buffer.of(0)]))))).toBe('damaged')
  })
})

describe('a branch', () => {
  const children = [{ firstName: Buffer.from('a'), tree: idOf('1') }, { firstName: Buffer.from('b'), tree: idOf('2') }]

  test('gives back its children', () => {
    expect(plain(decodeTree(encodeBranch(3, children)))).toEqual(plain({ type: 'branch', depth: 3, children }))
  })

  test('that is empty, too deep, flat, out of order or of impossible names is damaged', () => {
    expect(codeOf(() => decodeTree(encodeBranch(1, [])))).toBe('damaged')
    expect(codeOf(() => decodeTree(encodeBranch(9, children)))).toBe('damaged')
    expect(codeOf(() => decodeTree(encodeBranch(0, children)))).toBe('damaged')
    expect(codeOf(() => decodeTree(encodeBranch(1, children.toReversed())))).toBe('damaged')
    expect(codeOf(() => decodeTree(encodeBranch(1, [{ firstName: Buffer.from('a/b'), tree: idOf('1') }])))).toBe('damaged')
  })
})

describe('a cursor', () => {
  const stamp = { size: 5n, mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: 1_700_000_000_987_654_321n, inode: 42n, device: 66_305n }

  test('compares a file without decoding it: any difference shows', () => {
    const cursor = new LeafCursor(encodeLeaf([file('a')]))
    expect(cursor.next()).toBe(true)
    expect(cursor.isUnchanged(stamp)).toBe(true)
    for (const field of ['size', 'mtimeNs', 'ctimeNs', 'inode'] as const) expect(cursor.isUnchanged({ ...stamp, [field]: 1n }), field).toBe(false)
    expect(cursor.next()).toBe(false)
  })

  test('never takes something else for an unchanged file', () => {
    const { name, mode, uid, gid, mtimeNs } = file('a')
    // A target that stands, with its length, where a file has ctime, inode, device and size.
    const alike = Buffer.alloc(32, 7)
    alike[0] = 31
    const cursor = new LeafCursor(encodeLeaf([{ type: 'symlink', name, mode, uid, gid, mtimeNs, target: alike.subarray(1) }]))
    cursor.next()
    const [ctimeNs = 0n, inode = 0n, size = 0n] = [0, 8, 24].map((at) => alike.readBigInt64LE(at))
    expect(cursor.isUnchanged({ mtimeNs, ctimeNs, inode, size })).toBe(false)
    expect(cursor.type).toBe('symlink')
    expect(cursor.contentIds()).toHaveLength(0)
  })

  test('gives names, types, nodes and ids as the decoder does', () => {
    fc.assert(fc.property(directory, (nodes) => {
      const cursor = new LeafCursor(encodeLeaf(nodes))
      for (const expected of nodes) {
        expect(cursor.next()).toBe(true)
        expect(plain([cursor.name, cursor.type, cursor.node()])).toEqual(plain([expected.name, expected.type, expected]))
        expect(Buffer.compare(cursor.contentIds(), Buffer.concat(expected.type === 'file' ? expected.content.ids : []))).toBe(0)
      }
      expect(cursor.next()).toBe(false)
    }))
  })
})
