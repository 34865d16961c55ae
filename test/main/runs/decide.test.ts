import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RunView, Wait } from '../../../main/api/contract.ts'
import { decide, isWait, mustYield, type Active, type Candidate, type Facts } from '../../../main/runs/decide.ts'
import { noCounters, settle } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const hourMs = 3_600_000
const noon = Date.UTC(2026, 0, 5, 12)
const free: Facts = { ending: false, pausedAll: false, active: [], waiting: [], parallelJobs: 2, awakeSinceMs: 0 }
type Backup = Extract<Candidate, { operation: 'backup' }>
type CareCandidate = Extract<Candidate, { operation: 'care' }>
const backup: Backup = {
  operation: 'backup', jobId: 'j', repository: 'r', schedule: { type: 'hourly' }, scheduledSinceMs: noon, lastRun: undefined, goesOn: false, missing: undefined, timezone: 'UTC',
}
const ended = (changes: Partial<RunView>): RunView => ({
  id: 'x', jobId: 'j', operation: 'backup', trigger: 'manual', outcome: 'success', startedMs: noon - 60_000, finishedMs: noon, files: noCounters, bytes: noCounters,
  uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0, ...changes,
})
const failed = (code: 'offline' | 'source-missing' | 'unavailable', retryable: boolean) => ended({ outcome: 'failed', error: { code, message: '', retryable } })
const others = (count: number): readonly Active[] => Array.from({ length: count }, (_none, at) => ({ operation: 'backup', jobId: `other-${at}`, repository: `r${at}` }))

describe('a backup that is not asked for', () => {
  it.each<[string, Partial<Backup>, Partial<Facts>, number, object]>([
    ['waits for its time', {}, {}, noon + 1, { wait: { type: 'schedule' }, untilMs: noon + hourMs }],
    ['runs when it has come', {}, {}, noon + hourMs, { run: 'schedule' }],
    ['makes up for one that was missed', {}, {}, noon + 5 * hourMs, { run: 'catch-up' }],
    ['without a schedule waits for a person', { schedule: { type: 'manual' } }, {}, noon + hourMs, { wait: { type: 'asked' } }],
    ['waits while all is paused', {}, { pausedAll: true }, noon + hourMs, { wait: { type: 'paused' } }],
    ['waits for somebody to sign in, before all else', { missing: { service: 'dropbox', account: 'anna' } }, { pausedAll: true }, noon + hourMs, { wait: { type: 'sign-in', service: 'dropbox', account: 'anna' } }],
    ['waits for a place, and keeps its turn', {}, { active: others(2) }, noon + hourMs, { wait: { type: 'place', most: 2 }, due: 'schedule' }],
    ['tries again after a failure that may be over', { lastRun: failed('unavailable', true) }, {}, noon + 1, { wait: { type: 'retry' }, untilMs: noon + hourMs / 4 }],
    ['waits for a disk that is away, and tries meanwhile', { lastRun: failed('offline', true) }, {}, noon + 1, { wait: { type: 'away', what: 'destination' }, untilMs: noon + hourMs / 4 }],
    ['waits for its disk when it is due', { disks: ['Blue'] }, {}, noon + hourMs, { wait: { type: 'disk', names: ['Blue'] } }],
    ['waits for its time before it waits for its disk', { disks: ['Blue'] }, {}, noon + 1, { wait: { type: 'schedule' }, untilMs: noon + hourMs }],
    ['waits for its disk after that was pulled out, whatever its time', { disks: ['Blue', 'Red'], lastRun: failed('unavailable', true) }, {}, noon + 1, { wait: { type: 'disk', names: ['Blue', 'Red'] } }],
    ['waits for its disk, also when asked for by hand', { disks: ['Blue'], asked: 'manual' }, {}, noon + 1, { wait: { type: 'disk', names: ['Blue'] } }],
    ['waits for a source that is away, without a schedule too', { schedule: { type: 'manual' }, lastRun: failed('source-missing', false) }, {}, noon + 1, { wait: { type: 'away', what: 'source' } }],
    ['goes on when it is back', { schedule: { type: 'manual' }, lastRun: failed('offline', true), goesOn: true }, {}, noon + 1, { run: 'catch-up' }],
    ['stays stopped', { lastRun: ended({ outcome: 'stopped', error: { code: 'offline', message: '', retryable: true } }) }, {}, noon + 1, { wait: { type: 'schedule' }, untilMs: noon + hourMs }],
    ['starts no more when the app ends', {}, { ending: true }, noon + hourMs, { wait: { type: 'ending' } }],
  ])('%s', (_name, candidate, facts, nowMs, expected) => {
    expect(decide({ ...backup, ...candidate }, { ...free, ...facts }, nowMs)).toEqual(expected)
  })
})

describe('what was asked for', () => {
  it('by hand runs while all is paused, unless it was paused itself', () => {
    expect(decide({ ...backup, asked: 'manual' }, { ...free, pausedAll: true }, noon)).toEqual({ run: 'manual' })
    expect(decide({ ...backup, asked: 'manual', held: true }, { ...free, pausedAll: true }, noon)).toEqual({ wait: { type: 'paused' } })
    expect(decide({ ...backup, asked: 'schedule' }, { ...free, pausedAll: true }, noon)).toEqual({ wait: { type: 'paused' } })
  })

  it('waits for the same job to end', () => {
    expect(decide({ ...backup, asked: 'manual' }, { ...free, active: [{ operation: 'backup', jobId: 'j', repository: 'r' }] }, noon)).toEqual({ wait: { type: 'repository', operation: 'backup' } })
  })

  it('as a restore runs beside everything', () => {
    expect(decide({ operation: 'restore', jobId: 'j', repository: 'r', asked: 'manual' }, { ...free, pausedAll: true, active: others(9) }, noon)).toEqual({ run: 'manual' })
  })
})

const dayMs = 24 * hourMs
/** Due, and everything quiet for long. */
const care: CareCandidate = {
  operation: 'care', jobId: 'j', repository: 'r', exists: true, sinceMs: noon - dayMs, quietSinceMs: noon - hourMs, schedules: [{ type: 'daily', at: '20:00' }, { type: 'manual' }],
  lastRun: undefined, missing: undefined, timezone: 'UTC',
}
const cared = (changes: Partial<RunView>): RunView => ended({ operation: 'care', startedMs: noon - 600_000, ...changes })
const at = (operation: Active['operation'], repository: string): readonly Active[] => [{ operation, jobId: 'x', repository }]

describe('care of a repository', () => {
  it.each<[string, Partial<CareCandidate>, Partial<Facts>, number, object]>([
    ['runs by itself a day after there is a job', {}, {}, noon, { run: 'schedule' }],
    ['waits for that day', { sinceMs: noon - dayMs + 1 }, {}, noon, { wait: { type: 'schedule' }, untilMs: noon + 1 }],
    ['waits for a first backup', { exists: false }, {}, noon, { wait: { type: 'asked' } }],
    ['waits a day from its last beginning', { lastRun: cared({}) }, {}, noon + 1, { wait: { type: 'schedule' }, untilMs: noon - 600_000 + dayMs }],
    ['runs again a day later', { lastRun: cared({}) }, {}, noon + dayMs - 600_000, { run: 'schedule' }],
    ['goes on soon after it was broken off', { lastRun: cared({ outcome: 'stopped' }) }, {}, noon, { wait: { type: 'schedule' }, untilMs: noon + hourMs / 4 }],
    ['is tried again in an hour where the storage was away', { lastRun: cared({ outcome: 'failed', error: { code: 'offline', message: '', retryable: true } }) }, {}, noon, { wait: { type: 'retry' }, untilMs: noon + hourMs }],
    ['is tried again in an hour where its engine was killed', { lastRun: cared({ outcome: 'failed', error: { code: 'crashed', message: '', retryable: true } }) }, {}, noon + hourMs, { run: 'schedule' }],
    ['is tried again the next day where time heals nothing', { lastRun: cared({ outcome: 'failed', error: { code: 'password', message: '', retryable: false } }) }, {}, noon + 1, { wait: { type: 'schedule' }, untilMs: noon - 600_000 + dayMs }],
    ['waits for what runs in its repository', {}, { active: at('backup', 'r') }, noon, { wait: { type: 'repository', operation: 'backup' } }],
    ['waits for what is in the queue for its repository', {}, { waiting: at('backup', 'r') }, noon, { wait: { type: 'repository', operation: 'backup' } }],
    ['waits for a restore anywhere', {}, { active: at('restore', 's') }, noon, { wait: { type: 'repository', operation: 'restore' } }],
    ['runs beside a backup elsewhere', {}, { active: at('backup', 's') }, noon, { run: 'schedule' }],
    ['waits for other care: one at a time', {}, { active: at('care', 's') }, noon, { wait: { type: 'place', most: 1 } }],
    ['waits for a while after anything has run', { quietSinceMs: noon - 60_000 }, {}, noon, { wait: { type: 'quiet' }, untilMs: noon + 9 * 60_000 }],
    ['does not begin shortly before a backup', { schedules: [{ type: 'hourly' }] }, {}, noon + 55 * 60_000, { wait: { type: 'quiet' }, untilMs: noon + hourMs }],
    ['begins between two hourly backups', { schedules: [{ type: 'hourly' }] }, {}, noon + 54 * 60_000, { run: 'schedule' }],
    ['begins between backups every quarter of an hour', { schedules: [{ type: 'cron', expression: '*/15 * * * *' }], quietSinceMs: noon + 1 }, {}, noon + 5 * 60_000, { run: 'schedule' }],
    ['waits while all is paused', {}, { pausedAll: true }, noon, { wait: { type: 'paused' } }],
    ['waits for somebody to sign in', { missing: { service: 'box' } }, {}, noon, { wait: { type: 'sign-in', service: 'box' } }],
    ['starts no more when the app ends', {}, { ending: true }, noon, { wait: { type: 'ending' } }],
    ['does not wait for a clock that was set back', { quietSinceMs: noon + 99 * dayMs }, {}, noon, { run: 'schedule' }],
    ['that somebody wants runs though it is not due, nor quiet, and all is paused', { asked: 'manual', lastRun: cared({}), quietSinceMs: noon }, { pausedAll: true }, noon + 1, { run: 'manual' }],
    ['that somebody wants waits for what runs', { asked: 'manual' }, { active: at('backup', 'r') }, noon, { wait: { type: 'repository', operation: 'backup' } }],
  ])('%s', (_name, candidate, facts, nowMs, expected) => {
    expect(decide({ ...care, ...candidate }, { ...free, ...facts }, nowMs)).toEqual(expected)
  })

  it('at most once a day, unless it was cut off, and never while something runs in its repository', () => {
    const candidates = fc.record({
      sinceMs: fc.integer({ min: noon - 4 * dayMs, max: noon }), quietSinceMs: fc.integer({ min: noon - dayMs, max: noon }), last: fc.option(fc.integer({ min: noon - 3 * dayMs, max: noon }), { nil: undefined }),
    })
    fc.assert(fc.property(candidates, allFacts, fc.integer({ min: noon, max: noon + 3 * dayMs }), ({ last, ...rest }, facts, nowMs) => {
      const lastRun = last === undefined ? undefined : cared({ startedMs: last, finishedMs: last + 60_000 })
      const decision = decide({ ...care, ...rest, lastRun }, facts, nowMs)
      if (isWait(decision)) {
        if (decision.untilMs !== undefined) expect(decision.untilMs).toBeGreaterThan(nowMs)
        return
      }
      expect(nowMs - (last ?? rest.sinceMs)).toBeGreaterThanOrEqual(dayMs)
      expect(nowMs - rest.quietSinceMs).toBeGreaterThanOrEqual(600_000)
      expect(facts.active.filter((one) => one.repository === 'r' || one.operation !== 'backup')).toEqual([])
      expect(facts.waiting.filter((one) => one.operation === 'restore' || (one.operation === 'backup' && one.repository === 'r'))).toEqual([])
    }), { numRuns: 2_000 })
  })

  it('yields to whatever else runs in its repository, and to a restore anywhere', () => {
    const [self] = at('care', 'r')
    const yields = (active: readonly Active[]): boolean => mustYield(self ?? backup, { active })
    expect([at('backup', 'r'), at('restore', 's'), at('backup', 's'), at('care', 'r'), []].map(yields)).toEqual([true, true, false, false, false])
    expect(mustYield({ operation: 'backup', jobId: 'j', repository: 'r' }, { active: at('restore', 'r') })).toBe(false)
  })
})

const lastRuns = fc.option(fc.record({ outcome: fc.constantFrom('success', 'failed', 'partial', 'stopped'), code: fc.constantFrom('offline', 'source-missing', 'password', undefined), retryable: fc.boolean(), finishedMs: fc.integer({ min: noon - 48 * hourMs, max: noon + hourMs }) }), { nil: undefined })
const candidates: fc.Arbitrary<Backup> = fc.record({
  asked: fc.constantFrom(undefined, 'manual', 'schedule', 'catch-up'), held: fc.boolean(), goesOn: fc.boolean(), signIn: fc.boolean(),
  schedule: fc.constantFrom<Backup['schedule'][]>({ type: 'manual' }, { type: 'hourly' }, { type: 'daily', at: '02:30' }), last: lastRuns,
}).map(({ asked, signIn, last, ...rest }) => ({
  ...backup, ...rest, ...(asked && { asked }), missing: signIn ? { service: 'dropbox' } : undefined,
  lastRun: last && ended({ outcome: last.outcome, finishedMs: last.finishedMs, ...(last.code && { error: { code: last.code, message: '', retryable: last.retryable } }) }),
}))
const actives = fc.record({ operation: fc.constantFrom('backup', 'restore', 'care'), jobId: fc.constantFrom('j', 'a', 'b', 'c'), repository: fc.constantFrom('r', 's') })
const allFacts: fc.Arbitrary<Facts> = fc.record({
  ending: fc.boolean(), pausedAll: fc.boolean(), parallelJobs: fc.integer({ min: 1, max: 8 }),
  awakeSinceMs: fc.integer({ min: noon - 24 * hourMs, max: noon + 48 * hourMs }), active: fc.array(actives, { maxLength: 9 }), waiting: fc.array(actives, { maxLength: 3 }),
})
const moments = fc.integer({ min: noon - 24 * hourMs, max: noon + 48 * hourMs })

describe('whatever the circumstances', () => {
  it('nothing runs that may not, and what waits is told a reason that is so', () => {
    fc.assert(fc.property(candidates, allFacts, moments, (candidate, facts, nowMs) => {
      const decision = decide(candidate, facts, nowMs)
      const backups = facts.active.filter((one) => one.operation === 'backup')
      if (!isWait(decision)) {
        expect([facts.ending, candidate.missing, candidate.held]).toEqual([false, undefined, false])
        expect(backups.length).toBeLessThan(facts.parallelJobs)
        expect(backups.map((one) => one.jobId)).not.toContain('j')
        if (facts.pausedAll) expect(candidate.asked).toBe('manual')
        return
      }
      const { wait, untilMs } = decision
      if (untilMs !== undefined) expect(untilMs).toBeGreaterThan(nowMs)
      if (wait.type === 'schedule' || wait.type === 'retry') expect(untilMs).toBeDefined()
      if (wait.type === 'place') expect(backups.length).toBeGreaterThanOrEqual(wait.most)
      if (wait.type === 'asked') expect(candidate.schedule.type).toBe('manual')
      if (decision.due) expect(['place', 'repository']).toContain(wait.type)
    }), { numRuns: 2_000 })
  })

  it('waiting until the time that is named is enough, and less is not', () => {
    fc.assert(fc.property(candidates, moments, (candidate, nowMs) => {
      const decision = decide(candidate, free, nowMs)
      if (!isWait(decision) || decision.untilMs === undefined) return
      const { untilMs } = decision
      expect(decide(candidate, free, untilMs)).toHaveProperty('run')
      const between = decide(candidate, free, untilMs - 1)
      expect(between).toHaveProperty('wait', decision.wait)
    }), { numRuns: 1_000 })
  })
})

describe('the queue', () => {
  const reasons = (world: ReturnType<typeof openWorld>, ids: readonly string[]): readonly (Wait['wait']['type'] | undefined)[] => ids.map((id) => world.backups.wait(world.store.get(id))?.wait.type)

  it('tells of each job why it waits, and starts one for one that ends, whatever else waits before it', async () => {
    const world = openWorld(undefined, 1)
    const ids = [await world.add('a'), await world.add('b'), await world.add('c'), await world.add('d')]
    const [a = '', b = '', c = ''] = ids
    for (const id of [a, b, c]) world.backups.run(id, 'manual')
    expect(reasons(world, ids)).toEqual([undefined, 'place', 'place', 'asked'])
    world.backups.pause(b)
    expect(reasons(world, ids)).toEqual([undefined, 'paused', 'place', 'asked'])
    world.last().ready()
    world.last().finish()
    await settle()
    expect(reasons(world, ids)).toEqual(['asked', 'paused', undefined, 'asked'])
    world.last().ready()
    world.last().finish()
    await settle()
    expect(world.hosts).toHaveLength(2)
    world.backups.resume(b)
    expect(world.hosts).toHaveLength(3)
  })

  it('lets what is due take its turn, and a restore go beside all of it', async () => {
    const world = openWorld(undefined, 1)
    const ids = [await world.add('a', { schedule: { type: 'hourly' } }), await world.add('b', { schedule: { type: 'hourly' } })]
    world.timers.time += hourMs
    world.backups.tick()
    world.backups.tick()
    expect(ids.map((id) => world.backups.of(id)?.state)).toEqual(['running', 'queued'])
    world.restores.start({ place: { jobId: ids[1] ?? '' }, snapshot: 'b@1', target: '/to', paths: [], except: [], overwrite: 'never' })
    expect(world.queue.runs.map((run) => [run.identity.operation, run.state])).toEqual([['backup', 'running'], ['backup', 'queued'], ['restore', 'running']])
    world.backups.pauseAll('resumed')
    expect(world.queue.runs.map((run) => run.state)).toEqual(['paused', 'queued', 'running'])
  })

  it('never has more backups at once than it may, nor two of a job, whatever is asked for in whatever order', async () => {
    const steps = fc.array(fc.oneof(
      fc.record({ type: fc.constant('run' as const), job: fc.nat(3) }), fc.record({ type: fc.constant('end' as const), job: fc.nat(3) }),
      fc.record({ type: fc.constant('stop' as const), job: fc.nat(3) }), fc.constant({ type: 'pauseAll' as const, job: 0 }), fc.constant({ type: 'resumeAll' as const, job: 0 }),
      fc.constant({ type: 'tick' as const, job: 0 }),
    ), { maxLength: 25 })
    await fc.assert(fc.asyncProperty(steps, async (all) => {
      const world = openWorld(undefined, 2)
      const ids = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.add(name, { schedule: { type: 'hourly' } })))
      for (const { type, job } of all) {
        const id = ids[job] ?? ''
        if (type === 'run' && !world.backups.of(id)) world.backups.run(id, 'manual')
        else if (type === 'end') world.hosts[job]?.finish()
        else if (type === 'stop') world.backups.stop(id, 'cancel')
        else if (type === 'pauseAll') world.backups.pauseAll('resumed')
        else if (type === 'resumeAll') world.backups.resumeAll()
        else if (type === 'tick') {
          world.timers.time += hourMs
          world.backups.tick()
        }
        await settle()
        const active = world.backups.runs.filter((run) => run.state !== 'queued')
        expect(active.length).toBeLessThanOrEqual(2)
        expect(new Set(world.backups.runs.map((run) => run.identity.jobId)).size).toBe(world.backups.runs.length)
        // Nothing waits for a place that is free.
        if (active.length < 2) expect(ids.map((one) => world.backups.wait(world.store.get(one))?.wait.type)).not.toContain('place')
      }
    }), { numRuns: 25 })
  })
})
