import { expect, test } from 'vitest'
import { fairBytes, rangeBytesOf } from '../../../../engine/commands/restore/downloads.ts'

const MiB = 1024 * 1024

test.each([['near', 4, 2], ['near', 64, 2], ['far', 1, 16], ['far', 4, 16], ['far', 8, 12], ['far', 16, 6], ['far', 64, 1.5]] as const)('%s, %d at once: ranges of %d MiB', (distance, concurrency, expected) => {
  expect(rangeBytesOf(distance, concurrency)).toBe(expected * MiB)
  if (distance === 'far') expect(rangeBytesOf(distance, concurrency) * concurrency).toBeLessThanOrEqual(96 * MiB)
})

test('a pack is shared out evenly, and towards the end into shorter ranges, down to a quarter', () => {
  const perPack = (leftMiB: number): number => Math.ceil(20 / (fairBytes(20 * MiB, leftMiB * MiB, 16 * MiB, 4) / MiB / 1.1))
  expect([400, 128, 64, 32, 8, 0].map(perPack)).toEqual([2, 2, 3, 5, 5, 5])
  expect(fairBytes(3 * MiB, 400 * MiB, 16 * MiB, 4)).toBeGreaterThanOrEqual(3 * MiB)
})
