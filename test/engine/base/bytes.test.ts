import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, compareBytes, copyOf, equalBytes, fromHex, toHex } from '../../../engine/base/bytes.ts'

describe('numbers', () => {
  test('every safe integer survives a varint, in its shortest form', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (value) => {
      const writer = new ByteWriter(16)
      writer.varint(value)
      const reader = new ByteReader(writer.written(), 'A number')
      expect(reader.varint()).toBe(value)
      expect(writer.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
      reader.end()
    }))
  })

  test('fixed widths survive', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(0xffff), fc.nat(0xffff_ffff), (long, short, middle) => {
      const writer = new ByteWriter(1, 64)
      writer.i64(long)
      writer.u16(short)
      writer.u32(middle)
      writer.u64(BigInt.asUintN(64, long))
      const reader = new ByteReader(writer.written(), 'Numbers')
      expect([reader.i64(), reader.u16(), reader.u32(), reader.u64()]).toEqual([long, short, middle, BigInt.asUintN(64, long)])
    }))
  })

  test.each([
    ['a longer form than needed', [0x80, 0x00]],
    ['no end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['nothing', []],
    ['an end too early', [0x80]],
    ['more than is safe', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('a varint with %s is damaged', (_name, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes), 'It').varint()).toThrow(expect.objectContaining({ code: 'damaged' }))
  })
})

test('what is written keeps its headroom while it grows', () => {
  const writer = new ByteWriter(16, 64)
  for (let index = 0; index < 1000; index++) writer.bytes(Uint8Array.of(index, index >> 8))
  const written = writer.written()
  expect(written.byteOffset).toBe(64)
  expect(written.length).toBe(2000)
  expect([written[1998], written[1999]]).toEqual([999 & 255, 3])
})

test('reading past the end or leaving a rest is damaged', () => {
  const reader = new ByteReader(Uint8Array.of(1, 2, 3), 'It')
  expect(() => reader.bytes(4)).toThrow(expect.objectContaining({ code: 'damaged' }))
  expect(() => { reader.skip(4) }).toThrow(expect.objectContaining({ code: 'damaged' }))
  expect(() => { reader.end() }).toThrow(expect.objectContaining({ code: 'damaged' }))
  reader.skip(3)
  reader.end()
})

test('order and equality are those of Buffer', () => {
  const bytes = fc.uint8Array({ maxLength: 80, size: 'max' })
  fc.assert(fc.property(bytes, bytes, (a, b) => {
    expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
    expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0)
    expect(equalBytes(a, a.slice())).toBe(true)
  }))
})

test('hex goes both ways, and nothing else is taken for it', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => { expect(equalBytes(fromHex(toHex(bytes)), bytes)).toBe(true) }))
  for (const text of ['0', 'AB', 'zz', '0x12']) expect(() => fromHex(text)).toThrow(expect.objectContaining({ code: 'damaged' }))
})

test('a copy has memory of its own, of whatever it is a copy', () => {
  const whole = Buffer.from('0123456789')
  const copy = copyOf(whole.subarray(2, 5))
  whole.fill(0)
  expect(Buffer.from(copy).toString()).toBe('234')
  expect(copy.buffer.byteLength).toBe(3)
})
