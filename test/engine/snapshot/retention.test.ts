import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { selectForgotten, type RetentionCandidate } from '../../../engine/snapshot/retention.ts'

const dayMs = 86_400_000
const now = Date.UTC(2026, 10, 22, 12)

const candidates = fc.array(fc.record({ job: fc.constantFrom('a', 'b'), ageMs: fc.nat(3 * 365 * dayMs) }), { maxLength: 60 })
  .map((list) => list.map(({ job, ageMs }, index): RetentionCandidate => ({ id: `${job}@${index}`, job, finishedMs: now - ageMs })))
const counts = fc.nat(9)
const policies = fc.record({ last: counts, hourly: counts, daily: counts, weekly: counts, monthly: counts, yearly: counts }, { requiredKeys: [] })

function split(snapshots: readonly RetentionCandidate[], policy: Parameters<typeof selectForgotten>[1]): { kept: RetentionCandidate[]; forgotten: RetentionCandidate[] } {
  const forgotten = selectForgotten(snapshots, policy, now)
  return { forgotten, kept: snapshots.filter((snapshot) => !forgotten.includes(snapshot)) }
}

describe('any policy over any snapshots', () => {
  test('never lets the newest of a job go', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const { kept } = split(snapshots, policy)
      for (const job of ['a', 'b']) {
        const newest = Math.max(...snapshots.filter((one) => one.job === job).map((one) => one.finishedMs))
        if (Number.isFinite(newest)) expect(kept.some((one) => one.job === job && one.finishedMs === newest)).toBe(true)
      }
    }))
  })

  test('keeps at least as many as each rule says, as far as there are as many', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const { kept } = split(snapshots, policy)
      const days = (list: readonly RetentionCandidate[], job: string): number => new Set(list.filter((one) => one.job === job).map((one) => Math.floor(one.finishedMs / dayMs))).size
      for (const job of ['a', 'b']) {
        const count = (list: readonly RetentionCandidate[]): number => list.filter((one) => one.job === job).length
        expect(count(kept)).toBeGreaterThanOrEqual(Math.min(policy.last ?? 0, count(snapshots)))
        expect(days(kept, job)).toBeGreaterThanOrEqual(Math.min(policy.daily ?? 0, days(snapshots, job)))
      }
    }))
  })

  test('applied again lets nothing more go', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      expect(selectForgotten(split(snapshots, policy).kept, policy, now)).toEqual([])
    }))
  })

  test('keeps no less when it is more generous', () => {
    fc.assert(fc.property(candidates, policies, fc.constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'), (snapshots, policy, rule) => {
      fc.pre(Object.values(policy).some((count) => count > 0))
      const more = { ...policy, [rule]: (policy[rule] ?? 0) + 1 }
      const forgotten = selectForgotten(snapshots, policy, now)
      expect(selectForgotten(snapshots, more, now).every((one) => forgotten.includes(one))).toBe(true)
    }))
  })

  test('does not depend on the order in which snapshots come', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const ids = (list: readonly RetentionCandidate[]): string[] => list.map(({ id }) => id).sort()
      expect(ids(selectForgotten(snapshots.toReversed(), policy, now))).toEqual(ids(selectForgotten(snapshots, policy, now)))
    }))
  })
})

test('daily keeps the newest of each day, weekly of each week from Monday', () => {
  const at = (text: string): RetentionCandidate => ({ id: text, job: 'a', finishedMs: Date.parse(`${text}Z`) })
  const snapshots = ['2026-11-15T23:59', '2026-11-16T01:00', '2026-11-20T10:00', '2026-11-21T09:00', '2026-11-21T18:00', '2026-11-22T08:00'].map(at)
  const kept = (policy: Parameters<typeof selectForgotten>[1]): string[] => split(snapshots, policy).kept.map(({ id }) => id)
  expect(kept({ daily: 3 })).toEqual(['2026-11-20T10:00', '2026-11-21T18:00', '2026-11-22T08:00'])
  expect(kept({ weekly: 2 })).toEqual(['2026-11-15T23:59', '2026-11-22T08:00'])
  expect(kept({ last: 1 })).toEqual(['2026-11-22T08:00'])
  expect(kept({ daily: 1, monthly: 5, yearly: 2 })).toEqual(['2026-11-22T08:00'])
})

test('without any rule nothing goes, and what claims to be from the future stays and counts for nothing', () => {
  const snapshots = [1, 2, 3].map((age): RetentionCandidate => ({ id: `a@${age}`, job: 'a', finishedMs: now - age }))
  const future = { id: 'a@9', job: 'a', finishedMs: now + dayMs }
  expect(selectForgotten(snapshots, {}, now)).toEqual([])
  expect(selectForgotten(snapshots, { last: 0, daily: 0 }, now)).toEqual([])
  expect(selectForgotten([...snapshots, future], { last: 1 }, now).map(({ id }) => id)).toEqual(['a@2', 'a@3'])
})
