import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveKeys } from '../../../engine/repository/keys.ts'
import { openObject, sealObject, type SealedKind } from '../../../engine/repository/sealed.ts'
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
  expect(sealObject(keys, 'index/a', 'index', noise('noise', 50_000)).length).toBeLessThan(50_100)
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
