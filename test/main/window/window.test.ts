import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { minimumSize, openingBounds } from '../../../main/window/bounds.ts'
import { windowHandlers } from '../../../main/window/handlers.ts'
import { Navigation } from '../../../main/window/navigation.ts'
import { Notices } from '../../../main/window/notices.ts'
import { Publisher } from '../../../main/window/publisher.ts'
import { appState, liveState } from '../../../main/window/state.ts'
import type { StateSources } from '../../../main/window/state.ts'
import { FakeTimers, settle } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const screen = { x: 0, y: 0, width: 1920, height: 1080 }

describe('the window opens', () => {
  it('where it was, as long as that is on a screen', () => {
    expect(openingBounds({ x: 100, y: 50, width: 900, height: 600 }, [screen])).toEqual({ x: 100, y: 50, width: 900, height: 600 })
    expect(openingBounds({ x: 3000, y: 50, width: 900, height: 600 }, [screen])).toEqual({ width: 900, height: 600 })
    expect(openingBounds({ x: -200, y: -500, width: 900, height: 600 }, [screen])).toEqual({ width: 900, height: 600 })
    expect(openingBounds(undefined, [])).toEqual({ width: 1080, height: 720 })
  })

  it('never smaller than it can be used, nor larger than the screen', () => {
    const bounds = fc.record({ x: fc.integer(), y: fc.integer(), width: fc.nat(9000), height: fc.nat(9000) })
    fc.assert(fc.property(bounds, (remembered) => {
      const { width, height } = openingBounds(remembered, [screen])
      expect(width).toBeGreaterThanOrEqual(minimumSize.width)
      expect(height).toBeGreaterThanOrEqual(minimumSize.height)
      expect(width).toBeLessThanOrEqual(screen.width)
      expect(height).toBeLessThanOrEqual(screen.height)
    }))
  })
})

it('the state and progress are pushed soon, changes of one moment once, and both end with the newest', async () => {
  const timers = new FakeTimers()
  const sent = { app: 0, live: 0 }
  const publisher = new Publisher({ timers, sendApp: () => { sent.app += 1 }, sendLive: () => { sent.live += 1 } })
  for (let step = 0; step < 100; step++) {
    publisher.liveChanged()
    publisher.appChanged()
    publisher.appChanged()
    await timers.advance(10)
  }
  await timers.advance(1000)
  expect(sent.live).toBeGreaterThanOrEqual(16)
  expect(sent.live).toBeLessThanOrEqual(20)
  expect(sent.app).toBeLessThanOrEqual(51)
  const before = { ...sent }
  publisher.liveChanged()
  publisher.appChanged()
  await timers.advance(20)
  expect(sent).toEqual({ app: before.app + 1, live: before.live })
  await timers.advance(30)
  expect(sent).toEqual({ app: before.app + 1, live: before.live + 1 })
})

it('nothing that one engine tells four times a second is held back behind the next', async () => {
  const timers = new FakeTimers()
  let pushes = 0
  const publisher = new Publisher({ timers, sendApp: () => undefined, sendLive: () => { pushes += 1 } })
  for (let beat = 1; beat <= 8; beat++) {
    publisher.liveChanged()
    await timers.advance(50)
    expect(pushes).toBe(beat)
    await timers.advance(200)
  }
})

it('a click leads to its page, also when the window has yet to load', () => {
  const pages: string[] = []
  let loaded = false
  const navigation = new Navigation({ show: () => pages.push('show'), loadAnew: () => { pages.push('anew'); loaded = false }, push: (route) => pages.push(route.page), isLoaded: () => loaded })
  navigation.go({ page: 'settings' })
  navigation.go({ page: 'jobs' })
  loaded = true
  navigation.onLoaded()
  navigation.onLoaded()
  navigation.go({ page: 'settings' })
  expect(pages).toEqual(['show', 'show', 'jobs', 'settings', 'show'])
  navigation.goAnew({ page: 'settings' })
  expect(pages.slice(5)).toEqual(['anew', 'show'])
  navigation.onLoaded()
  expect(pages.at(-1)).toBe('settings')
})

it('a notice stays until it is dismissed, and is there once', () => {
  let changes = 0
  const notices = new Notices(() => { changes += 1 })
  notices.add({ id: 'a', type: 'secrets-in-file' })
  notices.add({ id: 'c', type: 'engine-crashed', jobId: 'j', restarts: 1, givenUp: false })
  notices.add({ id: 'c', type: 'engine-crashed', jobId: 'j', restarts: 2, givenUp: false })
  expect(notices.all).toMatchObject([{ id: 'a' }, { id: 'c', restarts: 2 }])
  expect(notices.dismiss('a')?.type).toBe('secrets-in-file')
  expect(notices.dismiss('a')).toBeUndefined()
  expect(notices.all).toHaveLength(1)
  expect(changes).toBe(4)
})

async function sourcesOf(world: ReturnType<typeof openWorld>): Promise<StateSources> {
  return {
    ...world,
    version: '1.2.3',
    now: () => world.timers.now(),
    uncovered: { view: [{ name: 'Music' }] },
    oldRuntime: undefined,
    accounts: { view: { list: [], available: [] } },
    files: { view: undefined },
    settings: () => ({ language: 'system', theme: 'dark', notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, firstSuccessShown: true, dismissed: ['x'], windowBounds: { width: 1, height: 1 } }),
    autoStart: () => ({ autoStart: true, autoStartSupported: true }),
    notices: () => [{ id: 'c', type: 'engine-crashed', jobId: 'gone', restarts: 1, givenUp: false }],
  }
}

describe('the state', () => {
  it('shows jobs, what runs and what comes next, and no secret', async () => {
    const world = openWorld()
    const idle = await world.add('idle', { schedule: { type: 'hourly' } })
    const busy = await world.add('busy')
    await world.secrets.set(world.repositoryOf(busy), 'file:///backup', { password: 'geheim', storage: { accessKeyId: 'AKIA', secretAccessKey: 'sesam' } })
    const run = world.backups.run(busy, 'manual')
    const sources = await sourcesOf(world)
    const state = appState(sources)
    expect(state.jobs).toMatchObject([
      { id: idle, state: 'idle', waits: { wait: { type: 'schedule' }, untilMs: world.timers.now() + 3_600_000 }, secrets: { password: true, storage: false } },
      { id: busy, state: 'running', runId: run.id, secrets: { password: true, storage: true } },
    ])
    expect(state.settings).toEqual({ language: 'system', theme: 'dark', notifications: 'all', parallelJobs: 2, defaultConcurrency: 4, autoStart: true, autoStartSupported: true, secretStorage: 'file' })
    expect(state.notices).toEqual([])
    world.last().ready()
    const live = liveState(sources)
    expect(live.runs).toMatchObject([{ runId: run.id, jobId: busy, transfers: [] }])
    for (const secret of ['geheim', 'AKIA', 'sesam']) expect(JSON.stringify([state, live, world.lines])).not.toContain(secret)
    world.last().finish()
    await settle()
    expect(liveState(sources)).toEqual({ runs: [], bytesPerSecond: 0 })
    const weekMs = 7 * 24 * 3_600_000
    expect(appState(sources).jobs[1]).toMatchObject({ state: 'idle', lastRun: { outcome: 'success' }, completeMs: world.timers.now(), lateFromMs: world.timers.now() + weekMs })
    const [started] = world.history.page(busy, 1).runs
    for (let n = 1; n <= 31 && started; n++) world.history.ended({ ...started, id: `r${n}`, outcome: n === 31 ? 'failed' : 'success', uploadedBytes: n, bytes: { ...started.bytes, found: 10 * n } }, [])
    const { recent } = appState(sources).jobs[1] ?? { recent: [] }
    expect(recent.map(({ addedBytes, bytes }) => [addedBytes, bytes])).toEqual(Array.from({ length: 30 }, (_none, at) => [at + 1, 10 * (at + 1)]))
  })
})

describe('folder.open', () => {
  function setUp() {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-open-'))
    const world = openWorld()
    const opened: string[] = []
    const fine: string[] = []
    const files = ['/keys/id é']
    const handlers = windowHandlers({
      ...world,
      app: () => { throw new Error('unused') },
      live: () => ({ runs: [], bytesPerSecond: 0 }),
      notices: new Notices(() => undefined),
      logFolder: world.folder,
      uncovered: { path: (name) => `/home/u/${name}`, fine: (name) => { fine.push(name) } },
      chooseFolders: async (purpose, at) => [at ?? `/${purpose}`],
      chooseFile: async () => files.shift(),
      openFolder: async (path) => { opened.push(path); return path.endsWith('broken/') ? 'no such folder' : '' },
      onDismissed: () => undefined,
    })
    const open = (request: Parameters<(typeof handlers)['folder.open']>[0]): Promise<void> => Promise.resolve(handlers['folder.open'](request))
    return { ...world, folder, opened, fine, handlers, open }
  }

  it('opens what main knows and nothing else', async () => {
    const { folder, opened, open, add, folder: home } = setUp()
    for (const name of ['docs', 'broken']) mkdirSync(join(folder, name))
    symlinkSync(join(folder, 'docs'), join(folder, 'link'))
    const jobId = await add('docs', { sources: [join(folder, 'docs'), join(folder, 'link')], destination: { type: 'folder', path: join(folder, 'broken') } })
    await open({ type: 'source', jobId, index: 0 })
    await open({ type: 'source', jobId, index: 1 })
    await expect(open({ type: 'destination', jobId })).rejects.toMatchObject({ code: 'not-found' })
    await expect(open({ type: 'source', jobId, index: 5 })).rejects.toMatchObject({ code: 'not-found' })
    await expect(open({ type: 'restore', restoreId: 'x' })).rejects.toMatchObject({ code: 'not-found' })
    expect(opened).toEqual([join(home, 'docs/'), join(home, 'docs/'), join(home, 'broken/')])
  })

  it('hands the desktop folders only: no file, no program that looks like a folder, nothing that is gone, by whatever link', async () => {
    const { folder, opened, open, add } = setUp()
    mkdirSync(join(folder, 'Evil.app/Contents'), { recursive: true })
    mkdirSync(join(folder, 'evil.desktop'))
    mkdirSync(join(folder, 'x.{20D04FE0-3AEA-1069-A2D8-08002B30309D}'))
    writeFileSync(join(folder, 'run.sh'), '#!/bin/sh', { mode: 0o755 })
    symlinkSync(join(folder, 'run.sh'), join(folder, 'to-file'))
    symlinkSync(join(folder, 'Evil.app'), join(folder, 'to-app'))
    symlinkSync(join(folder, 'nowhere'), join(folder, 'broken-link'))
    const refused = ['Evil.app', 'evil.desktop', 'x.{20D04FE0-3AEA-1069-A2D8-08002B30309D}', 'run.sh', 'to-file', 'to-app']
    const jobId = await add('docs', { sources: [...refused, 'gone', 'broken-link'].map((name) => join(folder, name)) })
    for (const index of refused.keys()) await expect(open({ type: 'source', jobId, index })).rejects.toMatchObject({ code: 'denied', data: { reason: 'no-folder' } })
    for (const index of [6, 7]) await expect(open({ type: 'source', jobId, index })).rejects.toMatchObject({ code: 'not-found' })
    expect(opened).toEqual([])
  })

  it('a file that is chosen is a path, and nothing when it was cancelled', async () => {
    const { handlers } = setUp()
    expect(await handlers['dialog.file']()).toEqual({ path: '/keys/id é' })
    expect(await handlers['dialog.file']()).toEqual({})
  })

  it('a folder that needs no backup is said so by its name', async () => {
    const { handlers, fine } = setUp()
    await handlers['uncovered.fine']({ name: 'Music' })
    expect(fine).toEqual(['Music'])
  })

  it('what is chosen in the dialog comes back with ids of its own', async () => {
    const { handlers, folders } = setUp()
    const [chosen] = await handlers['dialog.folders']({ purpose: 'restore' })
    expect(chosen).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, path: '/restore' })
    expect(folders.path('restore', chosen ?? { id: '' })).toBe('/restore')
    expect((await handlers['dialog.folders']({ purpose: 'sources', at: 'Music' }))[0]?.path).toBe('/home/u/Music')
  })
})
