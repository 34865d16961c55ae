import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunView } from '../../../main/api/contract.ts'
import { compareMonths, dayByKey, monthAfter, monthOf, statisticsOf, weeksOf, type Day } from '../../../renderer/state/calendar.ts'
import { calendarWords, dayWords, figureWords } from '../../../renderer/text/calendar.ts'
import { run } from '../fixtures.ts'

const minute = 60_000
const at = (...time: readonly [number, number, number, number?]): number => new Date(...time).getTime()
const ran = (startedMs: number, outcome: RunView['outcome'] = 'success', tookMs = minute, uploadedBytes = 10): RunView => run('j', `r${startedMs}${outcome}`, 0, { outcome, startedMs, finishedMs: startedMs + tookMs, uploadedBytes })
const daysOf = (year: number, month: number, runs: readonly RunView[] = []): readonly Day[] => weeksOf({ year, month }, runs).flat().filter((day) => day !== undefined)

describe('a month', () => {
  it('has weeks from Monday on, with all its days in their places', () => {
    const dates = (year: number, month: number): unknown[][] => weeksOf({ year, month }, []).map((week) => week.map((day) => day?.date))
    const none = undefined
    // November 2026 begins on a Sunday; February 2027 on a Monday, and fits four weeks.
    expect(dates(2026, 10)).toEqual([[none, none, none, none, none, none, 1], [2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15], [16, 17, 18, 19, 20, 21, 22], [23, 24, 25, 26, 27, 28, 29], [30, none, none, none, none, none, none]])
    expect(dates(2027, 1)).toHaveLength(4)
    expect(dates(2028, 1).flat().filter((date) => date !== undefined)).toHaveLength(29)
  })

  it('whichever it is: each day once, on its own weekday, and each of its runs on the day it began', () => {
    fc.assert(fc.property(fc.integer({ min: 1990, max: 2060 }), fc.integer({ min: 0, max: 11 }), fc.array(fc.integer({ min: -45 * 24 * 60, max: 45 * 24 * 60 }), { maxLength: 30 }), (year, month, minutes) => {
      const runs = minutes.map((one) => ran(at(year, month, 15) + one * minute))
      const weeks = weeksOf({ year, month }, runs)
      for (const week of weeks) {
        expect(week).toHaveLength(7)
        week.forEach((day, weekday) => { if (day) expect((new Date(day.startMs).getDay() + 6) % 7).toBe(weekday) })
      }
      const days = weeks.flat().filter((day) => day !== undefined)
      expect(days.map(({ date }) => date)).toEqual(Array.from({ length: new Date(year, month + 1, 0).getDate() }, (_none, index) => index + 1))
      expect(days.flatMap((day) => day.runs)).toHaveLength(runs.filter(({ startedMs }) => compareMonths(monthOf(startedMs), { year, month }) === 0).length)
      for (const { date, runs: of } of days) for (const { startedMs } of of) expect(new Date(startedMs).getDate()).toBe(date)
    }))
  })

  it('is followed and preceded by its neighbours, over the year', () => {
    expect([monthAfter({ year: 2026, month: 11 }, 1), monthAfter({ year: 2026, month: 0 }, -1), monthAfter({ year: 2026, month: 5 }, 0)]).toEqual([{ year: 2027, month: 0 }, { year: 2025, month: 11 }, { year: 2026, month: 5 }])
    expect([compareMonths({ year: 2025, month: 11 }, { year: 2026, month: 0 }), compareMonths({ year: 2026, month: 1 }, { year: 2026, month: 0 }), compareMonths({ year: 2026, month: 1 }, { year: 2026, month: 1 })]).toEqual([-1, 1, 0])
  })
})

describe('a day', () => {
  const state = (...outcomes: readonly RunView['outcome'][]): unknown => daysOf(2026, 10, outcomes.map((outcome, hour) => ran(at(2026, 10, 12, hour), outcome)))[11]?.state

  it('is as good as what was backed up on it', () => {
    expect([state(), state('success'), state('unchanged', 'stopped'), state('warnings'), state('failed', 'success'), state('partial', 'unchanged')]).toEqual([undefined, 'good', 'good', 'warn', 'warn', 'warn'])
    expect([state('failed'), state('partial', 'stopped'), state('stopped')]).toEqual(['bad', 'bad', 'stopped'])
  })

  it('is told in words, its runs the newest first', () => {
    const days = daysOf(2026, 10, [ran(at(2026, 10, 12, 9)), ran(at(2026, 10, 12, 20), 'failed'), ran(at(2026, 10, 13, 0))])
    expect(days.slice(10, 13).map(dayWords)).toEqual(['Wednesday 11 November 2026: no run', 'Thursday 12 November 2026: 2 runs, backed up, not without trouble', 'Friday 13 November 2026: 1 run, backed up'])
    expect(days[11]?.runs.map(({ outcome }) => outcome)).toEqual(['failed', 'success'])
  })

  it('leads to others by the keys, and never out of the month', () => {
    const to = (key: string, from: number): number | undefined => dayByKey(key, from, 30)
    expect([to('ArrowLeft', 2), to('ArrowRight', 2), to('ArrowUp', 12), to('ArrowDown', 12), to('Home', 12), to('End', 12)]).toEqual([1, 3, 5, 19, 1, 30])
    expect([to('ArrowLeft', 1), to('ArrowRight', 30), to('ArrowUp', 3), to('ArrowDown', 29), to('a', 3)]).toEqual([1, 30, 1, 30, undefined])
  })
})

it('figures count each run once; only complete ones say how long it takes', () => {
  const runs = [ran(0, 'success', 60_000, 5e6), ran(1, 'warnings', 180_000, 3e6), ran(2, 'failed', 9e6, 1e6), ran(3, 'stopped', 1, 0)]
  expect(statisticsOf(runs)).toEqual({ runs: 4, complete: 2, addedBytes: 9e6, meanMs: 120_000 })
  expect(figureWords(statisticsOf(runs))).toEqual([['Runs', '4'], ['Complete', '2'], ['Sent', '9.00 MB'], ['Takes, in the mean', '2 min']])
  expect(statisticsOf([])).toEqual({ runs: 0, complete: 0, addedBytes: 0 })
  expect(figureWords(statisticsOf([]))[3]).toEqual(['Takes, in the mean', '–'])
})

it('weekdays and months have their names', () => {
  expect(calendarWords.weekdays.map(({ short }) => short).join(' ')).toBe('Mon Tue Wed Thu Fri Sat Sun')
  expect(calendarWords.month({ year: 2026, month: 10 })).toBe('November 2026')
})
