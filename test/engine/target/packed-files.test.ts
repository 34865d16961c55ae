import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fileAt, packFiles } from '../../../engine/target/packed-files.ts'

const name = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const uid = fc.nat(0xffff_ffff)
const place = fc.record({ path: fc.oneof(fc.constantFrom('', 'folder'), name), device: uint64, inode: uint64, owners: fc.tuple(uid, uid) })
const attributes = fc.option(fc.array(fc.record({ name, value: fc.uint8Array({ maxLength: 20 }) }), { maxLength: 3 }), { nil: undefined })
const spec = fc.record({
  folder: place, name, temporary: name, size: fc.maxSafeNat(), mode: fc.nat(0o7777), uid, gid: uid, attributes, part: fc.option(fc.record({ inode: uint64.filter((inode) => inode > 0n), owner: uid }), { nil: undefined }),
  mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), sparse: fc.boolean(), direct: fc.boolean(),
})

it('gives back every file as it was, whatever its name', () => {
  fc.assert(fc.property(fc.array(fc.record({ file: spec, whole: fc.boolean() })), (files) => {
    const packed = structuredClone(packFiles(files))
    expect(files.map((_, index) => fileAt(packed, index))).toEqual(files)
    expect(fileAt(packed, files.length)).toBeUndefined()
  }))
})
