import { expect, test } from 'vitest'
import type { CareFigures, CareView, RunView } from '../../../main/api/contract.ts'
import { defaultRetention } from '../../../main/api/retention.ts'
import { careLine, keptWords, previewWords } from '../../../renderer/text/care.ts'
import { run } from '../fixtures.ts'

const hourMs = 3_600_000
const now = Date.UTC(2026, 5, 10, 12)
const figures: CareFigures = { forgotten: 0, prune: 'not due', freedBytes: 0, affectedCount: 0, drill: 'not due', drilledFiles: 0, unreadPacks: 0 }
const after = (care: Partial<CareFigures>, change: Partial<RunView> = {}): CareView => ({ running: false, lastRun: run('care-j', 'r', now, { operation: 'care', finishedMs: now - 3 * hourMs, care: { ...figures, ...care }, ...change }) })

test.each<[string, CareView, object]>([
  ['all that was done', after({ forgotten: 12, prune: 'done', freedBytes: 1.2e9, drill: 'passed', drilledFiles: 40, oldestVerifiedMs: Date.UTC(2026, 4, 3, 12) }), {
    text: '3 h ago: 12 snapshots removed, 1.20 GB freed, 40 files restored for a test. Oldest read-back of a pack: 3 May 2026.', tone: 'neutral',
  }],
  ['nothing', after({}), { text: '3 h ago: nothing was to be done.', tone: 'neutral' }],
  ['what was not read yet', after({ unreadPacks: 3, oldestVerifiedMs: 5 }), { text: '3 h ago: nothing was to be done. 3 packs were never read back so far.', tone: 'neutral' }],
  ['damage, first', after({ forgotten: 1, affectedCount: 2 }, { outcome: 'failed' }), { text: '3 h ago: 2 files cannot be restored whole, 1 snapshot removed.', tone: 'bad' }],
  ['a drill that failed', after({ drill: 'failed', drilledFiles: 25 }, { outcome: 'failed' }), { text: '3 h ago: a test restore of 25 files failed.', tone: 'bad' }],
  ['a drill with warnings', after({ drill: 'warnings', drilledFiles: 1 }, { outcome: 'warnings' }), { text: '3 h ago: 1 file restored for a test, with warnings.', tone: 'warn' }],
  ['space that stays', after({ prune: 'failed' }, { outcome: 'warnings' }), { text: '3 h ago: space could not be freed.', tone: 'warn' }],
  ['no room', after({ drill: 'no room' }), { text: '3 h ago: no room on this computer for a test restore.', tone: 'warn' }],
  ['that it runs', { ...after({}), running: true }, { text: 'At this moment', tone: 'neutral' }],
  ['that it begins later', { running: false, waits: { wait: { type: 'asked' } } }, { text: 'Not yet. It begins after the first backup.', tone: 'neutral' }],
  ['when it begins', { running: false, waits: { wait: { type: 'quiet' }, untilMs: now } }, { text: 'Not yet. Waits for a quiet moment', tone: 'neutral' }],
])('tells of care %s', (_name, care, expected) => {
  expect(careLine(care, now)).toEqual(expected)
})

test('care that came to no end says why, and that it goes on', () => {
  const ended = (change: Partial<RunView>): CareView => ({ running: false, lastRun: run('care-j', 'r', now, { operation: 'care', finishedMs: now - 3 * hourMs, ...change }) })
  expect(careLine(ended({ outcome: 'stopped' }), now)).toEqual({ text: 'Broken off 3 h ago for something else. It goes on at a quiet moment.', tone: 'neutral' })
  expect(careLine(ended({ outcome: 'failed', error: { code: 'offline', message: 'raw', retryable: true } }), now)).toEqual({ text: 'Failed 3 h ago. The storage cannot be reached. It is tried again by itself.', tone: 'warn' })
  expect(careLine(ended({ outcome: 'failed', error: { code: 'crashed', message: 'raw', retryable: true } }), now).text).toBe('Cut off 3 h ago. It goes on by itself.')
  expect(careLine(ended({ outcome: 'failed', error: { code: 'password', message: 'raw', retryable: false } }), now).tone).toBe('bad')
})

test('what is kept is told in a few words', () => {
  expect([undefined, {}, { last: 2 }, defaultRetention, { budgetBytes: 5e9 }, { hourly: 24, withinMs: 86_400_000, budgetBytes: 1e12 }].map((retention) => keptWords(retention ? { retention } : {}))).toEqual([
    'Everything', 'Everything', 'The last 2', 'All of 2 days, 30 daily, 12 weekly, 24 monthly, 10 yearly', 'Everything, at most 5.00 GB', 'All of a day, 24 hourly, at most 1.00 TB',
  ])
})

test('what rules would do is told before they do it', () => {
  expect(previewWords({ kept: 26, forgotten: 4, oldestKeptMs: Date.UTC(2025, 4, 3, 12), freedBytes: 1.2e9 }, now)).toBe('26 snapshots stay, the oldest made 3 May 2025. 4 would be removed, which frees about 1.20 GB.')
  expect(previewWords({ kept: 1, forgotten: 0, oldestKeptMs: Date.UTC(2025, 4, 3, 12), freedBytes: 0 }, now)).toBe('1 snapshot stays, the oldest made 3 May 2025. None would be removed.')
  expect(previewWords({ kept: 0, forgotten: 0 }, now)).toBe('0 snapshots stay. None would be removed.')
})
