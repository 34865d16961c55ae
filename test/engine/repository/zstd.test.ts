import { describe, expect, test } from 'vitest'
import { decompress, frameBound, frameCoder, plainCoder, provesRight } from '../../../engine/repository/zstd.ts'
import { codeOf, noise, prose } from './support.ts'

const coder = frameCoder()

/** Many of many lengths, what shrinks and what does not. */
const samples = Array.from({ length: 400 }, (_, at) => (at % 3 === 0 ? noise : prose)(`${at}`, (at * at) % 66_000))

function frameOf(plain: Uint8Array, by = coder): Uint8Array {
  const output = Buffer.alloc(frameBound(plain.length))
  return output.subarray(0, by.compress(plain, 2, output))
}

function contentOf(frame: Uint8Array, room: number, by = coder): Uint8Array | undefined {
  const output = Buffer.alloc(room)
  const length = by.decompress(frame, output)
  return length === undefined ? undefined : output.subarray(0, length)
}

describe('frames of small blobs', () => {
  test('are made in one context for all, since this Node has it', () => {
    expect(coder).not.toBe(plainCoder)
    expect(frameCoder()).toBe(coder)
  })

  test('come back, whoever made and whoever opens them', () => {
    for (const plain of samples) {
      const frames = [frameOf(plain), frameOf(plain, plainCoder)]
      for (const frame of frames) for (const by of [coder, plainCoder]) expect(Buffer.compare(contentOf(frame, plain.length + 1, by) ?? Buffer.from('?'), plain)).toBe(0)
    }
  })

  test('depend on nothing that went before', () => {
    const secret = prose('secret', 3000)
    const alone = frameOf(secret)
    frameOf(secret)
    frameOf(prose('other', 5000))
    expect(Buffer.compare(frameOf(secret), alone)).toBe(0)
  })

  test('that are damaged, cut or too large leave the next ones alone', () => {
    const [good, large] = [frameOf(prose('good', 3000)), frameOf(Buffer.alloc(70_000))]
    for (let at = 0; at < good.length; at += 7) {
      const flipped = Uint8Array.from(good, (byte, index) => (index === at ? byte ^ 0x55 : byte))
      contentOf(flipped, 3001)
      expect(contentOf(good.subarray(0, at), 3001) ?? Buffer.alloc(0)).toHaveLength(0)
      expect(contentOf(large, 60_000)).toBeUndefined()
      expect(Buffer.compare(contentOf(good, 3001) ?? Buffer.from('?'), prose('good', 3000))).toBe(0)
    }
  })

  test('of an engine that keeps its contexts otherwise are not trusted', () => {
    expect(provesRight(plainCoder)).toBe(true)
    expect(provesRight({ compress: () => { throw new TypeError('otherwise') }, decompress: () => 0 })).toBe(false)
    expect(provesRight({ ...plainCoder, decompress: (_frame, output) => output.length - 1 })).toBe(false)
    expect(provesRight({ ...plainCoder, compress: (plain, _level, output) => { output.set(plain); return plain.length } })).toBe(false)
  })
})

test('a frame of no bytes is opened as one of none, and as no other', async () => {
  const frame = Uint8Array.from(frameOf(Buffer.alloc(0)))
  expect(decompress(frame, 0, 'it')).toHaveLength(0)
  expect(await codeOf(() => decompress(frame, 1, 'it'))).toBe('damaged')
})

test('a frame that asks for a window beyond the largest blob is refused', async () => {
  // Magic number, no single segment, window of 2^27 bytes; one last raw block of one byte.
  const frame = Buffer.from('28b52ffd' + '00' + '88' + '090000' + '61', 'hex')
  expect(await codeOf(() => decompress(frame, 1, 'it'))).toBe('damaged')
  expect(contentOf(frame, 10)).toBeUndefined()
  frame[5] = 0x50
  expect(Buffer.from(decompress(frame, 1, 'it')).toString()).toBe('a')
})
