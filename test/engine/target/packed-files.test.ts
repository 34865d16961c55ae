import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fileAt, packFiles } from '../../../engine/target/packed-files.ts'

const name = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const spec = fc.record({
  folder: fc.oneof(fc.constantFrom('', 'folder'), name), name, temporary: name, size: fc.maxSafeNat(), mode: fc.nat(0o7777), uid: fc.nat(0xffff_ffff),
  gid: fc.nat(0xffff_ffff), mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), sparse: fc.boolean(), direct: fc.boolean(),
})

it('gives back every file as it was, whatever its name', () => {
  fc.assert(fc.property(fc.array(fc.record({ file: spec, whole: fc.boolean() })), (files) => {
    const packed = structuredClone(packFiles(files))
    expect(files.map((_, index) => fileAt(packed, index))).toEqual(files)
    expect(fileAt(packed, files.length)).toBeUndefined()
  }))
})
