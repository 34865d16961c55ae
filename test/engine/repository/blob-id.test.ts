import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlobHasher } from '../../../engine/repository/blob-id.ts'
import { noise } from './support.ts'

const key = noise('blob id', 32)
const hmac = (bytes: Uint8Array): string => createHmac('sha256', key).update(bytes).digest('hex')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('ids are HMAC-SHA-256, with headroom and without, and leave the bytes before as they were', () => {
  const hasher = new BlobHasher(key)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500, size: 'max' }), fc.nat(200), (bytes, start) => {
    const from = Math.min(start, bytes.length)
    const before = hex(bytes)
    expect(hex(hasher.id(bytes, from, bytes.length))).toBe(hmac(bytes.subarray(from)))
    expect(hex(hasher.idOf(bytes))).toBe(hmac(bytes))
    expect(hex(bytes)).toBe(before)
  }))
})

test('large and empty blobs too', () => {
  const hasher = new BlobHasher(key)
  for (const length of [0, 64, 65_536, 65_537, 3_000_000]) {
    const bytes = noise('large', length)
    expect(hex(hasher.idOf(bytes))).toBe(hmac(bytes))
    expect(hex(hasher.id(Buffer.concat([Buffer.alloc(64), bytes]), 64, 64 + length))).toBe(hmac(bytes))
  }
})

test('ids can be taken in memory that threads share', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4096))
  shared.set(noise('shared', 4096))
  expect(hex(new BlobHasher(key).id(shared, 100, 4000))).toBe(hmac(shared.subarray(100, 4000)))
})

test('an id is memory of its own: the next one does not change it', () => {
  const hasher = new BlobHasher(key)
  const first = hasher.idOf(Buffer.from('first'))
  const text = hex(first)
  hasher.idOf(Buffer.from('second'))
  expect(hex(first)).toBe(text)
})
