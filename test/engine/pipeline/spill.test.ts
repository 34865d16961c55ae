import { expect, test } from 'vitest'
import { spillGroups } from '../../../engine/pipeline/blob-sink.ts'
import type { SealedPack } from '../../../engine/repository/pack-info.ts'

const pack = (kind: 'data' | 'tree', size: number): SealedPack => ({ path: `/${kind}${size}`, size, crc32: 0, contents: { kind, segments: [] } })
const sizes = (packs: SealedPack[]): number[][] => spillGroups(packs, 100).map((group) => group.map((each) => each.size))

test('small packs of one kind become one', () => {
  expect(sizes([pack('data', 10), pack('data', 20), pack('data', 30)])).toEqual([[30, 20, 10]])
})

test('kinds stay apart', () => {
  expect(sizes([pack('data', 10), pack('tree', 20)])).toEqual([[20], [10]])
})

test('a pack does not grow far beyond its size', () => {
  expect(sizes([pack('data', 90), pack('data', 80), pack('data', 30)])).toEqual([[90, 30], [80]])
})

test('what goes to a far storage side by side stays apart, and only little packs join others', () => {
  const groups = spillGroups([pack('data', 60), pack('data', 50), pack('data', 40), pack('data', 3), pack('tree', 2)], 100, 40)
  expect(groups.map((group) => group.map((each) => each.size))).toEqual([[60, 3], [50], [40], [2]])
})
