import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deriveKey, isBearable, passwordKey, seal, sealOverhead, standardCost, tryUnseal } from '../../../engine/repository/crypto.ts'
import { cheap, codeOf, noise } from './support.ts'

const key = noise('key', 32)
const place = Buffer.from('its place')

test('a box gives back what was sealed, and never looks the same twice', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), (plain) => {
    const box = seal(key, place, plain)
    expect(box.length).toBe(plain.length + sealOverhead)
    expect(Buffer.compare(tryUnseal(key, place, box) ?? Buffer.from('?'), plain)).toBe(0)
    expect(Buffer.compare(seal(key, place, plain), box)).not.toBe(0)
  }))
})

test('a box does not open when any byte of it, its key or its place differs, or when it is cut', () => {
  const box = seal(key, place, Buffer.from('something worth keeping'))
  for (let at = 0; at < box.length; at++) {
    const flipped = box.slice()
    flipped[at] = (flipped[at] ?? 0) ^ 1
    expect(tryUnseal(key, place, flipped), `byte ${at}`).toBeUndefined()
    expect(tryUnseal(key, place, box.subarray(0, at)), `cut at ${at}`).toBeUndefined()
  }
  expect(tryUnseal(noise('other', 32), place, box)).toBeUndefined()
  expect(tryUnseal(key, Buffer.from('elsewhere'), box)).toBeUndefined()
})

test('HKDF-SHA-256 as in RFC 5869, test case 3 (first 32 bytes)', () => {
  const derived = deriveKey(Buffer.alloc(22, 0x0b), new Uint8Array(0), '')
  expect(Buffer.from(derived).toString('hex')).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d')
})

test('a password gives the same key however its letters were typed', async () => {
  const salt = noise('salt', 32)
  const composed = await passwordKey('caf\u00e9', salt, cheap)
  const decomposed = await passwordKey('cafe\u0301', salt, cheap)
  expect(Buffer.compare(composed, decomposed)).toBe(0)
  expect(Buffer.compare(composed, await passwordKey('cafe', salt, cheap))).not.toBe(0)
})

test('costs that would take too much memory or time are refused without being tried', async () => {
  expect(isBearable(standardCost)).toBe(true)
  const refused = [
    { N: 2 ** 24, r: 8, p: 1 }, { N: 2 ** 19, r: 8, p: 1 }, { N: 2 ** 17, r: 8, p: 64 }, { N: 2 ** 17, r: 800, p: 1 }, { N: 1000, r: 8, p: 1 },
    { N: 0, r: 8, p: 1 }, { N: 1, r: 8, p: 1 }, { N: 2 ** 10, r: 1.5, p: 1 }, { N: 2 ** 10, r: -8, p: -1 }, { N: Infinity, r: 8, p: 1 },
  ]
  for (const cost of refused) {
    expect(isBearable(cost), JSON.stringify(cost)).toBe(false)
    expect(await codeOf(() => passwordKey('x', noise('salt', 32), cost))).toBe('damaged')
  }
})

describe('a random source that gives the same bytes for ever', () => {
  const stuck = (length: number): Uint8Array => new Uint8Array(length)
  const saltOf = (box: Uint8Array): string => Buffer.from(box.subarray(0, 32)).toString('hex')

  test('never gives two contents, two places or two keys one box key', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100, size: 'max' }), fc.nat(100), (plain, at) => {
      const other = plain.slice()
      if (other.length > 0) other[at % other.length] = (other[at % other.length] ?? 0) ^ 1
      const longer = Buffer.concat([plain, Buffer.of(0)])
      const boxes = [seal(key, place, plain, stuck), seal(key, place, longer, stuck), seal(key, Buffer.from('elsewhere'), plain, stuck), seal(noise('other', 32), place, plain, stuck)]
      if (other.length > 0) boxes.push(seal(key, place, other, stuck))
      expect(new Set(boxes.map(saltOf)).size).toBe(boxes.length)
      for (const box of boxes.slice(0, 1)) expect(Buffer.compare(tryUnseal(key, place, box) ?? Buffer.from('?'), plain)).toBe(0)
    }))
  })

  test('of many contents that differ in one bit, no two have a salt in common', () => {
    const salts = new Set<string>()
    for (let bit = 0; bit < 20_000; bit++) {
      const plain = new Uint8Array(2500)
      plain[bit >>> 3] = 1 << (bit & 7)
      salts.add(saltOf(seal(key, place, plain, stuck)))
    }
    expect(salts.size).toBe(20_000)
  })

  test('shows at most that the same was sealed twice', () => {
    expect(Buffer.compare(seal(key, place, noise('a', 500), stuck), seal(key, place, noise('a', 500), stuck))).toBe(0)
  })
})

test('a good random source gives equal contents different salts', () => {
  const salts = Array.from({ length: 1000 }, () => Buffer.from(seal(key, place, noise('a', 50)).subarray(0, 32)).toString('hex'))
  expect(new Set(salts).size).toBe(1000)
})
