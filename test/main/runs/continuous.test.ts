import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunView } from '../../../main/api/contract.ts'
import { nextRunMs, pendingChanges, type Changes, type Scheduled } from '../../../main/runs/schedule.ts'
import { noCounters } from '../fakes.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const startMs = Date.UTC(2026, 0, 5)
const schedule = { type: 'continuous', quietMinutes: 2, everyMinutes: 15 } as const

function run(startedMs: number, finishedMs: number, changes: Partial<RunView> = {}): RunView {
  return { id: 'r', jobId: 'j', operation: 'backup', trigger: 'schedule', outcome: 'success', startedMs, finishedMs, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0, ...changes }
}

function next(changes: Changes | undefined, lastRun: RunView | undefined, works = true): number {
  return (nextRunMs({ schedule, scheduledSinceMs: startMs, lastRun, watching: { works, ...(changes && { changes }) } }) ?? NaN) - startMs
}

const at = (minutes: number): number => startMs + minutes * minuteMs

describe('a job that runs when something changes', () => {
  it('runs when nothing has changed for the quiet time, and while changes go on after the longer one', () => {
    const last = run(at(0), at(1))
    expect(next(undefined, last)).toBe(minuteMs + dayMs)
    expect(next({ firstMs: at(60), lastMs: at(60) }, last)).toBe(62 * minuteMs)
    expect(next({ firstMs: at(60), lastMs: at(70) }, last)).toBe(72 * minuteMs)
    expect(next({ firstMs: at(60), lastMs: at(74) }, last)).toBe(75 * minuteMs)
  })

  it('keeps its distance from the last run, whoever started it', () => {
    expect(next({ firstMs: at(3), lastMs: at(3) }, run(at(0), at(2)))).toBe(17 * minuteMs)
    expect(next({ firstMs: at(3), lastMs: at(3) }, undefined)).toBe(5 * minuteMs)
  })

  it('knows which changes a run has taken: not those that came while it ran', () => {
    const last = run(at(10), at(20))
    expect(next({ firstMs: at(1), lastMs: at(9) }, last)).toBe(20 * minuteMs + dayMs)
    expect(pendingChanges({ watching: { works: true, changes: { firstMs: at(1), lastMs: at(12) } }, lastRun: last })).toEqual({ firstMs: at(10), lastMs: at(12) })
    expect(next({ firstMs: at(1), lastMs: at(12) }, last)).toBe(35 * minuteMs)
  })

  it('runs each hour while its folders cannot be watched, and soon again when its storage was away', () => {
    expect(next(undefined, run(at(0), at(1)), false)).toBe(61 * minuteMs)
    const away = run(at(0), at(1), { outcome: 'failed', error: { code: 'offline', message: '', retryable: true } })
    expect(next(undefined, away)).toBe(16 * minuteMs)
  })

  it('in any week: no two runs closer than they may be, no change waits longer than it may, and a run a day', () => {
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 7 * 24 * 60 }), { maxLength: 300 })
    fc.assert(fc.property(minutes, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 5, max: 720 }), (times, runMinutes, quietMinutes, everyMinutes) => {
      const own = { type: 'continuous', quietMinutes, everyMinutes } as const
      const runs = simulated(new Set(times), runMinutes, own)
      for (const [index, one] of runs.entries()) {
        const before = runs[index - 1]
        const sinceMs = before?.finishedMs ?? startMs
        if (before) expect(one.startedMs - before.finishedMs).toBeGreaterThanOrEqual(everyMinutes * minuteMs)
        expect(one.startedMs - sinceMs).toBeLessThanOrEqual(dayMs)
      }
      for (const time of times) {
        const changedMs = at(time)
        const taken = runs.find((one) => one.startedMs > changedMs)
        // It waits for the run under way, the distance from that, and until things are quiet, but not for ever.
        const mostMs = (runMinutes + everyMinutes + Math.max(quietMinutes, everyMinutes)) * minuteMs
        if (changedMs + mostMs < at(7 * 24 * 60)) expect((taken?.startedMs ?? Infinity) - changedMs).toBeLessThanOrEqual(mostMs)
      }
    }), { numRuns: 60 })
  })
})

/** A week, minute by minute: what main's ticks and the watch would do. */
function simulated(changes: ReadonlySet<number>, runMinutes: number, own: Extract<Scheduled['schedule'], { type: 'continuous' }>): readonly RunView[] {
  const runs: RunView[] = []
  let known: Changes | undefined
  for (let minute = 0; minute <= 7 * 24 * 60; minute++) {
    const nowMs = at(minute)
    const lastRun = runs.at(-1)
    if (changes.has(minute)) {
      const pending = known && pendingChanges({ watching: { works: true, changes: known }, lastRun })
      known = { firstMs: pending?.firstMs ?? nowMs, lastMs: nowMs }
    }
    if (lastRun && lastRun.finishedMs > nowMs) continue
    const due = nextRunMs({ schedule: own, scheduledSinceMs: startMs, lastRun, watching: { works: true, ...(known && { changes: known }) } })
    if (due !== undefined && due <= nowMs) runs.push(run(nowMs, nowMs + runMinutes * minuteMs))
  }
  return runs
}
