import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { testFolder } from '../engine/small-repository.ts'
import { keptOf, liveThrough } from '../soak/year.ts'

beforeEach(() => { vi.stubEnv('TZ', 'Europe/Berlin') })
afterEach(() => { vi.unstubAllEnvs() })

test('two machines that look after their repository every night keep what the policy says, over the night on which summer time begins', async () => {
  await using folder = await testFolder()
  const report = await liveThrough({ seed: 11, days: 7, from: [2026, 3, 25], everyHours: 3, machines: ['alpha', 'beta'], folder: folder.path })
  expect(report.backups).toBeGreaterThan(90)
  expect(report.careRuns).toBeGreaterThan(8)
  expect(report.forgotten).toBeGreaterThan(5)
  expect(report.restored).toBe(report.snapshots)
  expect(report.drilledFiles).toBeGreaterThan(0)
  // Runs are broken off, and care goes on beside backups: space is freed all the same.
  expect(report.deletedPacks).toBeGreaterThan(20)
  expect(report.packBytes).toBeLessThan(3.5 * report.neededBytes)
}, 1_200_000)

test('the oracle knows a week, a month and an hour that comes twice', () => {
  const at = (text: string): { readonly finishedMs: number } => ({ finishedMs: new Date(text).getTime() })
  const [monday, sunday, firstTwo, secondTwo, november] = [
    at('2026-10-19T12:00+02:00'), at('2026-10-25T00:30+02:00'), at('2026-10-25T02:30+02:00'), at('2026-10-25T02:30+01:00'), at('2026-11-01T12:00+01:00'),
  ]
  const all = [monday, sunday, firstTwo, secondTwo, november]
  expect(keptOf(all, { weekly: 9 })).toEqual(new Set([secondTwo, november]))
  expect(keptOf(all, { monthly: 9 })).toEqual(new Set([secondTwo, november]))
  expect(keptOf(all, { daily: 2 })).toEqual(new Set([secondTwo, november]))
  expect(keptOf(all, { hourly: 9 })).toEqual(new Set(all))
  expect(keptOf(all, {})).toEqual(new Set([november]))
})
