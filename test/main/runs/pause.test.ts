import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PauseLength } from '../../../main/api/contract.ts'
import { holds, pauseFrom, tomorrowMorningMs } from '../../../main/runs/pause.ts'
import { openSettings } from '../../../main/settings/settings.ts'
import { openWorld } from '../jobs/world.ts'
import { settle } from '../fakes.ts'

const timezone = 'Europe/Berlin'
const at = (text: string): number => new Date(text).getTime()
const hourMs = 3_600_000
const moments = fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2034-01-01T00:00:00Z') })
const lengths = fc.constantFrom<PauseLength[]>(1, 2, 4, 'tomorrow', 'resumed')
const clock = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

describe('tomorrow morning', () => {
  it.each([
    ['in the evening', '2026-01-05T19:00:00Z', '2026-01-06T07:00:00Z'],
    ['in the morning', '2026-01-05T07:30:00Z', '2026-01-06T07:00:00Z'],
    ['before breakfast is the next day’s still', '2026-01-05T05:00:00Z', '2026-01-06T07:00:00Z'],
    ['in the night is when that night is over', '2026-01-05T01:00:00Z', '2026-01-05T07:00:00Z'],
    ['across the change to summer time', '2026-03-28T20:00:00Z', '2026-03-29T06:00:00Z'],
    ['across the change to winter time', '2026-10-24T20:00:00Z', '2026-10-25T07:00:00Z'],
  ])('%s', (_name, now, until) => {
    expect(new Date(tomorrowMorningMs(at(now), timezone)).toISOString()).toBe(new Date(until).toISOString())
  })

  it('is eight o’clock, at least three hours ahead, and at most a day and a few hours', () => {
    fc.assert(fc.property(moments, (nowMs) => {
      const until = tomorrowMorningMs(nowMs, timezone)
      expect(clock.format(until)).toBe('08:00')
      expect(until - nowMs).toBeGreaterThan(2 * hourMs)
      expect(until - nowMs).toBeLessThanOrEqual(28 * hourMs)
    }), { numRuns: 500 })
  })
})

describe('a pause', () => {
  it('holds from when it was asked for until its end, never longer than it was asked for, wherever the clock is put', () => {
    fc.assert(fc.property(moments, lengths, fc.integer({ min: -200 * hourMs, max: 200 * hourMs }), (nowMs, length, later) => {
      const pause = pauseFrom(length, nowMs, timezone)
      const held = holds(pause, nowMs + later)
      if (pause.untilMs === undefined) expect([length, held]).toEqual(['resumed', true])
      else expect(held).toBe(later >= -300_000 && nowMs + later < pause.untilMs)
    }), { numRuns: 1_000 })
    expect(holds(undefined, 5)).toBe(false)
  })
})

describe('everything is paused', () => {
  it('for an hour: what ran goes on after it, and what was paused by itself does not', async () => {
    const { backups, queue, add, timers } = openWorld()
    const [one, two] = [await add('a'), await add('b')]
    for (const id of [one, two]) backups.run(id, 'manual')
    backups.pause(two)
    backups.pauseAll(1)
    expect(queue.pausedUntilMs).toBe(timers.time + hourMs)
    timers.time += hourMs - 1
    backups.tick()
    expect([one, two].map((id) => backups.of(id)?.state)).toEqual(['paused', 'paused'])
    timers.time += 1
    backups.tick()
    expect([one, two].map((id) => backups.of(id)?.state)).toEqual(['running', 'paused'])
    expect([queue.pausedAll, queue.pausedUntilMs]).toEqual([false, undefined])
  })

  it('until it is over, asleep or not: the schedule is held and the reason is told with its end', async () => {
    const { backups, store, add, timers, hosts } = openWorld()
    const id = await add('a', { schedule: { type: 'hourly' } })
    backups.pauseAll(4)
    const untilMs = timers.time + 4 * hourMs
    timers.time += 2 * hourMs
    backups.tick()
    expect([hosts.length, backups.wait(store.get(id))]).toEqual([0, { wait: { type: 'paused' }, untilMs }])
    timers.time += 9 * hourMs
    backups.tick()
    expect(hosts).toHaveLength(1)
  })

  it.each([[4, 2 * hourMs, 'paused'], [4, 5 * hourMs, 'asked'], ['resumed', 500 * hourMs, 'paused']] as const)('for %s, seen after a restart %d ms later: %s', async (length, laterMs, reason) => {
    const before = openWorld()
    const id = await before.add('a')
    before.backups.pauseAll(length)
    await settle()
    await before.settings.set(before.settings.value)
    const after = openWorld(before.folder)
    after.timers.time += laterMs
    after.backups.tick()
    expect(after.backups.wait(after.store.get(id))?.wait.type).toBe(reason)
    expect(openSettings(`${before.folder}/settings.json`, () => 0).movedTo).toBeUndefined()
  })
})
