import { describe, expect, it } from 'vitest'
import type { CopyView } from '../../../main/api/contract.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { announceCopy } from '../../../main/system/announcements.ts'
import { settle, type FakeHost } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const place = { type: 'folder', path: '/copy' } as const
const details = {
  sourceId: 'ab', readBytes: 5, sentBytes: 6,
  plan: [{ group: 'desk/docs', copy: ['docs@2', 'docs@3'], skipped: { held: 1, forgotten: 4, own: 0, older: 0 } }],
  done: [{ group: 'desk/docs', copied: [{ source: 'docs@2', destination: 'docs~x@2' }], held: ['docs@3'], failed: ['docs@9'], removed: [] }],
}
type World = ReturnType<typeof openWorld>

/** The app with a job whose repository is there, and a copy of it; nothing has happened for a while. */
async function withCopy(folder?: string): Promise<World & { readonly id: string; readonly copyId: string; readonly view: () => CopyView | undefined }> {
  const world = openWorld(folder)
  const id = world.store.all[0]?.id ?? (await world.add('docs', { concurrency: 3, uploadBytesPerSecond: 9_000 }))
  await world.learn(id, 'ab', undefined)
  const repository = world.repositoryOf(id)
  const copyId = world.store.copies.all[0]?.id ?? (await world.store.copies.add({ repository, destination: place, removeVanished: true, addedMs: world.timers.now() })).id
  await world.secrets.set(copyId, repositoryUrl(place), { password: 'of the copy', storage: {} })
  await world.timers.advance(10 * minuteMs)
  return { ...world, id, copyId, view: () => world.copies.view(world.store.get(id))[0] }
}

const ends = async (host: FakeHost, changes: Parameters<FakeHost['finish']>[0] = {}): Promise<void> => {
  host.finish({ operation: 'sync', details, repositoryId: 'cd', ...changes })
  await settle()
}

const fails = async (host: FakeHost, code: 'offline' | 'password' | 'aborted', data: Readonly<Record<string, string>> = {}): Promise<void> => {
  host.says({ type: 'failed', error: { code, message: '', retryable: code === 'offline', data } })
  host.exit('code 1')
  await settle()
}

describe('a copy', () => {
  it('is made at a quiet moment with the secrets of both places, later runs expect what the first has made, and once a day is enough', async () => {
    const { copies, last, hosts, timers, store, copyId, history, folder, view, id, backups } = await withCopy()
    copies.tick()
    copies.tick()
    expect(hosts).toHaveLength(1)
    last().ready()
    const [start] = last().got('start')
    expect(start).toMatchObject({
      job: { type: 'sync', from: 'file:///backup', repository: 'file:///copy', create: true, acceptOtherRepository: true, expectSourceId: 'ab', removeVanished: true, carryFine: true, groups: [], dryRun: false, concurrency: 3, home: folder },
      secrets: { password: 'of the copy', from: { password: 'pw' } }, limits: { uploadBytesPerSecond: 9_000 },
    })
    expect(start).not.toHaveProperty('job.expectRepositoryId')
    expect([view()?.state, backups.of(id)]).toEqual(['running', undefined])
    await ends(last())
    expect(view()).toMatchObject({
      destination: { type: 'folder', folder: { path: '/copy' } }, state: 'idle', snapshots: 3, completeMs: timers.now(),
      lastRun: { operation: 'sync', outcome: 'success', copy: { there: 3, copied: 1, removed: 0, failed: 1 } }, waits: { wait: { type: 'schedule' }, untilMs: timers.now() + dayMs },
    })
    expect([store.copies.get(copyId).repositoryId, history.last(id)]).toEqual(['cd', undefined])
    await history.flush()
    expect((await withCopy(folder)).view()).toMatchObject({ snapshots: 3, completeMs: timers.now() })
    await timers.advance(dayMs - 1)
    copies.tick()
    expect(hosts).toHaveLength(1)
    await timers.advance(1)
    copies.tick()
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { expectRepositoryId: 'cd' } })
    expect(last().got('start')[0]).not.toHaveProperty('job.create')
  })

  it('of which a run broke off after it was made is not made a second time elsewhere', async () => {
    const { copies, last, store, copyId } = await withCopy()
    copies.tick()
    last().ready()
    last().says({ type: 'failed', error: { code: 'offline', message: '', retryable: true }, summary: { ...emptySummary, repositoryId: 'cd' } })
    last().exit('code 1')
    await settle()
    expect(store.copies.get(copyId).repositoryId).toBe('cd')
  })

  it('waits for the first backup, and cannot be asked for before', async () => {
    const world = openWorld()
    const id = await world.add('docs')
    const { id: copyId } = await world.store.copies.add({ repository: world.repositoryOf(id), destination: place, removeVanished: false, addedMs: 0 })
    await world.timers.advance(dayMs)
    world.copies.tick()
    expect([world.hosts.length, world.copies.view(world.store.get(id))[0]?.waits]).toEqual([0, { wait: { type: 'asked' } }])
    expect(() => world.copies.run(copyId)).toThrow(expect.objectContaining({ code: 'not-found', data: { reason: 'no-snapshot' } }) as Error)
    expect(() => world.copies.run('nobody')).toThrow(expect.objectContaining({ code: 'not-found' }) as Error)
    world.missing.set('file:///copy', { service: 'dropbox', account: 'a' })
    await world.learn(id, 'ab', undefined)
    expect(() => world.copies.run(copyId)).toThrow(expect.objectContaining({ code: 'credentials' }) as Error)
    expect(world.copies.view(world.store.get(id))[0]?.waits).toEqual({ wait: { type: 'sign-in', service: 'dropbox', account: 'a' } })
  })

  it('makes way for a backup and for a restore, whoever asked for it, and goes on when it is quiet again', async () => {
    const { copies, copyId, backups, restores, last, timers, id, view } = await withCopy()
    copies.run(copyId)
    expect(() => copies.run(copyId)).toThrow(expect.objectContaining({ code: 'busy' }) as Error)
    const first = last()
    first.ready()
    backups.run(id, 'manual')
    expect(first.got('stop')).toEqual([{ type: 'stop', mode: 'cancel' }])
    await fails(first, 'aborted')
    expect(view()).toMatchObject({ state: 'idle', lastRun: { outcome: 'stopped' } })
    last().ready()
    last().finish({ repositoryId: 'ab' })
    await settle()
    await timers.advance(15 * minuteMs - 1)
    copies.tick()
    expect(view()?.state).toBe('idle')
    await timers.advance(1)
    copies.tick()
    expect(view()?.state).toBe('running')
    const second = last()
    second.ready()
    restores.start({ place: { jobId: id }, snapshot: 'docs@1', target: '/t', paths: [], except: [], overwrite: 'never' })
    expect(second.got('stop')).toHaveLength(1)
  })

  it('and care of its repository go one after the other', async () => {
    const { copies, care, copyId, last, hosts, store, id, timers } = await withCopy()
    await store.update(id, { ...store.get(id).config, retention: { last: 3 } })
    await timers.advance(dayMs)
    care.tick()
    copies.run(copyId)
    copies.tick()
    expect(hosts).toHaveLength(1)
    last().ready()
    last().finish({ operation: 'care' })
    await settle()
    expect(hosts).toHaveLength(2)
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'sync' } })
    timers.time += dayMs
    care.tick()
    expect(hosts).toHaveLength(2)
    await ends(last())
    await timers.advance(10 * minuteMs)
    care.tick()
    expect(hosts).toHaveLength(3)
  })

  it('that somebody stops stays so for a day, over a start of the app too', async () => {
    const { copies, copyId, last, hosts, timers, history, folder, store } = await withCopy()
    copies.tick()
    last().ready()
    await copies.stop(copyId)
    await fails(last(), 'aborted')
    await timers.advance(hourMs)
    copies.tick()
    expect([hosts.length, store.copies.get(copyId).stoppedMs]).toEqual([1, timers.now() - hourMs])
    await history.flush()
    const later = await withCopy(folder)
    await later.timers.advance(timers.now() - later.timers.now() + 20 * hourMs)
    later.copies.tick()
    expect(later.hosts).toHaveLength(0)
    await later.timers.advance(3 * hourMs)
    later.copies.tick()
    expect(later.hosts).toHaveLength(1)
    await later.copies.stop(copyId)
  })

  it('whose place is away is tried again in an hour, and at once when it was seen to be away and is back', async () => {
    const { copies, last, hosts, timers, awayPlaces, view } = await withCopy()
    copies.tick()
    last().ready()
    await fails(last(), 'offline')
    expect(view()).toMatchObject({ waits: { wait: { type: 'away', what: 'destination' }, untilMs: timers.now() + hourMs } })
    expect(view()).not.toHaveProperty('completeMs')
    await timers.advance(11 * minuteMs)
    // It seems to be there all the time: something else is at work.
    await copies.look()
    copies.tick()
    expect(hosts).toHaveLength(1)
    awayPlaces.add('file:///copy')
    await copies.look()
    awayPlaces.clear()
    await copies.look()
    copies.tick()
    expect(hosts).toHaveLength(2)
    last().ready()
    await fails(last(), 'offline', { side: 'source' })
    expect(view()).toMatchObject({ waits: { wait: { type: 'away', what: 'source' } } })
    await timers.advance(hourMs)
    copies.tick()
    expect(hosts).toHaveLength(3)
  })

  it('that is cut off with the app goes on after the next start', async () => {
    const { copies, last, timers, history, folder } = await withCopy()
    copies.tick()
    last().ready()
    await history.flush()
    const later = await withCopy(folder)
    await later.timers.advance(timers.now() - later.timers.now() + hourMs)
    expect(later.view()?.lastRun).toMatchObject({ outcome: 'failed', error: { code: 'crashed' } })
    later.copies.tick()
    expect(later.hosts).toHaveLength(1)
  })

  it('without a stored password fails and says so; what was wrong is read with the job', async () => {
    const { copies, secrets, copyId, id, hosts, copied, last } = await withCopy()
    copies.run(copyId)
    last().ready()
    last().says({ type: 'problem', problem: { code: 'not-synced', path: 'desk/docs › docs@9', message: 'gone' } })
    await ends(last(), { outcome: 'warnings', problems: 1 })
    const runId = copied[0]?.run.id ?? ''
    expect(await copies.problems(id, runId)).toMatchObject([{ path: 'desk/docs › docs@9' }])
    expect(copies.problems(id, 'another')).toBeUndefined()
    await secrets.remove(copyId)
    copies.run(copyId)
    await settle()
    expect([hosts.length, copied[1]]).toMatchObject([1, { run: { outcome: 'failed', error: { code: 'password' } }, before: { outcome: 'warnings' } }])
  })

  it('is told of only where somebody has to do something, once as long as it stays the same', async () => {
    const { copies, copyId, last, copied } = await withCopy()
    for (const code of ['offline', 'password', 'password', 'offline'] as const) {
      copies.run(copyId)
      last().ready()
      await fails(last(), code)
    }
    expect(copied.map(({ run, before }) => announceCopy(run, before, 'docs', 'failures')?.title)).toEqual([undefined, 'docs: its backup could not be copied', undefined, undefined])
    expect(copied.map(({ run, before }) => announceCopy(run, before, 'docs', 'none'))).toEqual([undefined, undefined, undefined, undefined])
  })
})

const counters = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }
const emptySummary = {
  operation: 'sync', outcome: 'partial', startedMs: 1, finishedMs: 2, files: counters, bytes: counters, uploadedBytes: 1, downloadedBytes: 1, adoptedPacks: 0, problems: 0, firstProblems: [],
} as const
