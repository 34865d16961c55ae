import * as m from '../../main/text/compiled/messages.js'
import { intlLocale } from '../../main/text/language.ts'

/** Numbers and times in words. Pure; `now` is given. Decimal units, as file managers and storage bills have them. */

const locale = intlLocale()
/** Short names of units. */
const units = { second: m.format_second(), minute: m.format_minute(), hour: m.format_hour(), day: m.format_day(), days: m.format_days() } as const

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Beyond the bytes themselves. */
const byteUnits = ['kB', 'MB', 'GB', 'TB', 'PB'] as const
const whole = new Intl.NumberFormat(locale)
const digits = [0, 1, 2].map((count) => new Intl.NumberFormat(locale, { minimumFractionDigits: count, maximumFractionDigits: count, useGrouping: false }))
const upToOne = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
const timeOfDay = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
const fullDay = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' })
const fullTime = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium', hourCycle: 'h23' })

export function formatCount(count: number): string {
  return whole.format(Math.round(count))
}

/** `1 file`, `3 files`: of texts that are in English only. */
export function formatThings(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${Math.round(count) === 1 ? one : many}`
}

/** Three significant digits, so that the width hardly changes: `812 bytes`, `1.24 MB`, `23.4 GB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (unit < byteUnits.length && value >= (unit === 0 ? 1000 : 999.5)) {
    value /= 1000
    unit += 1
  }
  if (unit === 0) return m.format_bytes({ count: Math.round(value) })
  return `${digits[value < 9.995 ? 2 : value < 99.95 ? 1 : 0]?.format(value) ?? ''} ${byteUnits[unit - 1] ?? ''}`
}

export function formatRate(bytesPerSecond: number): string {
  return bytesPerSecond < 1000 ? `${Math.round(bytesPerSecond)} B/s` : `${formatBytes(bytesPerSecond)}/s`
}

/** Never 100 % before the end, never 0 % after the start. */
export function formatPercent(fraction: number): string {
  if (fraction >= 1) return '100 %'
  if (fraction <= 0) return '0 %'
  return `${Math.min(99, Math.max(1, Math.round(fraction * 100)))} %`
}

/** At most two units: `4 s`, `3 min`, `1 h 20 min`, `2 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms < 10 * second) return `${digits[ms < second ? 1 : 0]?.format(Math.max(0, ms / second)) ?? ''} ${units.second}`
  if (ms < minute) return `${Math.round(ms / second)} ${units.second}`
  if (ms < 10 * minute) return twoUnits(ms, minute, units.minute, second, units.second)
  if (ms < hour) return `${Math.round(ms / minute)} ${units.minute}`
  if (ms < day) return twoUnits(ms, hour, units.hour, minute, units.minute)
  return twoUnits(ms, day, units.day, hour, units.hour)
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const smalls = Math.round(ms / small)
  const perBig = big / small
  const rest = smalls % perBig
  const head = `${Math.floor(smalls / perBig)} ${bigName}`
  return rest === 0 ? head : `${head} ${rest} ${smallName}`
}

/** Remaining time as a range, rounded to what an estimate can honestly say. */
export function formatEta(range: { readonly from: number; readonly to: number }): string {
  const to = Math.max(range.from, range.to)
  if (to < minute) return m.format_etaSoon()
  const from = coarse(range.from)
  const until = coarse(to)
  if (from.ms === until.ms) return m.format_etaAbout({ until: until.words })
  if (range.from < minute) return m.format_etaUpTo({ until: until.words })
  return from.unit === until.unit ? m.format_etaSameUnit({ from: from.number, until: until.words }) : m.format_etaRange({ from: from.words, until: until.words })
}

interface Coarse {
  readonly ms: number
  readonly number: string
  readonly unit: string
  readonly words: string
}

/** Minutes, beyond 20 in steps of five; from an hour and a half on half hours; from two days on days. */
function coarse(ms: number): Coarse {
  if (ms < 90 * minute) return rounded(ms, ms > 20 * minute ? 5 * minute : minute, minute, units.minute)
  if (ms < 2 * day) return rounded(ms, hour / 2, hour, units.hour)
  return rounded(ms, day, day, units.days)
}

function rounded(ms: number, step: number, unitMs: number, unit: string): Coarse {
  const value = Math.max(step, Math.round(ms / step) * step)
  const number = upToOne.format(value / unitMs)
  return { ms: value, number, unit, words: `${number} ${unit}` }
}

/** `just now`, `5 min ago`, `3 h ago`, `yesterday`, `12 days ago`, then the date. */
export function formatAge(thenMs: number, now: number): string {
  const age = now - thenMs
  if (age < minute) return m.format_now()
  if (age < hour) return m.format_minutesAgo({ count: Math.floor(age / minute) })
  const days = daysBetween(thenMs, now)
  if (age < 12 * hour || days === 0 || (days > 1 && age < 36 * hour)) return m.format_hoursAgo({ count: Math.floor(age / hour) })
  if (days === 1) return m.format_yesterdayAgo()
  if (days < 30) return m.format_daysAgo({ count: days })
  return fullDay.format(thenMs)
}

/** A moment to read: `Today 14:05`, `Yesterday 09:12`, `Tomorrow 02:00`, `12 Nov 14:05`, `3 Mar 2025`. */
export function formatMoment(ms: number, now: number): string {
  const days = daysBetween(ms, now)
  const time = timeOfDay.format(ms)
  if (days === 0) return m.format_todayAt({ time })
  if (days === 1) return m.format_yesterdayAt({ time })
  if (days === -1) return m.format_tomorrowAt({ time })
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear()
  return sameYear ? `${dayOfYear.format(ms)} ${time}` : `${fullDay.format(ms)} ${time}`
}

/** For tooltips, with seconds. */
export function formatFullTime(ms: number): string {
  return fullTime.format(ms)
}

export function formatDay(ms: number, now: number): string {
  const days = daysBetween(ms, now)
  if (days === 0) return m.format_today()
  if (days === 1) return m.format_yesterday()
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear()
  return (sameYear ? dayOfYear : fullDay).format(ms)
}

export function formatTime(ms: number): string {
  return timeOfDay.format(ms)
}

/** Whole calendar days from `ms` to `now` in local time; negative for the future. */
function daysBetween(ms: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(ms)) / day)
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}
