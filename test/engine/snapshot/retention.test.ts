import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RetentionPolicy } from '../../../engine/protocol/job.ts'
import { localPeriods } from '../../../engine/snapshot/local-time.ts'
import { fitBudget, planRetention, type RetentionCandidate } from '../../../engine/snapshot/retention.ts'

const dayMs = 86_400_000
const now = Date.UTC(2026, 10, 22, 12)

const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Apia', 'Australia/Lord_Howe', 'No/Where']
const zone = fc.constantFrom(...zones)
const candidates = fc.array(fc.record({ job: fc.constantFrom('a', 'b'), host: fc.constantFrom('h', 'i'), timeZone: zone, ageMs: fc.nat(3 * 365 * dayMs), pinned: fc.boolean(), held: fc.boolean() }), { maxLength: 60 })
  .map((list) => list.map(({ job, host, timeZone, ageMs, pinned, held }, index): RetentionCandidate => ({ id: `${job}@${index}`, job, host, revision: index, finishedMs: now - ageMs, timeZone, pinned: pinned && index % 5 === 0, held: held && index % 7 === 0 })))
/** Snapshots of one group: a job on a host. */
const groupsOf = (list: readonly RetentionCandidate[]): RetentionCandidate[][] => [...Map.groupBy(list, ({ job, host }) => `${job} ${host}`).values()]
const inGroupOf = (list: readonly RetentionCandidate[], [first]: readonly RetentionCandidate[]): RetentionCandidate[] => list.filter((one) => one.job === first?.job && one.host === first.host)
const counts = fc.nat(9)
const withinMs = fc.nat(400 * dayMs)
const policies = fc.record({ last: counts, hourly: counts, daily: counts, weekly: counts, monthly: counts, yearly: counts, withinMs }, { requiredKeys: [] })

function selectForgotten(snapshots: readonly RetentionCandidate[], policy: RetentionPolicy, nowMs: number): RetentionCandidate[] {
  const gone = new Set(planRetention(snapshots, policy, nowMs).flatMap((group) => group.forgotten))
  return snapshots.filter((snapshot) => gone.has(snapshot))
}

function split(snapshots: readonly RetentionCandidate[], policy: RetentionPolicy): { kept: RetentionCandidate[]; forgotten: RetentionCandidate[] } {
  const forgotten = selectForgotten(snapshots, policy, now)
  return { forgotten, kept: snapshots.filter((snapshot) => !forgotten.includes(snapshot)) }
}

const byId = (a: RetentionCandidate, b: RetentionCandidate): number => (a.id < b.id ? -1 : 1)

test('what was synced from another repository is kept for itself: revisions of two repositories say nothing about each other', () => {
  const one = (id: string, revision: number, daysAgo: number, syncedFrom?: string): RetentionCandidate =>
    ({ id, job: 'a', host: 'h', revision, finishedMs: now - daysAgo * dayMs, timeZone: 'UTC', ...(syncedFrom === undefined ? {} : { syncedFrom }) })
  const snapshots = [one('a@1', 1, 2), one('a@2', 2, 1), one('a~0@1', 71, 4, 'x'), one('a~0@2', 72, 3, 'x')]
  expect(split(snapshots, { last: 1 }).kept.map(({ id }) => id)).toEqual(['a@2', 'a~0@2'])
})

describe('any policy over any snapshots', () => {
  test('never lets the newest of a job on a host go, neither the latest nor the highest revision', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const { kept } = split(snapshots, policy)
      for (const group of groupsOf(snapshots)) {
        const left = inGroupOf(kept, group)
        expect(Math.max(...left.map((one) => one.finishedMs))).toBe(Math.max(...group.map((one) => one.finishedMs)))
        expect(Math.max(...left.map((one) => one.revision))).toBe(Math.max(...group.map((one) => one.revision)))
      }
    }))
  })

  test('keeps at least as many as each rule says, as far as there are as many', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const { kept } = split(snapshots, policy)
      const days = (list: readonly RetentionCandidate[]): number => new Set(list.map((one) => localPeriods(one.finishedMs, one.timeZone).day)).size
      for (const group of groupsOf(snapshots)) {
        const left = inGroupOf(kept, group)
        expect(left.length).toBeGreaterThanOrEqual(Math.min(policy.last ?? 0, group.length))
        expect(days(left)).toBeGreaterThanOrEqual(Math.min(policy.daily ?? 0, days(group)))
      }
    }))
  })

  test('lets nothing of one host go for the sake of another', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const alone = snapshots.filter(({ host }) => host === 'h')
      expect(selectForgotten(snapshots, policy, now).filter(({ host }) => host === 'h')).toEqual(selectForgotten(alone, policy, now))
    }))
  })

  test('applied again lets nothing more go', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      expect(selectForgotten(split(snapshots, policy).kept, policy, now)).toEqual([])
    }))
  })

  test('keeps no less when it is more generous', () => {
    fc.assert(fc.property(candidates, policies, fc.constantFrom('last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'withinMs'), (snapshots, policy, rule) => {
      fc.pre(Object.values(policy).some((count) => count > 0))
      const more = { ...policy, [rule]: (policy[rule] ?? 0) + 1 }
      const forgotten = selectForgotten(snapshots, policy, now)
      expect(selectForgotten(snapshots, more, now).every((one) => forgotten.includes(one))).toBe(true)
    }))
  })

  test('lets nothing go that is pinned or held, and with `within` nothing of that time before the newest', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const { forgotten } = split(snapshots, policy)
      expect(forgotten.filter(({ pinned, held }) => pinned || held)).toEqual([])
      for (const group of groupsOf(snapshots)) {
        const newestMs = Math.max(...group.map((one) => one.finishedMs))
        for (const one of inGroupOf(forgotten, group)) expect(newestMs - one.finishedMs).toBeGreaterThan(policy.withinMs ?? 0)
      }
    }))
  })

  test('says why each that stays does, and each is either kept or forgotten', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const groups = planRetention(snapshots, policy, now)
      const kept = groups.flatMap((group) => group.kept)
      expect([...kept.map(({ snapshot }) => snapshot), ...groups.flatMap((group) => group.forgotten)].sort(byId)).toEqual(snapshots.toSorted(byId))
      for (const { snapshot, reasons } of kept) {
        expect(reasons.length).toBeGreaterThan(0)
        expect(reasons.includes('pinned')).toBe(snapshot.pinned)
        expect(reasons.includes('held')).toBe(snapshot.held)
        for (const reason of reasons) if (reason !== 'all' && reason !== 'newest' && reason !== 'pinned' && reason !== 'held' && reason !== 'future') expect(policy[reason === 'within' ? 'withinMs' : reason]).toBeGreaterThan(0)
      }
    }))
  })

  test('does not depend on the order in which snapshots come', () => {
    fc.assert(fc.property(candidates, policies, (snapshots, policy) => {
      const ids = (list: readonly RetentionCandidate[]): string[] => list.map(({ id }) => id).sort()
      expect(ids(selectForgotten(snapshots.toReversed(), policy, now))).toEqual(ids(selectForgotten(snapshots, policy, now)))
    }))
  })
})

function made(text: string, timeZone = 'UTC', host = 'h'): RetentionCandidate {
  return { id: text, job: 'a', host, revision: 1, finishedMs: Date.parse(text.endsWith('Z') ? text : `${text}Z`), timeZone }
}

const keptOf = (snapshots: readonly RetentionCandidate[], policy: RetentionPolicy): string[] => split(snapshots, policy).kept.map(({ id }) => id)

test('daily keeps the newest of each day, weekly of each week from Monday', () => {
  const snapshots = ['2026-11-15T23:59', '2026-11-16T01:00', '2026-11-20T10:00', '2026-11-21T09:00', '2026-11-21T18:00', '2026-11-22T08:00'].map((text, index) => ({ ...made(text), revision: index + 1 }))
  expect(keptOf(snapshots, { daily: 3 })).toEqual(['2026-11-20T10:00', '2026-11-21T18:00', '2026-11-22T08:00'])
  expect(keptOf(snapshots, { weekly: 2 })).toEqual(['2026-11-15T23:59', '2026-11-22T08:00'])
  expect(keptOf(snapshots, { last: 1 })).toEqual(['2026-11-22T08:00'])
  expect(keptOf(snapshots, { daily: 1, monthly: 5, yearly: 2 })).toEqual(['2026-11-22T08:00'])
})

test.each([
  // 23:30 and 00:30 by the clocks there are two days, in UTC they are one.
  ['America/St_Johns', ['2026-11-20T03:00', '2026-11-20T04:00']],
  ['Asia/Kathmandu', ['2026-11-20T17:45', '2026-11-20T18:45']],
  ['Pacific/Apia', ['2026-11-20T10:30', '2026-11-20T11:30']],
])('a day in %s ends at midnight there', (timeZone, texts) => {
  const snapshots = texts.map((text, index) => ({ ...made(text, timeZone), revision: index + 1 }))
  expect(keptOf(snapshots, { daily: 9 })).toEqual(texts)
  expect(keptOf(snapshots.map((one) => ({ ...one, timeZone: 'UTC' })), { daily: 9 })).toEqual(texts.slice(1))
})

test('the day on which summer time ends has 25 hours, the one on which it begins 23', () => {
  const hours = (from: string, count: number): RetentionCandidate[] => Array.from({ length: count }, (_, hour) => ({
    ...made(from, 'Europe/Berlin'), id: String(hour), revision: hour, finishedMs: Date.parse(from) + hour * 3_600_000,
  }))
  const longDay = hours('2026-10-24T22:15Z', 25)
  expect(keptOf(longDay, { daily: 9 })).toEqual(['24'])
  expect(keptOf(longDay, { hourly: 99 })).toHaveLength(25)
  const shortDay = hours('2026-03-28T23:15Z', 23)
  expect(keptOf(shortDay, { daily: 9 })).toEqual(['22'])
  expect(keptOf([...shortDay, { ...made('2026-03-29T22:15Z', 'Europe/Berlin'), id: 'next day', revision: 23 }], { daily: 9 })).toEqual(['22', 'next day'])
})

test('two hosts with one job keep theirs each, and a clock that was put back does not make the newest the oldest', () => {
  const snapshots = ['2026-11-20T10:00', '2026-11-21T10:00'].flatMap((text, index) => [{ ...made(text, 'UTC', 'h'), id: `h ${text}`, revision: 2 * index + 1 }, { ...made(text, 'UTC', 'i'), id: `i ${text}`, revision: 2 * index + 2 }])
  expect(keptOf(snapshots, { last: 1 })).toEqual(['h 2026-11-21T10:00', 'i 2026-11-21T10:00'])
  const putBack = [{ ...made('2026-11-21T10:00'), revision: 1 }, { ...made('2020-01-01T00:00'), revision: 2 }, { ...made('2020-01-01T01:00'), revision: 3 }]
  expect(keptOf(putBack, { last: 2 })).toEqual(['2026-11-21T10:00', '2020-01-01T00:00', '2020-01-01T01:00'])
  expect(keptOf(putBack, { yearly: 1 })).toEqual(['2026-11-21T10:00', '2020-01-01T01:00'])
})

test('of several at one time the highest revision stays', () => {
  const snapshots = [3, 1, 2].map((revision) => ({ ...made('2026-11-21T10:00'), id: `a@${revision}`, revision }))
  expect(keptOf(snapshots, { daily: 1 })).toEqual(['a@3'])
})

test('no time and no zone, whoever wrote it, is too much', () => {
  const snapshots = [-1e300, Number.MIN_SAFE_INTEGER, 0, 8.64e15, 1e300].map((finishedMs, index) => ({ ...made('2026-11-21T10:00', index % 2 ? '\0' : 'x'.repeat(255)), id: String(index), revision: index, finishedMs }))
  expect(keptOf(snapshots, { daily: 1, hourly: 1 })).toEqual(['2', '3', '4'])
})

test('without any rule nothing goes, and what claims to be from the future stays and counts for nothing', () => {
  const snapshots = [1, 2, 3].map((age): RetentionCandidate => ({ ...made('2026-11-21T10:00'), id: `a@${age}`, revision: 4 - age, finishedMs: now - age }))
  const future = { ...made('2026-11-21T10:00'), id: 'a@9', revision: 9, finishedMs: now + dayMs }
  expect(selectForgotten(snapshots, {}, now)).toEqual([])
  expect(selectForgotten(snapshots, { last: 0, daily: 0 }, now)).toEqual([])
  expect(selectForgotten([...snapshots, future], { last: 1 }, now).map(({ id }) => id)).toEqual(['a@2', 'a@3'])
})

test('within counts from the newest of the group, so that a machine that was off for a year keeps its last month', () => {
  const snapshots = ['2025-09-01T10:00', '2025-10-01T10:00', '2025-10-20T10:00', '2025-10-31T10:00'].map((text, index) => ({ ...made(text), revision: index + 1 }))
  expect(keptOf(snapshots, { withinMs: 30 * dayMs })).toEqual(['2025-10-01T10:00', '2025-10-20T10:00', '2025-10-31T10:00'])
  expect(planRetention(snapshots, { withinMs: dayMs }, now)[0]?.kept.map(({ reasons }) => reasons)).toEqual([['newest', 'within']])
})

describe('a size budget', () => {
  /** Each snapshot needs some parts of a hundred, one byte each. */
  const parts = (snapshot: RetentionCandidate): number[] => Array.from({ length: 1 + (snapshot.finishedMs % 20) }, (_, at) => (snapshot.revision * 7 + at) % 100)
  const needed = (list: readonly RetentionCandidate[]): number => new Set(list.flatMap(parts)).size
  const measure = (): ((snapshot: RetentionCandidate) => Promise<number>) => {
    const seen = new Set<number>()
    return (snapshot) => {
      const before = seen.size
      for (const part of parts(snapshot)) seen.add(part)
      return Promise.resolve(seen.size - before)
    }
  }

  test('lets the oldest go until it fits, never the newest, the last n, a pinned or a held one, and no more than it must', async () => {
    await fc.assert(fc.asyncProperty(candidates, policies, fc.nat(110), async (snapshots, policy, budget) => {
      const groups = planRetention(snapshots, policy, now)
      const before = groups.flatMap(({ kept }) => kept)
      const { forgotten, keptBytes } = await fitBudget(groups, budget, 0, measure())
      const kept = before.map(({ snapshot }) => snapshot).filter((snapshot) => !forgotten.includes(snapshot))
      expect(keptBytes).toBe(needed(kept))
      for (const { snapshot, reasons } of before) if (reasons.some((reason) => ['newest', 'pinned', 'held', 'last', 'future'].includes(reason))) expect(kept).toContain(snapshot)
      const free = before.filter(({ reasons }) => !reasons.some((reason) => ['newest', 'pinned', 'held', 'last', 'future'].includes(reason))).map(({ snapshot }) => snapshot)
      const stays = free.filter((snapshot) => kept.includes(snapshot))
      for (const one of stays) for (const gone of forgotten) expect(one.finishedMs).toBeGreaterThanOrEqual(gone.finishedMs)
      if (stays.length > 0) expect(keptBytes).toBeLessThanOrEqual(budget)
      const newestGone = forgotten.at(-1)
      if (newestGone) expect(needed([...kept, newestGone])).toBeGreaterThan(budget)
    }))
  })

  test('counts what others need, and with no rule beside it keeps what fits', async () => {
    const snapshots = ['2026-11-18T10:00', '2026-11-19T10:00', '2026-11-20T10:00', '2026-11-21T10:00'].map((text, index) => ({ ...made(text), revision: index + 1 }))
    const each = (): Promise<number> => Promise.resolve(10)
    const goes = async (budget: number, others: number): Promise<string[]> => (await fitBudget(planRetention(snapshots, {}, now), budget, others, each)).forgotten.map(({ id }) => id)
    expect(await goes(40, 0)).toEqual([])
    expect(await goes(39, 0)).toEqual(['2026-11-18T10:00'])
    expect(await goes(40, 15)).toEqual(['2026-11-18T10:00', '2026-11-19T10:00'])
    expect(await goes(1, 0)).toEqual(['2026-11-18T10:00', '2026-11-19T10:00', '2026-11-20T10:00'])
  })
})
