import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LimitTime } from '../../../main/api/contract.ts'
import { limitsAt, limitTimeAt } from '../../../main/api/limits.ts'
import type { Weekday } from '../../../main/api/schedule.ts'
import { LimitClock } from '../../../main/supervisor/limit-clock.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { backupJob, fakeHosts, FakeTimers, noToken, ownKey } from '../fakes.ts'

const timezone = 'Europe/Berlin'
const at = (text: string): number => new Date(text).getTime()
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const office: LimitTime = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', uploadBytesPerSecond: 100 }
const night: LimitTime = { days: [5, 6], from: '22:00', to: '06:30', downloadBytesPerSecond: 7 }
const times = fc.record({
  days: fc.uniqueArray(fc.constantFrom<Weekday[]>(1, 2, 3, 4, 5, 6, 7), { minLength: 1 }).map((all) => all.sort((a, b) => a - b)),
  from: fc.nat(1439), to: fc.nat(1439),
}).map(({ days, from, to }): LimitTime => ({ days, from: clock(from), to: clock(to) }))

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

describe('limits by the time of day', () => {
  it.each<[string, string, LimitTime | undefined]>([
    ['a working day', '2026-01-05T07:00:00Z', office], ['just before it', '2026-01-05T06:59:59Z', undefined], ['its end', '2026-01-05T17:00:00Z', undefined], ['a Saturday', '2026-01-10T11:00:00Z', undefined],
    ['a Friday night', '2026-01-09T21:00:00Z', night], ['after its midnight', '2026-01-10T05:29:59Z', night], ['its end', '2026-01-10T05:30:00Z', undefined], ['after the Saturday’s midnight', '2026-01-11T00:00:00Z', night],
    ['a Friday before dawn', '2026-01-09T03:00:00Z', undefined], ['a Sunday night', '2026-01-11T23:00:00Z', undefined],
    ['summer time', '2026-07-06T06:00:00Z', office], ['the night of the change to summer time', '2026-03-29T04:29:00Z', night], ['its end', '2026-03-29T04:30:00Z', undefined],
    ['the night of the change to winter time', '2026-10-25T05:29:00Z', night], ['its end', '2026-10-25T05:30:00Z', undefined],
  ])('%s (%s)', (_name, now, expected) => {
    expect(limitTimeAt([office, night], at(now), timezone)).toBe(expected)
  })

  it('take the place of those of all day, both of them', () => {
    const settings = { uploadBytesPerSecond: 1000, downloadBytesPerSecond: 2000, limitTimes: [office, night] }
    expect(limitsAt(settings, at('2026-01-05T07:00:00Z'), timezone)).toEqual({ uploadBytesPerSecond: 100 })
    expect(limitsAt(settings, at('2026-01-09T22:00:00Z'), timezone)).toEqual({ downloadBytesPerSecond: 7 })
    expect(limitsAt(settings, at('2026-01-05T20:00:00Z'), timezone)).toEqual({ uploadBytesPerSecond: 1000, downloadBytesPerSecond: 2000 })
    expect(limitsAt({}, 0)).toEqual({})
  })

  it('begin and end when they say, through a week with a change of the clocks', () => {
    const weeks = fc.constantFrom(at('2026-03-26T00:00:00Z'), at('2026-10-22T00:00:00Z'), at('2026-06-11T00:00:00Z'))
    const wall = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    fc.assert(fc.property(times, weeks, (time, startMs) => {
      let before: boolean | undefined
      for (let nowMs = startMs; nowMs < startMs + 7 * dayMs; nowMs += minuteMs * 7) {
        const inside = limitTimeAt([time], nowMs, timezone) !== undefined
        if (before !== undefined && inside !== before) {
          // It changes only where the clock has passed one of its ends, an hour of a change of the clocks aside.
          const passed = Array.from({ length: 7 + 60 }, (_none, minutes) => wall.format(nowMs - minutes * minuteMs).slice(-5))
          expect(passed.some((one) => one === (inside ? time.from : time.to)) || passed.includes('02:00') || passed.includes('03:00')).toBe(true)
        }
        before = inside
      }
      const wanted = time.days.length * (((minutes(time.to) - minutes(time.from) + 1440) % 1440) || 1440)
      const summer = at('2026-06-15T00:00:00+02:00')
      const held = Array.from({ length: 7 * 144 }, (_none, step) => limitTimeAt([time], summer + step * 10 * minuteMs, timezone)).filter((one) => one !== undefined).length * 10
      expect(Math.abs(held - wanted)).toBeLessThanOrEqual(time.days.length * 10)
    }), { numRuns: 30 })
  })
})

function minutes(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number)
  return hour * 60 + minute
}

it('engines that run hear of new limits when their time comes and when it is over, and of nothing in between', () => {
  const timers = new FakeTimers(at('2026-01-05T06:58:00Z'))
  const { start, last } = fakeHosts()
  const supervisor = new Supervisor({ startHost: start, timers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  let set = 0
  const limits = new LimitClock({ limits: () => limitsAt({ uploadBytesPerSecond: 1000, limitTimes: [office] }, timers.now(), timezone), setLimits: (now) => {
    set += 1
    supervisor.setLimits(now)
  } })
  limits.tick()
  supervisor.start({ job: backupJob, secrets: { password: 'pw', storage: {} } }, { event: () => undefined, output: () => undefined, restarting: () => undefined, restarted: () => undefined })
  last().ready()
  const told = (): unknown[] => last().got('limits').map((one) => (one.type === 'limits' ? one.limits : undefined))
  for (let minute = 0; minute < 12 * 60; minute += 1) {
    timers.time += minuteMs
    limits.tick()
    if (minute === 5) expect(told().at(-1)).toEqual({ uploadBytesPerSecond: 100 })
  }
  expect(told().at(-1)).toEqual({ uploadBytesPerSecond: 1000 })
  expect(set).toBe(3)
})
