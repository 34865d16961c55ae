import { expect, test } from 'vitest'
import { fairPackBytes, packSize } from '../../../engine/commands/backup/machine.ts'

const gibibyte = 1024 ** 3
const mebibyte = 1024 ** 2

test('packs grow with the repository, from 16 to 64 MiB', () => {
  expect(packSize(0)).toBe(16 * mebibyte)
  expect(packSize(10 * gibibyte)).toBe(16 * mebibyte)
  expect(packSize(80 * gibibyte)).toBe(40 * mebibyte)
  expect(packSize(10_000 * gibibyte)).toBe(64 * mebibyte)
})

test('towards the end they become smaller, so that all transfers end at about the same time, and none is a trifle', () => {
  const most = 16 * mebibyte
  expect(fairPackBytes(undefined, most, 4)).toBe(most)
  expect(fairPackBytes(gibibyte, most, 4)).toBe(most)
  expect(fairPackBytes(40 * mebibyte, most, 4)).toBe(10 * mebibyte)
  expect(fairPackBytes(0, most, 4)).toBe(4 * mebibyte)
  for (const lanes of [1, 2, 4, 16]) {
    const sent = Array.from({ length: lanes }, () => 0)
    for (let left = 200 * mebibyte; left > 0;) {
      const pack = Math.min(left, fairPackBytes(left, most, lanes))
      // The next pack goes where a transfer ends first.
      const next = sent.indexOf(Math.min(...sent))
      sent[next] = (sent[next] ?? 0) + pack
      left -= pack
    }
    expect(Math.max(...sent) - Math.min(...sent)).toBeLessThanOrEqual(4 * mebibyte)
  }
})
