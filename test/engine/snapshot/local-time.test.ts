import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localPeriods, localTimeZone } from '../../../engine/snapshot/local-time.ts'

const hourMs = 3_600_000
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia', 'Pacific/Chatham', 'Australia/Lord_Howe', 'Africa/Casablanca')
const time = fc.integer({ min: Date.UTC(1972, 0, 1), max: Date.UTC(2100, 0, 1) })

test('a period is what the clocks of the place show', () => {
  fc.assert(fc.property(time, zone, (timeMs, timeZone) => {
    const shown = new Date(timeMs).toLocaleDateString('sv-SE', { timeZone })
    const { day, month, year } = localPeriods(timeMs, timeZone)
    const told = new Date(day * 24 * hourMs)
    expect(told.toISOString().slice(0, 10)).toBe(shown)
    expect([month, year]).toEqual([told.getUTCFullYear() * 12 + told.getUTCMonth(), told.getUTCFullYear()])
  }))
})

test('days, weeks, months and years go on as time does', () => {
  fc.assert(fc.property(time, fc.integer({ min: 0, max: 400 * 24 * hourMs }), zone, (timeMs, laterMs, timeZone) => {
    const before = localPeriods(timeMs, timeZone)
    const after = localPeriods(timeMs + laterMs + 2 * hourMs, timeZone)
    expect(after.day).toBeGreaterThanOrEqual(before.day)
    expect(after.week).toBeGreaterThanOrEqual(before.week)
    expect(after.month).toBeGreaterThanOrEqual(before.month)
    expect(after.year).toBeGreaterThanOrEqual(before.year)
  }))
})

test('moments of one hour are never more than an hour apart', () => {
  fc.assert(fc.property(time, fc.integer({ min: hourMs, max: 30 * hourMs }), zone, (timeMs, laterMs, timeZone) => {
    expect(localPeriods(timeMs + laterMs, timeZone).hour).not.toBe(localPeriods(timeMs, timeZone).hour)
  }))
})

test('a week begins with Monday', () => {
  fc.assert(fc.property(time, zone, (timeMs, timeZone) => {
    const { day, week } = localPeriods(timeMs, timeZone)
    const monday = week * 7 - 3
    expect(new Date(monday * 24 * hourMs).getUTCDay()).toBe(1)
    expect(day - monday).toBeGreaterThanOrEqual(0)
    expect(day - monday).toBeLessThan(7)
  }))
})

test('Samoa had no 30 December 2011', () => {
  const before = localPeriods(Date.UTC(2011, 11, 30, 9, 59), 'Pacific/Apia')
  const after = localPeriods(Date.UTC(2011, 11, 30, 10, 0), 'Pacific/Apia')
  expect(after.day - before.day).toBe(2)
})

test('this machine has a zone that can be read again', () => {
  expect(() => new Intl.DateTimeFormat('en', { timeZone: localTimeZone() })).not.toThrow()
})
