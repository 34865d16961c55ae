import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Schedule } from '../../../main/api/contract.ts'
import { cronProblem, nextTimeMs, nextTimesMs, timesAWeek, type Weekday } from '../../../main/api/schedule.ts'
import { nextRunMs, settledMs, spreadMostMs, spreadMs } from '../../../main/runs/schedule.ts'
import { decide, isWait, type Candidate, type Facts } from '../../../main/runs/decide.ts'
import { Awake } from '../../../main/system/awake.ts'
import { noCounters } from '../fakes.ts'

const timezone = 'Europe/Berlin'
const at = (text: string): number => new Date(text).getTime()
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const wall = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
/** `Mon 20:00` */
const wallTime = (ms: number): string => wall.format(ms).replace(',', '')
const dayNames = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

const moments = fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2034-01-01T00:00:00Z') })
const times = fc.uniqueArray(fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`), { minLength: 1, maxLength: 5 }).map((all) => all.sort())
const days = fc.uniqueArray(fc.constantFrom<Weekday[]>(1, 2, 3, 4, 5, 6, 7), { minLength: 1, maxLength: 7 }).map((all) => all.sort((a, b) => a - b))
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant<Schedule>({ type: 'hourly' }),
  times.map((all): Schedule => ({ type: 'daily', at: all[0] ?? '00:00' })),
  fc.integer({ min: 15, max: 44_640 }).map((minutes): Schedule => ({ type: 'interval', minutes })),
  fc.record({ days, at: times }).map((rest): Schedule => ({ type: 'times', ...rest })),
  fc.constantFrom<Schedule[]>({ type: 'cron', expression: '30 9 * * 1-5' }, { type: 'cron', expression: '*/15 8-18 * * *' }, { type: 'cron', expression: '0 3 1,15 * *' }),
)

describe('the times of a schedule', () => {
  it('are those that it names, on the days that it names, and none of them is left out', () => {
    fc.assert(fc.property(days, times, moments, (on, all, since) => {
      const next = nextTimeMs({ type: 'times', days: on, at: all }, since, timezone) ?? 0
      expect(next).toBeGreaterThan(since)
      const named = on.flatMap((day) => all.map((time) => `${dayNames[day - 1]} ${time}`))
      // A time that the change to summer time skips comes when the clock has moved on.
      if (!named.includes(wallTime(next))) expect(wallTime(next)).toBe('Sun 03:00')
      for (let ms = Math.ceil((since + 1) / minuteMs) * minuteMs; ms < Math.min(next, since + dayMs); ms += minuteMs) {
        // The second of two equal hours at the change to winter time is no new time.
        if (named.includes(wallTime(ms))) expect(wallTime(ms - hourMs)).toBe(wallTime(ms))
      }
    }), { numRuns: 40 })
  })

  it('in the weeks of both changes of the clocks: each day at nine and at half past two, once each', () => {
    const schedule: Schedule = { type: 'times', days: [1, 2, 3, 4, 5, 6, 7], at: ['02:30', '09:00'] }
    const week = (from: string): readonly string[] => nextTimesMs(schedule, at(from), 6, timezone).map((ms) => new Date(ms).toISOString().slice(8, 16))
    expect(week('2026-03-27T23:30:00Z')).toEqual(['28T01:30', '28T08:00', '29T01:00', '29T07:00', '30T00:30', '30T07:00'])
    expect(week('2026-10-23T22:30:00Z')).toEqual(['24T00:30', '24T07:00', '25T00:30', '25T08:00', '26T01:30', '26T08:00'])
  })

  it('of an interval count from when the last run ended, through every change of the clocks', () => {
    fc.assert(fc.property(fc.integer({ min: 15, max: 44_640 }), moments, (minutes, since) => {
      expect(nextTimeMs({ type: 'interval', minutes }, since, timezone)).toBe(since + minutes * minuteMs)
    }))
  })

  it('of a cron expression are told ahead; one that means nothing starts nothing', () => {
    expect(nextTimesMs({ type: 'cron', expression: '30 9 * * 1-5' }, at('2026-01-02T12:00:00Z'), 3, 'UTC').map((ms) => new Date(ms).toISOString())).toEqual(['2026-01-05T09:30:00.000Z', '2026-01-06T09:30:00.000Z', '2026-01-07T09:30:00.000Z'])
    expect([nextTimeMs({ type: 'cron', expression: 'no cron at all, no' }, 0), nextTimesMs({ type: 'manual' }, 0, 3)]).toEqual([undefined, []])
  })

  it.each([
    ['30 9 * * 1-5', undefined], ['*/15 * * * *', undefined], ['0 0 29 2 *', undefined], ['0 12 * * MON#2', undefined],
    ['*/5 * * * *', 'often'], ['* * * * *', 'often'], ['0,59 * * * *', 'often'], ['50 23,0 * * *', undefined], ['5,55 0,23 * * *', 'often'],
    ['0 0 30 2 *', 'never'], ['61 * * * *', 'pattern'], ['0 0 * * * *', 'pattern'], ['@daily', 'pattern'], ['', 'pattern'], ['a b c d e', 'pattern'], ['0 0 1 1 * 2020', 'pattern'],
  ])('%s: %s', (expression, problem) => {
    expect(cronProblem(expression)).toBe(problem)
  })
})

it('how often a schedule runs can be compared with others', () => {
  const all: readonly Schedule[] = [
    { type: 'manual' }, { type: 'cron', expression: '0 0 29 2 *' }, { type: 'cron', expression: '0 3 1 * *' }, { type: 'times', days: [6], at: ['10:00'] }, { type: 'times', days: [1, 2, 3, 4, 5], at: ['10:00'] },
    { type: 'daily', at: '20:00' }, { type: 'times', days: [1, 2, 3, 4, 5], at: ['10:00', '15:00'] }, { type: 'interval', minutes: 240 }, { type: 'hourly' }, { type: 'interval', minutes: 15 },
  ]
  const often = all.map(timesAWeek)
  expect(often).toEqual([...often].sort((a, b) => a - b))
  expect(new Set(often).size).toBe(all.length)
  expect(timesAWeek({ type: 'cron', expression: '0 20 * * *' })).toBeCloseTo(timesAWeek({ type: 'daily', at: '07:10' }), 1)
})

describe('towards a storage on the network', () => {
  const network = { type: 'provider', provider: 's3', values: { bucket: 'b' } } as const
  const ids = fc.uuid()

  it('each job starts later by the same time always, below ten minutes, and others by others; towards a disk on time', () => {
    fc.assert(fc.property(ids, schedules, moments, (id, schedule, since) => {
      const spread = spreadMs(id, network)
      expect([spread >= 0 && spread < spreadMostMs, spread % 1000, spreadMs(id, network), spreadMs(id, { type: 'folder', path: '/b' })]).toEqual([true, 0, spread, 0])
      const plain = nextRunMs({ schedule, scheduledSinceMs: since - spread, lastRun: undefined, timezone }) ?? 0
      const spreadOut = nextRunMs({ schedule, scheduledSinceMs: since, lastRun: undefined, timezone, spreadMs: spread }) ?? 0
      expect(spreadOut - plain).toBe(spread)
    }), { numRuns: 200 })
    const minutes = new Set(Array.from({ length: 500 }, (_none, number) => Math.floor(spreadMs(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`, network) / minuteMs)))
    expect(minutes.size).toBe(10)
  })
})

const hourly: Extract<Candidate, { operation: 'backup' }> = { operation: 'backup', jobId: 'j', repository: 'r', schedule: { type: 'hourly' }, scheduledSinceMs: 0, lastRun: undefined, goesOn: false, missing: undefined, timezone }
const free: Facts = { ending: false, pausedAll: false, active: [], waiting: [], parallelJobs: 2, awakeSinceMs: 0 }
const ran = (finishedMs: number) => ({ id: 'x', jobId: 'j', operation: 'backup', trigger: 'schedule', outcome: 'success', startedMs: finishedMs - minuteMs, finishedMs, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0 } as const)

describe('a run that was missed', () => {
  const woke = at('2026-01-05T09:20:00Z')

  it('is made up for ten minutes after the computer is back, at once when somebody asks, and what was cut off goes on at once', () => {
    const facts = { ...free, awakeSinceMs: woke }
    expect(decide(hourly, facts, woke + 1)).toEqual({ wait: { type: 'catch-up' }, untilMs: woke + 10 * minuteMs })
    expect(decide(hourly, facts, woke + 10 * minuteMs)).toEqual({ run: 'catch-up' })
    expect(decide({ ...hourly, asked: 'manual' }, facts, woke + 1)).toEqual({ run: 'manual' })
    expect(decide({ ...hourly, goesOn: true }, facts, woke + 1)).toEqual({ run: 'catch-up' })
  })

  it('is told apart from one whose time has come since; a clock that was set back holds nothing up', () => {
    const scheduled = { ...hourly, lastRun: ran(at('2026-01-05T08:59:00Z')) }
    expect(settledMs(scheduled, at('2026-01-05T08:58:00Z'), at('2026-01-05T09:00:10Z'))).toBe(at('2026-01-05T09:00:10Z'))
    expect(settledMs(scheduled, at('2026-01-05T09:00:00Z'), at('2026-01-05T09:00:10Z'))).toBe(at('2026-01-05T09:10:00Z'))
    expect(settledMs(scheduled, at('2027-01-01T00:00:00Z'), woke)).toBe(woke)
  })

  it('whatever the schedule, and however the computer sleeps: it runs once per time at most, once after each long sleep, and is never forgotten', () => {
    const naps = fc.array(fc.record({ awakeMinutes: fc.integer({ min: 11, max: 900 }), asleepMinutes: fc.integer({ min: 1, max: 2_000 }) }), { minLength: 3, maxLength: 8 })
    const starts = fc.constantFrom(at('2026-03-27T06:00:00Z'), at('2026-10-23T06:00:00Z'), at('2026-06-10T06:00:00Z'))
    fc.assert(fc.property(schedules, naps, starts, fc.nat(599), (schedule, all, startMs, spreadSeconds) => {
      const spread = spreadSeconds * 1000
      const candidate = { ...hourly, schedule, scheduledSinceMs: startMs, spreadMs: spread }
      const stepMs = 5 * minuteMs
      let [nowMs, awakeSinceMs] = [startMs, startMs]
      const runs: number[] = []
      for (const { awakeMinutes, asleepMinutes } of all) {
        const [last] = runs.slice(-1)
        for (const end = nowMs + awakeMinutes * minuteMs; nowMs < end; nowMs += stepMs) {
          const [previous] = runs.slice(-1)
          const lastRun = previous === undefined ? undefined : ran(previous + 1)
          const decision = decide({ ...candidate, lastRun }, { ...free, awakeSinceMs }, nowMs)
          if (!isWait(decision)) runs.push(nowMs)
          else if (decision.untilMs !== undefined) expect(decision.untilMs).toBeGreaterThan(nowMs)
        }
        // Whatever was due well before the end of a time awake has run by its end.
        const due = nextRunMs({ ...candidate, lastRun: last === undefined ? undefined : ran(last + 1) }) ?? Infinity
        if (due < nowMs - 26 * minuteMs && awakeMinutes > 26) expect(runs.length).toBeGreaterThan(last === undefined ? 0 : runs.indexOf(last) + 1)
        nowMs += asleepMinutes * minuteMs
        awakeSinceMs = nowMs
      }
      for (const [index, run] of runs.entries()) {
        const since = index === 0 ? startMs : (runs[index - 1] ?? 0) + 1
        const named = nextRunMs({ ...candidate, scheduledSinceMs: since, lastRun: undefined }) ?? Infinity
        expect(named).toBeLessThanOrEqual(run)
      }
    }), { numRuns: 25 })
  })
})

it('a wake-up is seen by the clocks where nobody tells of it, and a busy minute is none', () => {
  const clock = { now: 1_000_000, uptimeMs: 5_000 }
  const awake = new Awake({ now: () => clock.now, uptimeMs: () => clock.uptimeMs })
  const pass = (wallMs: number, runMs: number): number => {
    clock.now += wallMs
    clock.uptimeMs += runMs
    awake.look()
    return awake.sinceMs
  }
  expect(pass(30_000, 30_000)).toBe(1_000_000)
  expect(pass(600_000, 600_000)).toBe(1_000_000)
  expect(pass(8 * hourMs, 30_000)).toBe(clock.now)
  const since = clock.now
  expect(pass(30_000, 30_000)).toBe(since)
  expect(pass(-dayMs, 30_000)).toBe(since)
  clock.now += 5_000
  awake.woke()
  expect(awake.sinceMs).toBe(clock.now)
})
