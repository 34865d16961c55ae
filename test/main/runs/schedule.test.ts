import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunView } from '../../../main/api/contract.ts'
import { nextTimeMs } from '../../../main/api/schedule.ts'
import { dueTrigger, nextRunMs } from '../../../main/runs/schedule.ts'
import { noCounters } from '../fakes.ts'

const timezone = 'Europe/Berlin'
const at = (text: string): number => new Date(text).getTime()
const daily = { type: 'daily', at: '12:30' } as const
const hourMs = 3_600_000

function lastRun(finished: string, changes: Partial<RunView> = {}): RunView {
  const finishedMs = at(finished)
  return { id: 'r', jobId: 'j', operation: 'backup', trigger: 'manual', outcome: 'success', startedMs: finishedMs - 60_000, finishedMs, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0, ...changes }
}

describe('nextTimeMs', () => {
  it('knows the hour and the day, in local time', () => {
    expect(nextTimeMs({ type: 'manual' }, 0)).toBeUndefined()
    expect(nextTimeMs({ type: 'hourly' }, at('2026-01-05T10:00:01Z'), timezone)).toBe(at('2026-01-05T11:00:00Z'))
    expect(nextTimeMs(daily, at('2026-01-05T11:29:59Z'), timezone)).toBe(at('2026-01-05T11:30:00Z'))
    expect(nextTimeMs(daily, at('2026-01-05T11:30:00Z'), timezone)).toBe(at('2026-01-06T11:30:00Z'))
    expect(nextTimeMs(daily, at('2026-07-05T00:00:00Z'), timezone)).toBe(at('2026-07-05T10:30:00Z'))
  })

  it('misses no day at a change of the clocks', () => {
    const night = { type: 'daily', at: '02:30' } as const
    const spring = nextTimeMs(night, at('2026-03-28T12:00:00Z'), timezone) ?? 0
    expect(new Date(spring).toISOString().slice(0, 10)).toBe('2026-03-29')
    const autumn = nextTimeMs(night, at('2026-10-24T12:00:00Z'), timezone) ?? 0
    expect(autumn).toBe(at('2026-10-25T00:30:00Z'))
    expect(nextTimeMs(night, autumn, timezone)).toBe(at('2026-10-26T01:30:00Z'))
  })

  it('always lies ahead, at most 25 hours', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), (since, hour, minute) => {
      const schedule = { type: 'daily', at: `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}` } as const
      const next = nextTimeMs(schedule, since, timezone) ?? 0
      expect(next).toBeGreaterThan(since)
      expect(next - since).toBeLessThanOrEqual(25 * hourMs)
    }), { numRuns: 200 })
  })
})

describe('dueTrigger', () => {
  const scheduledSinceMs = at('2026-01-01T00:00:00Z')

  it('starts on time, and makes up one run for many that were missed', () => {
    const job = { schedule: daily, scheduledSinceMs, lastRun: lastRun('2026-01-04T11:31:00Z'), timezone }
    expect(dueTrigger(job, at('2026-01-05T11:29:59Z'))).toBeUndefined()
    expect(dueTrigger(job, at('2026-01-05T11:30:20Z'))).toBe('schedule')
    expect(dueTrigger(job, at('2026-01-09T08:00:00Z'))).toBe('catch-up')
    const after = { ...job, lastRun: lastRun('2026-01-09T08:05:00Z') }
    expect(dueTrigger(after, at('2026-01-09T08:06:00Z'))).toBeUndefined()
    expect(nextRunMs(after)).toBe(at('2026-01-09T11:30:00Z'))
  })

  it('does not start a new job for times before it was made, and never a manual one', () => {
    expect(dueTrigger({ schedule: daily, scheduledSinceMs: at('2026-01-05T15:00:00Z'), lastRun: undefined, timezone }, at('2026-01-05T16:00:00Z'))).toBeUndefined()
    expect(dueTrigger({ schedule: { type: 'manual' }, scheduledSinceMs: 0, lastRun: undefined }, at('2030-01-01T00:00:00Z'))).toBeUndefined()
  })

  it('counts a long run from its end', () => {
    const run = lastRun('2026-01-05T13:10:00Z', { startedMs: at('2026-01-05T10:00:00Z') })
    expect(nextRunMs({ schedule: { type: 'hourly' }, scheduledSinceMs, lastRun: run, timezone })).toBe(at('2026-01-05T14:00:00Z'))
  })

  it('tries again soon when the storage was away, but not when the user stopped it or it cannot work', () => {
    const away = { code: 'offline', message: '', retryable: true } as const
    const job = (changes: Partial<RunView>) => nextRunMs({ schedule: daily, scheduledSinceMs, lastRun: lastRun('2026-01-05T11:40:00Z', changes), timezone })
    expect(job({ outcome: 'failed', error: away })).toBe(at('2026-01-05T11:55:00Z'))
    expect(job({ outcome: 'stopped', error: away })).toBe(at('2026-01-06T11:30:00Z'))
    expect(job({ outcome: 'failed', error: { ...away, code: 'password', retryable: false } })).toBe(at('2026-01-06T11:30:00Z'))
  })
})
