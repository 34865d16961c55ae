import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBytes, fromShown, fromText, toBytes, toFilePath, toShown, toText } from '../../../engine/base/byte-string.ts'

test('bytes survive, and byte strings sort as their bytes do', () => {
  fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
    expect(Uint8Array.from(toBytes(fromBytes(a)))).toEqual(a)
    expect(Math.sign(Buffer.compare(a, b))).toBe(fromBytes(a) < fromBytes(b) ? -1 : fromBytes(a) > fromBytes(b) ? 1 : 0)
    expect(Buffer.compare(Buffer.from(toFilePath(fromBytes(a))), a)).toBe(0)
  }))
})

test('text survives', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => { expect(toText(fromText(text))).toBe(text) }))
})

test('what is shown has no control characters, no tricks of direction, and tells bytes that are no text', () => {
  expect(toShown(fromText('über 📷.jpg'))).toBe('über 📷.jpg')
  expect(toShown(fromText('a\nb\x1b[31m'))).toBe('a\\x0ab\\x1b[31m')
  expect(toShown('a\xffb')).toBe('a\\xffb')
  expect(toShown(fromText('gpj.\u202eexe'))).toBe('gpj.\\u202eexe')
})

test('what is shown can be typed back: any bytes, and any text that is no escape', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => { expect(fromShown(toShown(fromBytes(bytes)))).toBe(fromBytes(bytes)) }), { numRuns: 2000 })
  const tricky = fc.array(fc.constantFrom('\\', 'x', 'u', '4', '1', 'a', 'é', '\u0085', '\u202e', '\n', '/', '📷'), { maxLength: 20 }).map((parts) => parts.join(''))
  fc.assert(fc.property(tricky, fc.boolean(), (text, broken) => {
    const name = fromText(text) + (broken ? '\xe9' : '')
    expect(fromShown(toShown(name))).toBe(name)
    expect(toShown(name)).not.toMatch(/[\n\u0085\u202e]/)
  }), { numRuns: 2000 })
  expect(fromShown('caf\\xe9.txt')).toBe('caf\xe9.txt')
  expect(fromShown('a\\b')).toBe('a\\b')
  expect(toShown('a\\x41')).toBe('a\\\\x41')
})
