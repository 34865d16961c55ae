import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { protectionOf, type Concern } from '../../../main/api/protection.ts'
import { agoWords, spanWords } from '../../../main/api/span.ts'
import type { AppState, CopyView, JobView, RunView } from '../../../main/api/contract.ts'
import { trayState } from '../../../main/tray/state.ts'
import { concernAction, headlineOf, placeName, trendWords } from '../../../renderer/text/protection.ts'
import { appState, job, run } from '../../renderer/fixtures.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = Date.UTC(2026, 5, 15, 12)
const error = (retryable: boolean): NonNullable<RunView['error']> => ({ code: retryable ? 'offline' : 'full', message: 'raw', retryable, ...(!retryable && { data: { place: 'storage' } }) })
const done = (outcome: RunView['outcome'], agoMs: number, change: Partial<RunView> = {}): RunView => run('j', `r${agoMs}`, now, { outcome, finishedMs: now - agoMs, startedMs: now - agoMs - minute, ...change })
const healthy = (name: string, agoMs = 12 * minute, change: Partial<JobView> = {}): JobView => job(name, name, { lastRun: done('success', agoMs), completeMs: now - agoMs, lateFromMs: now - agoMs + 7 * day, ...change })
const disk = { destination: { type: 'folder' as const, folder: { id: 'f', path: '/media/mia/Blue Disk/holdfast' } } }
const told = (jobs: readonly JobView[], change: Partial<AppState> = {}): string => {
  const state = appState(jobs, change)
  const { title, text } = headlineOf(protectionOf(state, now), state, now)
  return text === '' ? `${title}.` : `${title}. ${text}`
}
const late = (name: string, days: number): Pick<AppState, 'notices'> => ({ notices: [{ id: 'late', type: 'late', late: [{ job: name, days }] }] })
const care = (change: Partial<NonNullable<RunView['care']>>): NonNullable<JobView['care']> => ({
  running: false, lastRun: run('j', 'care', now, { operation: 'care', care: { forgotten: 0, prune: 'done', freedBytes: 0, affectedCount: 0, drill: 'passed', drilledFiles: 3, unreadPacks: 0, ...change } }),
})
const copy = (lastRun: RunView): CopyView => ({ id: 'c', destination: disk.destination, removeVanished: false, state: 'idle', lastRun })

describe('the sentence on top', () => {
  it('says that all is well, since when, where, and how far back', () => {
    expect(told([{ ...healthy('Documents', 12 * minute, { oldestMs: now - 430 * day }), config: { ...healthy('Documents').config, ...disk } }])).toBe('Protected. Last backup 12 minutes ago to Blue Disk; the oldest copy is 14 months old.')
    expect(told([healthy('a', 3 * day), healthy('b', minute)])).toBe('Protected. Last backup just now to Backup.')
    expect(told([healthy('a')], { pausedAll: true })).toBe('Protected. Last backup 12 minutes ago to Backup. No backup starts by itself until you resume.')
    const untilMs = new Date(now).setHours(25, 30, 0, 0)
    expect(told([healthy('a')], { pausedAll: true, pausedUntilMs: untilMs })).toMatch(/ No backup starts by itself before tomorrow 01:30\.$/)
  })

  it('tells the worst first, with what it means', () => {
    const failed = healthy('Photos', hour, { lastRun: done('failed', minute, { error: error(false) }), completeMs: now - 3 * hour })
    expect(told([healthy('Documents'), failed])).toBe('Not protected for 3 hours: the last backup of “Photos” failed. The backup storage is full.')
    expect(told([failed, healthy('Mail', 9 * day, { lateFromMs: now - 2 * day })], late('Mail', 9))).toMatch(/^Not protected for 9 days: no backup of “Mail” came\./)
    expect(told([failed, healthy('Mail', minute, { care: care({ affectedCount: 12 }) })])).toBe('The backup of “Mail” is damaged. 12 files of it cannot be restored whole.')
    expect(told([job('x', 'New', { lastRun: done('partial', minute, { error: error(true) }) })])).toMatch(/^Not protected: the first backup of “New” was not finished\./)
    expect(told([healthy('Safe', hour, { secrets: { password: false, storage: false } })])).toBe('“Safe” cannot be backed up: its password is not kept here. What has changed in the last 60 minutes is not backed up.')
  })

  it('does not raise an alarm for what only wants a look', () => {
    const after = 'Last backup 12 minutes ago to Backup.'
    expect(told([healthy('a', 12 * minute, { lastRun: done('warnings', 12 * minute, { problems: 3 }) })])).toBe(`Protected, but the last backup of “a” had 3 warnings. ${after}`)
    expect(told([healthy('a', 12 * minute, { hold: { since: 'a@1', reasons: [] } })])).toBe(`Protected, but an unusual change in “a” wants a look. Nothing older is let go until you say that it is fine. ${after}`)
    expect(told([healthy('a', 12 * minute, { copies: [copy(done('failed', hour, { error: error(false) }))] })])).toMatch(/^Protected, but “a” could not be copied to Blue Disk\./)
    expect(told([healthy('a', 12 * minute, { copies: [copy(done('failed', hour, { error: error(true) }))] })])).toBe(`Protected. ${after}`)
    expect(told([healthy('a', 5 * hour, { signIn: { service: 'dropbox' } })])).toBe('“a” waits until you sign in. What has changed in the last 5 hours is not backed up.')
  })

  it('says so where nothing, or not everything, is backed up', () => {
    expect(told([job('a', 'a', { waits: { wait: { type: 'asked' } } })])).toBe('Nothing is backed up yet. “a”: Only by hand.')
    expect(told([job('a', 'a', { state: 'running', runId: 'r' })])).toBe('Nothing is backed up yet. The first backup is under way.')
    expect(told([healthy('a'), job('b', 'b')])).toBe('Protected, except for “b”: never backed up so far. Last backup 12 minutes ago to Backup.')
    expect(told([healthy('a'), job('b', 'b'), job('c', 'c')])).toMatch(/^Protected, except for “b” and 1 other: never backed up so far\./)
    // Somebody has said that nobody is to be told of it: no alarm, and no claim either.
    expect(told([healthy('a', 40 * day, { lateFromMs: now - 33 * day })])).toBe('No backup for 40 days. Last backup 40 days ago to Backup.')
    expect(told([healthy('a'), healthy('b', 40 * day, { lateFromMs: now - 33 * day })])).toMatch(/^Protected, except for “b”: not backed up for 40 days\./)
  })

  it('names what jobs share once', () => {
    const shared = care({ affectedCount: 2 })
    expect(protectionOf(appState([healthy('a', hour, { care: shared }), healthy('b', hour, { care: shared })]), now).concerns).toHaveLength(1)
  })
})

describe('whatever the jobs are like', () => {
  const ages = fc.integer({ min: 0, max: 60 * day })
  const outcomes = fc.constantFrom(...(['success', 'unchanged', 'warnings', 'partial', 'failed', 'stopped'] as const))
  const jobs = fc.array(
    fc.record({ outcome: outcomes, lastAgo: ages, completeAgo: fc.option(ages), retryable: fc.boolean(), signIn: fc.boolean(), password: fc.boolean(), held: fc.boolean(), late: fc.boolean(), told: fc.boolean(), damaged: fc.boolean(), running: fc.boolean() }),
    { minLength: 1, maxLength: 5 },
  ).map((all) => {
    const list = all.map((one, at): JobView => {
      const isComplete = ['success', 'unchanged', 'warnings'].includes(one.outcome)
      const completeMs = isComplete ? now - one.lastAgo : one.completeAgo === null ? undefined : now - Math.max(one.completeAgo, one.lastAgo)
      return job(`j${at}`, `Job ${at}`, {
        lastRun: done(one.outcome, one.lastAgo, ['failed', 'partial'].includes(one.outcome) ? { error: error(one.retryable) } : { problems: one.outcome === 'warnings' ? 2 : 0 }),
        ...(completeMs !== undefined && { completeMs }), lateFromMs: one.late ? now - 1 : now + 1, secrets: { password: one.password, storage: true },
        ...(one.signIn && { signIn: { service: 'box' } }), ...(one.held && { hold: { since: 'x@1', reasons: [] } }), ...(one.damaged && { care: care({ affectedCount: 1 }) }),
        ...(one.running && { state: 'running', runId: 'r' }),
      })
    })
    const silent = all.flatMap((one, at) => (one.late && one.told ? [{ job: `Job ${at}`, days: 8 }] : []))
    return appState(list.map((one) => (one.completeMs === undefined ? (({ completeMs: _none, ...rest }) => rest)(one) : one)), silent.length > 0 ? { notices: [{ id: 'late', type: 'late', late: silent }] } : {})
  })
  const severities: readonly Concern['severity'][] = ['bad', 'warn', 'note']

  it('only what is protected is called so, and tray and window agree', () => {
    fc.assert(fc.property(jobs, (state) => {
      const protection = protectionOf(state, now)
      const { title, tone, concern } = headlineOf(protection, state, now)
      const bad = protection.concerns.filter(({ severity }) => severity === 'bad')
      expect(title.startsWith('Protected'), title).toBe(protection.allProtected || (bad.length === 0 && title.startsWith('Protected, except')))
      if (title === 'Protected') for (const { completeMs = 0, lastRun, secrets, signIn } of state.jobs) expect([completeMs > 0, secrets.password, signIn, lastRun?.outcome === 'failed']).toEqual([true, true, undefined, false])
      expect(tone === 'bad').toBe(bad.length > 0)
      expect(concern).toBe(protection.concerns[0])
      const calm = { ...state, jobs: state.jobs.map(({ runId: _run, ...one }): JobView => ({ ...one, state: 'idle' })) }
      const { icon } = trayState(calm, now)
      expect(icon).toBe(bad.length > 0 ? 'error' : tone === 'warn' ? 'warning' : 'idle')
    }))
  })

  it('the order is from the worst on, and whatever wants somebody has one action', () => {
    fc.assert(fc.property(jobs, (state) => {
      const { concerns } = protectionOf(state, now)
      const ranks = concerns.map(({ severity }) => severities.indexOf(severity))
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
      for (const concern of concerns) if (concern.job.state === 'idle') expect(concernAction(concern)).toBeDefined()
    }))
  })

  it('nothing is said in numbers that are none', () => {
    fc.assert(fc.property(jobs, (state) => {
      const { title, text } = headlineOf(protectionOf(state, now), state, now)
      expect(`${title} ${text}`).not.toMatch(/undefined|NaN|Infinity|-\d|\b0 (?:days|hours|months|years)/)
    }))
  })
})

it('stretches of time have one unit, and never more than has gone by', () => {
  const exact: readonly (readonly [number, string])[] = [
    [-5, '0 minutes'], [minute, '1 minute'], [2 * hour - 1, '119 minutes'], [2 * hour, '2 hours'], [2 * day - 1, '47 hours'], [2 * day, '2 days'],
    [60 * day - 1, '59 days'], [61 * day, '2 months'], [430 * day, '14 months'], [730 * day, '23 months'], [731 * day, '2 years'], [1100 * day, '3 years'],
  ]
  for (const [ms, words] of exact) expect(spanWords(ms)).toBe(words)
  expect([agoWords(-hour), agoWords(2 * minute - 1), agoWords(2 * minute)]).toEqual(['just now', 'just now', '2 minutes ago'])
})

it('a disk is called by its name, all else by its address', () => {
  const folder = (path: string): string => placeName({ type: 'folder', folder: { id: 'f', path } })
  expect(['/media/mia/Blue Disk/holdfast', '/run/media/mia/USB', '/Volumes/Time/x', '/srv/backup'].map(folder)).toEqual(['Blue Disk', 'USB', 'Time', '/srv/backup'])
  expect(folder('/media/mia/a\u202eb/x')).toBe('a\\u202eb')
})

it('a chart says what it shows', () => {
  const recent = [3e9, 0, 1e6].map((addedBytes, at) => ({ finishedMs: at, bytes: 5e9, addedBytes }))
  expect(trendWords(recent)).toBe('Added by the last 3 backups: 1.00 MB by the newest, 3.00 GB at most')
  expect([trendWords(recent.slice(0, 1)), trendWords([])]).toEqual(['Added: 3.00 GB', ''])
})
