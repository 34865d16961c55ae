import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../engine/base/bytes.ts'
import { bodyBytes, decodeFooter, encodeFooter, maxPackBlobs } from '../../../engine/repository/footer.ts'
import { decodeIndex, encodeIndex, indexBytes } from '../../../engine/repository/index-codec.ts'
import type { PackContents, PackInfo, PackSegment } from '../../../engine/repository/pack-info.ts'
import { codeOf, noise } from './support.ts'

/** Contents as some pack could have them. */
const contents: fc.Arbitrary<PackContents> = fc.record({
  kind: fc.constantFrom('data', 'tree'),
  segments: fc.array(fc.record({ lengths: fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 12 }), packed: fc.boolean() }), { maxLength: 8 }),
}).map(({ kind, segments }): PackContents => {
  let offset = 4
  return { kind, segments: segments.map(({ lengths, packed }, segment): PackSegment => {
    const rawLength = lengths.reduce((sum, length) => sum + length, 0)
    const plainLength = packed && rawLength > 0 ? Math.floor(rawLength / 2) : rawLength
    const blobs = lengths.map((length, index) => ({ id: new Uint8Array(noise(`${segment} ${index}`, 32)), length }))
    const made = { offset, storedLength: plainLength + 48, rawLength, compression: plainLength < rawLength ? 'zstd' : 'none', blobs } as const
    offset += made.storedLength
    return made
  }) }
}).chain((packed) => fc.option(fc.nat(100_000), { nil: undefined }).map((rawLength): PackContents => {
  const padding: PackSegment[] = rawLength === undefined ? [] : [{ offset: bodyBytes(packed), storedLength: rawLength + 48, rawLength, compression: 'none', blobs: [] }]
  return { kind: packed.kind, segments: [...packed.segments, ...padding] }
}))

const asArrays = (value: PackContents): unknown => JSON.parse(JSON.stringify(value, (_key, part: unknown) => (part instanceof Uint8Array ? [...part] : part)))

describe('a table of contents', () => {
  test('comes back, and has one encoding', () => {
    fc.assert(fc.property(contents, (value) => {
      const bytes = encodeFooter(value)
      const decoded = decodeFooter(bytes)
      expect(asArrays(decoded)).toEqual(asArrays(value))
      expect(Buffer.compare(encodeFooter(decoded), bytes)).toBe(0)
      expect(bodyBytes(decoded)).toBe(4 + value.segments.reduce((sum, { storedLength }) => sum + storedLength, 0))
    }))
  })

  test('is damaged or another table when bytes of it change, never anything else', async () => {
    await fc.assert(fc.asyncProperty(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), async (value, at, change) => {
      const bytes = encodeFooter(value)
      const place = at % bytes.length
      bytes[place] = (bytes[place] ?? 0) ^ change
      expect([undefined, 'damaged']).toContain(await codeOf(() => decodeFooter(bytes)))
      expect(await codeOf(() => decodeFooter(encodeFooter(value).subarray(0, place)))).toBe('damaged')
      expect(await codeOf(() => decodeFooter(Buffer.concat([encodeFooter(value), Buffer.of(0)])))).toBe('damaged')
    }))
  })

  test.each<[string, (writer: ByteWriter) => void]>([
    ['an unknown kind', (writer) => { writer.u8(2); writer.varint(0) }],
    ['more segments than bytes', (writer) => { writer.u8(0); writer.varint(100_000) }],
    ['more segments than any pack', (writer) => { writer.u8(0); writer.varint(2 ** 40) }],
    ['more blobs than any pack', (writer) => { writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(100); writer.varint((maxPackBlobs + 1) * 2) }],
    ['more blobs than bytes', (writer) => { writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(100); writer.varint(maxPackBlobs * 2) }],
    ['padding that is compressed', (writer) => { writer.u8(0); writer.varint(1); writer.varint(58); writer.varint(100); writer.varint(1) }],
    ['padding of two lengths', (writer) => { writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(99); writer.varint(0) }],
    ['padding before the end', (writer) => {
      writer.u8(0); writer.varint(2); writer.varint(148); writer.varint(100); writer.varint(0)
      writer.varint(148); writer.varint(100); writer.varint(2); writer.bytes(noise('id', 32))
    }],
    ['padding beyond any segment', (writer) => { writer.u8(0); writer.varint(1); writer.varint(2 ** 25 + 48); writer.varint(2 ** 25); writer.varint(0) }],
    ['a huge segment', (writer) => { writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(2 ** 31); writer.varint(3); writer.bytes(noise('id', 32)) }],
    ['a segment that claims to have grown', (writer) => { writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(100); writer.varint(3); writer.bytes(noise('id', 32)) }],
    ['a segment shorter than its seal', (writer) => { writer.u8(0); writer.varint(1); writer.varint(47); writer.varint(0); writer.varint(2); writer.bytes(noise('id', 32)) }],
    ['lengths that do not add up', (writer) => {
      writer.u8(0); writer.varint(1); writer.varint(148); writer.varint(100); writer.varint(4)
      for (const length of [50, 51]) { writer.bytes(noise('id', 32)); writer.varint(length) }
    }],
  ])('with %s is damaged', async (_name, write) => {
    const writer = new ByteWriter()
    write(writer)
    expect(await codeOf(() => decodeFooter(writer.written()))).toBe('damaged')
  })

  test('with gaps is no pack\'s', () => {
    const segment = { offset: 5, storedLength: 58, rawLength: 10, compression: 'none', blobs: [{ id: noise('id', 32), length: 10 }] } as const
    expect(() => bodyBytes({ kind: 'data', segments: [segment] })).toThrow(expect.objectContaining({ code: 'damaged' }))
  })
})

const pack = fc.record({ name: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')), size: fc.nat(), contents })

describe('an index', () => {
  test('gives back its packs', () => {
    fc.assert(fc.property(fc.array(pack, { maxLength: 5 }), (packs) => {
      const decoded = [...encodeIndex(packs)].flatMap((plain) => [...decodeIndex(plain)])
      expect(decoded.map(({ name, size }) => [name, size])).toEqual(packs.map(({ name, size }) => [name, size]))
      expect(decoded.map((one) => asArrays(one.contents))).toEqual(packs.map((one) => asArrays(one.contents)))
    }))
  })

  test('is cut into objects of bounded size', () => {
    const blobs = Array.from({ length: 60_000 }, (_, index) => ({ id: noise(String(index), 32), length: 100 }))
    const segment = { offset: 4, storedLength: 6_000_048, rawLength: 6_000_000, compression: 'none', blobs } as const
    const packs = Array.from({ length: 9 }, (_, index): PackInfo => ({ name: index.toString().repeat(32), size: 7_000_000, contents: { kind: 'data', segments: [segment] } }))
    const objects = [...encodeIndex(packs)]
    expect(objects.length).toBeGreaterThan(1)
    expect(objects.every((plain) => plain.length <= indexBytes)).toBe(true)
    expect(objects.flatMap((plain) => [...decodeIndex(plain)].map(({ name }) => name))).toEqual(packs.map(({ name }) => name))
  })

  test('that ends early or lies about lengths is damaged', async () => {
    const [plain] = encodeIndex([{ name: 'ab'.repeat(16), size: 1000, contents: { kind: 'data', segments: [] } }])
    if (!plain) throw new Error('no index')
    for (let length = 1; length < plain.length; length++) expect(await codeOf(() => [...decodeIndex(plain.subarray(0, length))]), String(length)).toBe('damaged')
    expect(await codeOf(() => [...decodeIndex(Buffer.concat([plain, Buffer.of(0)]))])).toBe('damaged')
  })
})
