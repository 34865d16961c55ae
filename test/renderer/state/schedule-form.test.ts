import { expect, test } from 'vitest'
import type { Schedule } from '../../../main/api/contract.ts'
import { scheduleFieldsOf, scheduleOf, validateSchedule } from '../../../renderer/state/schedule-form.ts'
import { daysWords, scheduleText, scheduleWords, watchAdvice, watchWords } from '../../../renderer/text/schedule.ts'

const all: readonly (readonly [Schedule, string])[] = [
  [{ type: 'manual' }, 'Only by hand'], [{ type: 'hourly' }, 'Every hour'], [{ type: 'daily', at: '07:05' }, 'Every day at 07:05'],
  [{ type: 'interval', minutes: 60 }, 'Every 1 hour'], [{ type: 'interval', minutes: 240 }, 'Every 4 hours'], [{ type: 'interval', minutes: 45 }, 'Every 45 minutes'],
  [{ type: 'continuous', quietMinutes: 5, everyMinutes: 30 }, 'When something changes, 30 minutes apart at least'],
  [{ type: 'times', days: [1, 2, 3, 4, 5, 7], at: ['09:00', '18:30'] }, 'Mon–Fri, Sun at 09:00, 18:30'], [{ type: 'cron', expression: '30 9 * * 1-5' }, 'Cron: 30 9 * * 1-5'],
]

test('a schedule that is edited and saved is the same, and is told in words', () => {
  for (const [schedule, words] of all) {
    const fields = scheduleFieldsOf(schedule)
    expect([validateSchedule(fields), scheduleOf(fields), scheduleWords(schedule)]).toEqual([{}, schedule, words])
  }
  expect([daysWords([1, 2, 3, 4, 5, 6, 7]), daysWords([1, 2]), daysWords([2, 4, 5, 6])]).toEqual(['Every day', 'Mon, Tue', 'Tue, Thu–Sat'])
})

test('times are taken as people type them, in order and each once', () => {
  const fields = { ...scheduleFieldsOf({ type: 'manual' }), schedule: 'times' as const, days: [5, 1] as const, times: '18:30 9:00,, 13:00; 09:00' }
  expect(scheduleOf(fields)).toEqual({ type: 'times', days: [1, 5], at: ['09:00', '13:00', '18:30'] })
  expect(scheduleOf({ ...fields, schedule: 'interval', every: '1,5', unit: 'hours' })).toEqual({ type: 'interval', minutes: 90 })
})

test.each([
  ['no time', { schedule: 'times', times: ' ' }, { times: 'times' }], ['no time of day', { schedule: 'times', times: '09:00, 24:00' }, { times: 'times' }], ['no day', { schedule: 'times', days: [] }, { days: 'days' }],
  ['too short', { schedule: 'interval', every: '14', unit: 'minutes' }, { every: 'interval' }], ['too long', { schedule: 'interval', every: '745', unit: 'hours' }, { every: 'interval' }],
  ['no number', { schedule: 'interval', every: 'x' }, { every: 'interval' }], ['nothing', { schedule: 'interval', every: '' }, { every: 'interval' }],
  ['no quiet', { schedule: 'continuous', quiet: '0' }, { quiet: 'quiet' }], ['half a minute', { schedule: 'continuous', quiet: '1.5', apart: '4' }, { quiet: 'quiet', apart: 'apart' }], ['half a day', { schedule: 'continuous', apart: '721' }, { apart: 'apart' }],
  ['no cron', { schedule: 'cron', cron: 'daily' }, { cron: 'pattern' }], ['never', { schedule: 'cron', cron: '0 0 30 2 *' }, { cron: 'never' }], ['too often', { schedule: 'cron', cron: '* * * * *' }, { cron: 'often' }],
] as const)('%s is told beside the field', (_name, change, expected) => {
  const wanted = Object.fromEntries(Object.entries(expected).map(([field, error]) => [field, { words: scheduleText.errors[error] }]))
  expect(validateSchedule({ ...scheduleFieldsOf({ type: 'manual' }), ...change })).toEqual(wanted)
})

test('how folders are watched is told in words, and what to do where they are not', () => {
  expect(watchWords({ state: 'watching', folders: 12_345, away: 0 })).toBe('Watching 12,345 folders')
  expect(watchWords({ state: 'watching', folders: 1, away: 1 })).toBe('Watching 1 folder; 1 source is not there')
  expect(watchWords({ state: 'too-many' })).toBe('Too many folders to watch: backed up each hour instead')
  expect([watchAdvice({ state: 'too-many' }), watchAdvice({ state: 'broken' })]).toEqual([expect.stringContaining('fs.inotify.max_user_watches'), ''])
})
