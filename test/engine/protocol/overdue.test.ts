import { expect, test } from 'vitest'
import { lateFromMs, overdue, type SeenBackup } from '../../../engine/protocol/overdue.ts'

const day = 24 * 3_600_000
const now = 1000 * day

/** Backups of a job, so many days ago each. */
const ago = (host: string, job: string, ...days: number[]): SeenBackup[] => days.map((each) => ({ host, job, finishedMs: now - each * day }))
const told = (...backups: SeenBackup[][]): string[] => overdue(backups.flat(), 'desk', now).map(({ host, job, days }) => `${host}/${job} ${days}`)

test.each<[string, SeenBackup[], string[]]>([
  ['of this machine, seven days old to the millisecond', ago('desk', 'docs', 7, 8, 9), []],
  ['of this machine, a little older', ago('desk', 'docs', 7.001, 8, 9), ['desk/docs 7']],
  ['of another machine, as old', ago('laptop', 'docs', 13.9, 14, 15), []],
  ['of another machine, older than two weeks', ago('laptop', 'docs', 14.1, 15, 16), ['laptop/docs 14']],
  ['of a job that comes once a week, two weeks ago', ago('desk', 'weekly', 14, 21, 28, 35), []],
  ['of a job that comes once a week, more than three ago', ago('desk', 'weekly', 21.5, 28.5, 35.5, 42.5), ['desk/weekly 21']],
  ['of a job that came once a month long ago, and daily since', ago('desk', 'docs', 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 50, 80, 110), ['desk/docs 8']],
  ['the only one there ever was', ago('desk', 'once', 8), ['desk/once 8']],
  ['from the future, beside an old one', ago('desk', 'docs', -3, 40), []],
])('the newest backup %s', (_name, backups, expected) => {
  expect(told(backups)).toEqual(expected)
})

test('each job of each host for itself, in order, whichever order they come in', () => {
  expect(told(ago('laptop', 'photos', 1), ago('laptop', 'docs', 20), ago('desk', 'docs', 1), ago('desk', 'a', 30), ago('attic', 'docs', 100))).toEqual(['attic/docs 100', 'desk/a 30', 'laptop/docs 20'])
})

test('says what is usual where it is known, and obeys other limits', () => {
  expect(overdue(ago('desk', 'docs', 3, 4, 5, 6), 'desk', now, { ownDays: 2, otherDays: 2 })).toEqual([])
  expect(overdue(ago('desk', 'docs', 3.5, 4.5, 5.5), 'desk', now, { ownDays: 2, otherDays: 2 })).toEqual([{ job: 'docs', host: 'desk', lastMs: now - 3.5 * day, days: 3, usualMs: day }])
})

test.each([[[7]], [[3, 4]], [[14, 21, 28, 35]], [[-3, 40]], [[8, 9, 10, 11]]])('backups %j days ago are late from the moment that is told before', (days) => {
  const times = ago('desk', 'docs', ...days)
  const fromMs = lateFromMs(times.map(({ finishedMs }) => finishedMs), now)
  const lateAt = (ms: number): boolean => overdue(times.map((one) => ({ ...one, finishedMs: Math.min(one.finishedMs, now) })), 'desk', ms).length > 0
  expect([lateAt(fromMs), lateAt(fromMs + 1)]).toEqual([false, true])
})
