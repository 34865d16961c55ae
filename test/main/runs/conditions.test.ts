import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Conditions, Surroundings } from '../../../main/api/contract.ts'
import { holdReason, isStricter, unmet } from '../../../main/runs/conditions.ts'
import { OverdueTeller, type Overdue } from '../../../main/runs/overdue.ts'
import { announceOverdue } from '../../../main/system/announcements.ts'
import { openWorld } from '../jobs/world.ts'
import { settle } from '../fakes.ts'

const hourMs = 3_600_000
const names = fc.uniqueArray(fc.constantFrom('Home', 'Office', 'Phone', 'Café'), { minLength: 1, maxLength: 3 })
const conditionsOf: fc.Arbitrary<Conditions> = fc.record({
  mains: fc.boolean(), batteryAbove: fc.integer({ min: 1, max: 99 }), unmetered: fc.boolean(), idle: fc.boolean(), networks: fc.record({ rule: fc.constantFrom('only', 'never'), names }),
}, { requiredKeys: [] })
const surroundingsOf: fc.Arbitrary<Surroundings> = fc.record({
  onBattery: fc.boolean(), batteryPercent: fc.integer({ min: 0, max: 100 }), metered: fc.boolean(), idle: fc.boolean(), networks: fc.oneof(names, fc.constant([])),
}, { requiredKeys: [] })

describe('conditions', () => {
  it.each<[string, Conditions, Surroundings, object | undefined]>([
    ['none', {}, { onBattery: true, batteryPercent: 1, metered: true, networks: ['Phone'], idle: false }, undefined],
    ['mains power', { mains: true }, { onBattery: true, batteryPercent: 99 }, { type: 'power' }],
    ['enough battery', { batteryAbove: 40 }, { onBattery: true, batteryPercent: 39 }, { type: 'battery', above: 40 }],
    ['enough battery, and it is', { batteryAbove: 40 }, { onBattery: true, batteryPercent: 40 }, undefined],
    ['enough battery, on mains', { batteryAbove: 40 }, { onBattery: false, batteryPercent: 3 }, undefined],
    ['no costs', { unmetered: true }, { metered: true }, { type: 'metered' }],
    ['a network', { networks: { rule: 'only', names: ['Home', 'Office'] } }, { networks: ['Café'] }, { type: 'network', rule: 'only', names: ['Home', 'Office'] }],
    ['a network, without any', { networks: { rule: 'only', names: ['Home'] } }, { networks: [] }, { type: 'network', rule: 'only', names: ['Home'] }],
    ['a network, beside others', { networks: { rule: 'only', names: ['Home'] } }, { networks: ['Wired', 'Home'] }, undefined],
    ['not a network', { networks: { rule: 'never', names: ['Phone'] } }, { networks: ['Wired', 'Phone'] }, { type: 'network', rule: 'never', names: ['Phone'] }],
    ['not a network, elsewhere', { networks: { rule: 'never', names: ['Phone'] } }, { networks: [] }, undefined],
    ['nobody there', { idle: true }, { idle: false }, { type: 'idle' }],
  ])('%s', (_name, conditions, surroundings, expected) => {
    expect(unmet(conditions, surroundings)).toEqual(expected)
  })

  it('on what cannot be known are met, and each that is asked for alone is enough to wait', () => {
    fc.assert(fc.property(conditionsOf, surroundingsOf, (conditions, surroundings) => {
      expect([unmet(conditions, {}), unmet(undefined, surroundings), unmet({}, surroundings)]).toEqual([undefined, undefined, undefined])
      const alone = Object.keys(conditions).map((key) => unmet(Object.fromEntries(Object.entries(conditions).filter(([name]) => name === key)), surroundings))
      expect(unmet(conditions, surroundings) === undefined).toBe(alone.every((one) => one === undefined))
      for (const fact of Object.keys(surroundings)) {
        const fewer = Object.fromEntries(Object.entries(surroundings).filter(([name]) => name !== fact))
        if (unmet(conditions, surroundings) === undefined && fact !== 'onBattery') expect(unmet(conditions, fewer)).toBeUndefined()
      }
      // Who comes back to the computer ends nothing that is under way.
      expect(holdReason(conditions, surroundings)?.type).not.toBe('idle')
      if (holdReason(conditions, surroundings)) expect(unmet(conditions, surroundings)).toBeDefined()
    }), { numRuns: 2_000 })
  })

  it('are stricter only where something that ran before does not any more', () => {
    fc.assert(fc.property(conditionsOf, conditionsOf, surroundingsOf, (before, after, surroundings) => {
      expect([isStricter(before, before), isStricter(before, {}), isStricter(undefined, undefined)]).toEqual([false, false, false])
      if (!isStricter(before, after) && unmet(before, surroundings) === undefined) expect(unmet(after, surroundings)).toBeUndefined()
    }), { numRuns: 5_000 })
  })
})

describe('a job with conditions', () => {
  it('waits for them when it is due, says so, and runs as soon as they hold; by hand it runs in any case', async () => {
    const { backups, store, add, timers, hosts, surroundings } = openWorld()
    const [id, other] = [await add('a', { schedule: { type: 'hourly' }, conditions: { mains: true } }), await add('b', { schedule: { type: 'hourly' }, conditions: { mains: true } })]
    surroundings.value = { onBattery: true }
    expect(backups.wait(store.get(id))?.wait).toEqual({ type: 'schedule' })
    timers.time += hourMs
    backups.tick()
    expect([hosts.length, backups.wait(store.get(id))]).toEqual([0, { wait: { type: 'power' } }])
    backups.run(other, 'manual')
    expect(hosts).toHaveLength(1)
    surroundings.value = { onBattery: false }
    backups.tick()
    expect(hosts).toHaveLength(2)
  })

  it('that is under way stands still while they do not hold, and goes on after; one that was started by hand does not', async () => {
    const { backups, queue, store, add, timers, hosts, surroundings } = openWorld()
    const [id, byHand] = [await add('a', { schedule: { type: 'hourly' }, conditions: { unmetered: true, idle: true } }), await add('b', { conditions: { unmetered: true } })]
    timers.time += hourMs
    backups.tick()
    backups.run(byHand, 'manual')
    for (const host of hosts) host.ready()
    expect(queue.minds).toBe(true)
    surroundings.value = { metered: true, idle: false }
    queue.pump()
    queue.pump()
    expect([id, byHand].map((one) => backups.of(one)?.state)).toEqual(['paused', 'running'])
    expect([backups.wait(store.get(id)), hosts[0]?.got('pause').length, hosts[1]?.got('pause').length]).toEqual([{ wait: { type: 'metered' } }, 1, 0])
    surroundings.value = { metered: false, idle: false }
    queue.pump()
    expect([backups.of(id)?.state, hosts[0]?.got('resume').length, backups.wait(store.get(id))]).toEqual(['running', 1, undefined])
  })

  it('stays paused when a person paused it, and goes on in spite of its conditions when a person wants it', async () => {
    const { backups, queue, add, timers, hosts, surroundings } = openWorld()
    const id = await add('a', { schedule: { type: 'hourly' }, conditions: { unmetered: true } })
    timers.time += hourMs
    backups.tick()
    hosts[0]?.ready()
    const change = (metered: boolean): string | undefined => {
      surroundings.value = { metered }
      queue.pump()
      return backups.of(id)?.state
    }
    backups.pause(id)
    expect([change(true), change(false)]).toEqual(['paused', 'paused'])
    backups.resume(id)
    expect([change(true), change(false)]).toEqual(['running', 'running'])
  })

  it('goes through pauses of all kinds: it runs if and only if nothing holds it', async () => {
    const steps = fc.array(fc.constantFrom('metered', 'free', 'pauseAll', 'resumeAll', 'hour'), { maxLength: 12 })
    await fc.assert(fc.asyncProperty(steps, async (all) => {
      const { backups, queue, add, timers, surroundings } = openWorld()
      const id = await add('a', { schedule: { type: 'hourly' }, conditions: { unmetered: true } })
      timers.time += hourMs
      backups.tick()
      for (const step of all) {
        if (step === 'metered' || step === 'free') surroundings.value = { metered: step === 'metered' }
        else if (step === 'pauseAll') backups.pauseAll(1)
        else if (step === 'resumeAll') backups.resumeAll()
        else timers.time += hourMs
        queue.pump()
        backups.tick()
        await settle()
        expect(backups.of(id)?.state).toBe(queue.pausedAll || surroundings.value.metered === true ? 'paused' : 'running')
      }
    }), { numRuns: 40 })
  })

  it('keeps care and copies of its repository from running as well', async () => {
    const { care, store, learn, add, timers, surroundings } = openWorld()
    const id = await add('a', { retention: { last: 1 }, conditions: { networks: { rule: 'never', names: ['Phone'] } } })
    await learn(id, 'ab', undefined)
    timers.time += 25 * hourMs
    surroundings.value = { networks: ['Phone'] }
    expect(care.view(store.get(id))?.waits?.wait.type).toBe('network')
    surroundings.value = { networks: ['Home'] }
    expect(care.view(store.get(id))?.waits).toBeUndefined()
  })
})

describe('what is overdue for its conditions', () => {
  it('is what has been due for a day, and waits for them', async () => {
    const { backups, add, timers, surroundings } = openWorld()
    const id = await add('a', { schedule: { type: 'hourly' }, conditions: { mains: true } })
    await add('b', { schedule: { type: 'manual' }, conditions: { mains: true } })
    surroundings.value = { onBattery: true }
    timers.time += 24 * hourMs
    expect(backups.overdue(24 * hourMs)).toEqual([])
    timers.time += hourMs
    expect(backups.overdue(24 * hourMs)).toEqual([{ jobId: id, name: 'a', wait: { type: 'power' } }])
    surroundings.value = { onBattery: false }
    expect(backups.overdue(24 * hourMs)).toEqual([])
  })

  it('is told once a day at most, also over restarts, and again where nobody wanted to hear it', () => {
    const state = { nowMs: 0, told: undefined as number | undefined, wanted: true, announced: 0 }
    const found: readonly Overdue[] = [{ jobId: 'j', name: 'a', wait: { type: 'power' } }]
    const tick = (nowMs: number, overdue = found): number => {
      const teller = new OverdueTeller({ now: () => nowMs, overdue: () => overdue, told: { get: () => state.told, set: (ms) => { state.told = ms } }, announce: () => { state.announced += 1; return state.wanted } })
      teller.tick()
      return state.announced
    }
    expect([tick(hourMs, []), tick(2 * hourMs), tick(3 * hourMs), tick(25.9 * hourMs), tick(26 * hourMs), tick(5 * hourMs)]).toEqual([0, 1, 1, 1, 2, 3])
    state.wanted = false
    expect([tick(90 * hourMs), state.told]).toEqual([4, 5 * hourMs])
  })

  it('is told in words, with where a click leads', () => {
    const one = { jobId: 'j', name: 'docs\u202e', wait: { type: 'network', rule: 'only', names: ['Home'] } } as const
    expect(announceOverdue([one], 'failures')).toMatchObject({ title: 'docs\\u202e waits for the network Home', route: { page: 'job', jobId: 'j' }, urgent: false })
    expect(announceOverdue([one, one], 'all')).toMatchObject({ title: '2 backups wait for their conditions', route: { page: 'jobs' } })
    expect([announceOverdue([one], 'none'), announceOverdue([], 'all')]).toEqual([undefined, undefined])
  })
})
