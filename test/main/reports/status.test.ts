import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { heartbeatMs, parseAppStatus, type AppStatus } from '../../../engine/protocol/app-status.ts'
import type { AppState, JobView } from '../../../main/api/contract.ts'
import { openStatusFile } from '../../../main/reports/status-file.ts'
import { openWorld } from '../jobs/world.ts'

const dayMs = 24 * 3_600_000

function open() {
  const world = openWorld()
  const { timers, store, history, folders, backups, secrets } = world
  const path = join(world.folder, 'status.json')
  const told: string[] = []
  let more: Partial<AppState> = {}
  const state = (): AppState => ({
    version: '1.2', platform: 'linux', restores: [], uncovered: [], accounts: { list: [], available: [] }, pausedAll: false, notices: [], surroundings: {},
    settings: { language: 'system', theme: 'system', autoStart: false, notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, secretStorage: 'file', autoStartSupported: true },
    jobs: store.all.map((record): JobView => {
      const last = history.last(record.id)
      const waits = backups.wait(record)
      return { id: record.id, config: folders.view(record.id, record.config), state: backups.of(record.id)?.state ?? 'idle', copies: [], lateFromMs: Infinity, recent: [], secrets: secrets.has(record.repository.id), ...(last && { lastRun: last }), ...(waits && { waits }) }
    }),
    ...more,
  })
  const file = openStatusFile({ path, timers, store, history, state, log: (_level, message) => { told.push(message) } })
  const read = (): AppStatus => {
    const parsed = parseAppStatus(readFileSync(path, 'utf8'))
    if (typeof parsed === 'string') throw new Error(parsed)
    return parsed
  }
  return { ...world, path, file, read, told, show: (changes: Partial<AppState>) => { more = changes } }
}

/** Until what was begun is on disk. */
async function written(world: ReturnType<typeof open>, ms: number): Promise<void> {
  await world.timers.advance(ms)
  await expect.poll(() => world.read().writtenMs).toBe(world.timers.now())
}

it('is what the command line reads, for the user alone, without secrets', async () => {
  const world = open()
  const id = await world.add('docs', { schedule: { type: 'daily', at: '20:00' } })
  world.show({ notices: [{ id: 'late', type: 'late', late: [{ job: 'docs', days: 9 }, { job: 'mail', host: 'attic', days: 20 }] }, { id: 'jobs', type: 'jobs-damaged', movedTo: '/x' }], pausedAll: true, pausedUntilMs: 5 })
  world.file.changed()
  await written(world, 0)
  expect(statSync(world.path).mode & 0o777).toBe(0o600)
  const status = world.read()
  expect(status).toMatchObject({ version: 1, app: '1.2', pid: process.pid, running: true, pausedAll: true, pausedUntilMs: 5, othersLate: [{ job: 'mail', host: 'attic', days: 20 }], damaged: ['jobs'] })
  expect(status.jobs).toEqual([{
    id, name: 'docs', destination: 'file:///backup', schedule: 'daily at 20:00', state: 'idle', password: true, copies: [],
    waits: { reason: 'schedule', untilMs: expect.any(Number) as number }, lateFromMs: world.timers.now() + 7 * dayMs,
  }])
  expect(readFileSync(world.path, 'utf8')).not.toContain('pw')
})

it('knows the last success behind a failure', async () => {
  const world = open()
  const id = await world.add('docs')
  world.backups.run(id, 'manual')
  await world.timers.advance(0)
  world.last().ready()
  world.last().finish({ outcome: 'success', snapshot: 'docs@1' })
  await world.timers.advance(60_000)
  world.backups.run(id, 'manual')
  await world.timers.advance(0)
  world.last().ready()
  world.last().says({ type: 'failed', error: { code: 'offline', message: 'gone', retryable: true } })
  world.last().exit('code 1')
  await world.timers.advance(10_000)
  world.file.changed()
  await written(world, 0)
  const [job] = world.read().jobs
  expect(job).toMatchObject({ lastRun: { outcome: 'failed', error: { code: 'offline', message: 'gone' } }, lastSuccess: { outcome: 'success', snapshot: 'docs@1' } })
  expect(job?.lateFromMs).toBe((job?.lastSuccess?.finishedMs ?? 0) + 7 * dayMs)
})

it('is written at most every three seconds, not for nothing, and now and then all the same', async () => {
  const world = open()
  await world.add('docs')
  world.file.changed()
  await written(world, 0)
  const firstMs = world.timers.now()
  world.show({ pausedAll: true })
  world.file.changed()
  await world.timers.advance(2_999)
  expect(world.read()).toMatchObject({ writtenMs: firstMs, pausedAll: false })
  await written(world, 1)
  expect(world.read().pausedAll).toBe(true)
  const secondMs = world.timers.now()
  await world.timers.advance(heartbeatMs - 10_000)
  world.file.changed()
  await world.timers.advance(1_000)
  expect(world.read().writtenMs).toBe(secondMs)
  // Nothing was written a second ago, so that what changes now need not wait.
  world.show({ pausedAll: false })
  world.file.changed()
  await written(world, 0)
  await world.timers.advance(heartbeatMs)
  world.file.changed()
  await written(world, 0)
})

it('ends with the word that the app is not there, also right after a change', async () => {
  const world = open()
  world.file.changed()
  await written(world, 0)
  world.show({ pausedAll: true })
  world.file.changed()
  await world.file.close()
  expect(world.read()).toMatchObject({ running: false, pausedAll: true })
  await world.timers.advance(heartbeatMs)
  expect(world.read().running).toBe(false)
})
