import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterUploads, verificationBudget } from '../../../../engine/commands/backup/verification-budget.ts'

const MiB = 1024 * 1024
const distances = ['near', 'far'] as const
const perDay = { near: 1024 * MiB, far: 32 * MiB }

test.each([
  ['far', 2_000, 0, 2_000],
  ['far', 2_000, 32 * MiB, 0],
  ['far', 500 * MiB, 1 * MiB, 31 * MiB],
  ['near', 2_000, 5 * MiB, 2_000],
  ['near', 32 * MiB, 5 * MiB, 32 * MiB],
  ['near', 64 * MiB, 5 * MiB, 32 * MiB],
  ['near', 600 * MiB, 0, 37.5 * MiB],
  ['near', 3200 * MiB, 0, 200 * MiB],
  ['near', 64_000 * MiB, 100 * MiB, 924 * MiB],
  // The first of a day: every pack has its turn, also where nothing changes.
  ['far', 0, undefined, 32 * MiB],
  ['near', 0, undefined, 32 * MiB],
  ['near', 3200 * MiB, undefined, 200 * MiB],
] as const)('%s, %s sent, %s read today: %s', (distance, sentBytes, todayBytes, expected) => {
  expect(verificationBudget({ distance, sentBytes, todayBytes })).toBe(expected)
})

test('runs of a day together read at most the day’s bytes, and each but the first at most what it sent', () => {
  fc.assert(fc.property(fc.constantFrom(...distances), fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 50 }), (distance, runs) => {
    let todayBytes: number | undefined
    for (const sentBytes of runs) {
      const budget = verificationBudget({ distance, sentBytes, todayBytes })
      if (todayBytes !== undefined) expect(budget).toBeLessThanOrEqual(sentBytes)
      todayBytes = (todayBytes ?? 0) + budget
      expect(todayBytes).toBeLessThanOrEqual(perDay[distance])
    }
  }))
})

test.each([[0, 4], [50, 4], [256, 4], [6400, 100]])('%d MiB sent: at most %d MiB are read back after the uploads', (sentMiB, expected) => {
  expect(afterUploads(sentMiB * MiB)).toBe(expected * MiB)
})
