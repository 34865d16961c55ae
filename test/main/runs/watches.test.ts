import { describe, expect, it } from 'vitest'
import type { EngineCommand } from '../../../engine/protocol/messages.ts'
import { settle, type FakeHost } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const minuteMs = 60_000
const schedule = { type: 'continuous', quietMinutes: 2, everyMinutes: 15 } as const

/** A job that runs when something changes, and the engine that watches for it. */
async function watchedWorld() {
  const world = openWorld()
  const id = await world.add('docs', { schedule })
  world.backups.tick()
  const watcher = world.last()
  watcher.ready()
  await settle()
  return { ...world, id, watcher, record: () => world.store.get(id) }
}

const jobOf = (host: FakeHost): string | undefined => host.got('start').map((one) => (one as Extract<EngineCommand, { type: 'start' }>).job.type)[0]

async function says(host: FakeHost, changes: number, more: { readonly folders?: number; readonly away?: number } = {}): Promise<void> {
  const asked = host.got('query').at(-1)
  if (asked?.type !== 'query') throw new Error('nothing was asked')
  host.says({ type: 'answer', request: asked.request, answer: { type: 'watched', folders: 12_345, away: 0, changes, ...more } })
  await settle()
}

describe('the watch of a job', () => {
  it('has an engine of its own, without secrets, and what happened before it counts as a change', async () => {
    const { watcher, timers, backups, hosts, id } = await watchedWorld()
    expect(watcher.got('start')).toMatchObject([{ job: { type: 'watch', sources: ['/home/u/docs'] }, secrets: { password: '', storage: {} } }])
    expect(backups.watches.view(id)).toEqual({ state: 'starting' })
    await says(watcher, 0)
    expect(backups.watches.view(id)).toEqual({ state: 'watching', folders: 12_345, away: 0 })
    timers.time += 2 * minuteMs - 1
    backups.tick()
    expect(backups.of(id)).toBeUndefined()
    timers.time += 1
    backups.tick()
    expect(backups.of(id)?.identity.trigger).toBe('schedule')
    expect(hosts).toHaveLength(2)
  })

  it('waits for a change after a run, and runs again after the next', async () => {
    const { watcher, timers, backups, record, last, hosts } = await watchedWorld()
    await says(watcher, 0)
    timers.time += 2 * minuteMs
    backups.tick()
    last().ready()
    timers.time += minuteMs
    last().finish({ startedMs: timers.time - minuteMs, finishedMs: timers.time })
    await settle()
    expect(backups.wait(record())).toEqual({ wait: { type: 'changes' }, untilMs: timers.time + 24 * 60 * minuteMs })
    timers.time += 60 * minuteMs
    await says(watcher, 7)
    expect(backups.wait(record())).toEqual({ wait: { type: 'schedule' }, untilMs: timers.time + 2 * minuteMs })
    timers.time += 2 * minuteMs
    backups.tick()
    expect(hosts).toHaveLength(3)
  })

  it('ends while everything is paused, and with its job or its schedule; it begins anew with other folders', async () => {
    const { watcher, backups, store, hosts, last, id, record } = await watchedWorld()
    backups.pauseAll('resumed')
    expect([watcher.got('stop').length, backups.watches.view(id)]).toEqual([1, undefined])
    backups.resumeAll()
    expect([hosts.length, jobOf(last())]).toEqual([2, undefined])
    last().ready()
    expect(jobOf(last())).toBe('watch')
    await store.update(id, { ...record().config, sources: ['/home/u/other'] })
    backups.watches.tick()
    expect([hosts[1]?.got('stop').length, hosts.length]).toEqual([1, 3])
    await store.update(id, { ...record().config, schedule: { type: 'hourly' } })
    last().ready()
    backups.watches.tick()
    expect([last().got('stop').length, backups.watches.view(id), backups.watches.of(id)?.works]).toEqual([1, undefined, true])
    await store.remove(id)
    backups.watches.tick()
    expect(backups.watches.of(id)).toBeUndefined()
  })

  it('is tried again after it broke off, later each time; the job runs each hour meanwhile, and the log says why', async () => {
    const { watcher, timers, backups, hosts, id, lines, last } = await watchedWorld()
    await says(watcher, 0)
    watcher.exit('SIGSEGV')
    await settle()
    expect(backups.watches.view(id)).toEqual({ state: 'broken' })
    expect(backups.watches.of(id)?.works).toBe(false)
    expect(lines.at(-1)).toMatchObject({ level: 'warning', context: { job: 'docs', operation: 'watch' } })
    expect(lines.at(-1)?.message).toContain('backed up each hour instead')
    const again = (): number => {
      backups.watches.tick()
      return hosts.length
    }
    timers.time += minuteMs - 1
    expect(again()).toBe(1)
    timers.time += 1
    expect(again()).toBe(2)
    last().exit('SIGSEGV')
    await settle()
    timers.time += 4 * minuteMs - 1
    expect(again()).toBe(2)
    timers.time += 1
    expect(again()).toBe(3)
    last().ready()
    await settle()
    expect(backups.watches.view(id)).toEqual({ state: 'broken' })
    await says(last(), 0)
    expect(backups.watches.view(id)).toMatchObject({ state: 'watching' })
  })

  it('is not tried again before the next day where there are too many folders, unless the job changes', async () => {
    const { watcher, timers, backups, store, hosts, id, record } = await watchedWorld()
    watcher.says({ type: 'failed', error: { code: 'full', message: 'There are too many folders to watch: 9 could be.', retryable: false, data: { place: 'watches', folders: 9 } } })
    watcher.exit('code 1')
    await settle()
    expect(backups.watches.view(id)).toEqual({ state: 'too-many' })
    timers.time += 23 * 60 * minuteMs
    backups.watches.tick()
    expect(hosts).toHaveLength(1)
    await store.update(id, { ...record().config, excludes: { ...record().config.excludes, patterns: ['big/'] } })
    backups.watches.tick()
    expect(hosts).toHaveLength(2)
  })

  it('takes no share of a limit', async () => {
    const { supervisor, timers, backups, id, last } = await watchedWorld()
    supervisor.setLimits({ uploadBytesPerSecond: 1_000_000 })
    backups.run(id, 'manual')
    last().ready()
    await timers.advance(3_000)
    expect(last().got('start')).toMatchObject([{ limits: { uploadBytesPerSecond: 1_000_000 } }])
  })
})

