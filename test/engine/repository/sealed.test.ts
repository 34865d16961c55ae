import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveKeys } from '../../../engine/repository/keys.ts'
import { openObject, sealObject, type SealedKind } from '../../../engine/repository/sealed.ts'
import { additionalData, objectHeader } from '../../../engine/repository/sealed.ts'
import { seal } from '../../../engine/repository/crypto.ts'
import { codeOf, noise, prose } from './support.ts'

const keys = deriveKeys(noise('master', 32))
const kinds: readonly SealedKind[] = ['index', 'intent', 'snapshot', 'gc', 'ack', 'expired', 'deleted']

test('any bytes come back under their name and kind, and under no other', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 400, size: 'max' }), fc.constantFrom(...kinds), fc.constantFrom(...kinds), async (plain, kind, other) => {
    const bytes = sealObject(keys, 'place/a', kind, plain)
    expect(Buffer.compare(openObject(keys, 'place/a', kind, bytes), plain)).toBe(0)
    expect(await codeOf(() => openObject(keys, 'place/b', kind, bytes))).toBe('damaged')
    if (other !== kind) expect(await codeOf(() => openObject(keys, 'place/a', other, bytes))).toBe('damaged')
    expect(await codeOf(() => openObject(deriveKeys(noise('other', 32)), 'place/a', kind, bytes))).toBe('damaged')
  }))
})

test('what compresses is stored smaller', () => {
  const plain = prose('text', 50_000)
  const bytes = sealObject(keys, 'index/a', 'index', plain)
  expect(bytes.length).toBeLessThan(25_000)
  expect(Buffer.compare(openObject(keys, 'index/a', 'index', bytes), plain)).toBe(0)
  expect(sealObject(keys, 'index/a', 'index', noise('noise', 50_000)).length).toBeLessThan(52_000)
})

test('every flipped byte and every truncation is found', async () => {
  const bytes = sealObject(keys, 'gc/a', 'gc', prose('records', 200))
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte))
    expect(await codeOf(() => openObject(keys, 'gc/a', 'gc', flipped)), `byte ${at}`).toBe(at === 3 ? 'version' : 'damaged')
    expect(await codeOf(() => openObject(keys, 'gc/a', 'gc', bytes.subarray(0, at))), `cut at ${at}`).toBe('damaged')
  }
  expect(await codeOf(() => openObject(keys, 'gc/a', 'gc', Buffer.concat([bytes, Buffer.of(0)])))).toBe('damaged')
})

test('errors name the object', () => {
  const bytes = sealObject(keys, 'gc/a', 'gc', new Uint8Array(3))
  expect(() => openObject(keys, 'gc/b', 'gc', bytes)).toThrow(/gc\/b/)
  bytes[3] = 7
  expect(() => openObject(keys, 'gc/a', 'gc', bytes)).toThrow(/gc\/a.*version 7/)
})

test.each<[string, number, number, number, Uint8Array]>([
  ['padding that is not zero', 0, 3, 3, Buffer.from('abc\0\0x')],
  ['padding that is not zero behind a frame', 1, 50, 4, Buffer.from('abcd\0x')],
  ['an unknown compression', 2, 3, 3, Buffer.from('abc')],
  ['two lengths', 0, 2, 3, Buffer.from('abc')],
  ['a stored length beyond its end', 0, 4, 4, Buffer.from('abc')],
  ['a length beyond any object', 1, 0x0400_0001, 3, Buffer.from('abc')],
  ['a frame that is none', 1, 3, 3, Buffer.from('abc')],
])('of one who has the keys, an object with %s is damaged', async (_what, compression, length, storedLength, rest) => {
  const head = Buffer.alloc(9)
  head.writeUInt8(compression)
  head.writeUInt32LE(length, 1)
  head.writeUInt32LE(storedLength, 5)
  const header = objectHeader('gc')
  const bytes = Buffer.concat([header, seal(keys.metadata, additionalData(header, 'gc/a'), Buffer.concat([head, rest]))])
  expect(await codeOf(() => openObject(keys, 'gc/a', 'gc', bytes))).toBe('damaged')
})

test('an object that breaks off inside its own lengths is damaged', async () => {
  const header = objectHeader('gc')
  for (let length = 0; length < 9; length++) {
    const bytes = Buffer.concat([header, seal(keys.metadata, additionalData(header, 'gc/a'), new Uint8Array(length))])
    expect(await codeOf(() => openObject(keys, 'gc/a', 'gc', bytes)), String(length)).toBe('damaged')
  }
})

test('records up to 1 KB have lengths from the same few', () => {
  const lengths = Array.from({ length: 9 }, (_, step) => 4 + 48 + 1024 + step * 64)
  for (const bytes of [2, 300, 1015]) {
    const seen = new Set(Array.from({ length: 400 }, () => sealObject(keys, 'gc/a', 'gc', noise('x', bytes)).length))
    expect(lengths).toEqual(expect.arrayContaining([...seen]))
    expect(seen.size).toBeGreaterThan(6)
  }
})
