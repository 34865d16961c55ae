import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CareDetails } from '../../../engine/protocol/care.ts'
import type { JobConfig, Retention } from '../../../main/api/contract.ts'
import { announceCare } from '../../../main/system/announcements.ts'
import { settle, type FakeHost } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const retention: Retention = { last: 2, budgetBytes: 5e9, withinMs: dayMs }
const details: CareDetails = {
  forgotten: ['docs@1', 'docs@2'], prune: 'done', deletedPacks: 3, freedBytes: 1_200_000, structure: 'done', snapshots: 2, damageCount: 0, affectedCount: 0,
  drill: 'passed', drilledFiles: 25, drilledBytes: 900, verifiedPacks: 4, verifiedBytes: 77, packs: 4, unreadPacks: 0, oldestVerifiedMs: 5, left: { bytes: 1, ms: 1 },
}
type World = ReturnType<typeof openWorld>

/** The app with a job whose repository is there, and all that has to pass before it is looked after. */
async function due(changes: Partial<JobConfig> = { retention }, folder?: string): Promise<World & { readonly id: string }> {
  const world = openWorld(folder)
  const id = world.store.all[0]?.id ?? (await world.add('docs', changes))
  await world.learn(id, 'ab', undefined)
  await world.timers.advance(dayMs)
  return { ...world, id }
}

const ends = async (host: FakeHost, changes: Parameters<FakeHost['finish']>[0] = {}): Promise<void> => {
  host.finish({ operation: 'care', details, repositoryId: 'ab', ...changes })
  await settle()
}

describe('care', () => {
  it('runs with what the jobs of a repository keep, once a day, and what it did is kept beside their runs', async () => {
    const { care, last, hosts, timers, store, cared, id, history, folder, backups } = await due()
    care.tick()
    care.tick()
    expect(hosts).toHaveLength(1)
    last().ready()
    expect(last().got('start')[0]).toMatchObject({
      job: { type: 'care', retention: [{ name: 'docs', policy: retention }], repository: 'file:///backup', expectRepositoryId: 'ab', home: folder }, secrets: { password: 'pw' },
    })
    expect(care.view(store.get(id))).toEqual({ running: true })
    expect([backups.of(id), backups.runs]).toEqual([undefined, []])
    await ends(last())
    const figures = { forgotten: 2, prune: 'done', freedBytes: 1_200_000, affectedCount: 0, drill: 'passed', drilledFiles: 25, unreadPacks: 0, oldestVerifiedMs: 5 }
    expect(care.view(store.get(id))).toMatchObject({ running: false, lastRun: { operation: 'care', outcome: 'success', care: figures }, waits: { wait: { type: 'schedule' } } })
    expect([cared.length, history.last(id)]).toEqual([1, undefined])
    await history.flush()
    expect(readFileSync(join(folder, 'history', `care-${id}`, 'runs.jsonl'), 'utf8')).toContain('"forgotten":2')
    expect(openWorld(folder).care.view(store.get(id))?.lastRun).toMatchObject({ care: figures })
    await timers.advance(dayMs - hourMs)
    care.tick()
    expect(hosts).toHaveLength(1)
    await timers.advance(hourMs)
    care.tick()
    expect(hosts).toHaveLength(2)
  })

  it('takes nothing away for jobs that keep everything, and does nothing for those of which nobody has said so', async () => {
    const { care, add, last, hosts, store, learn, timers } = openWorld()
    const ids = [await add('old'), await add('all', { retention: {} }), await add('few', { retention: { daily: 3 } })]
    for (const id of ids) await learn(id, 'ab', undefined)
    await timers.advance(dayMs)
    care.tick()
    for (let at = 1; at <= 2; at++) {
      last().ready()
      await ends(last())
      await timers.advance(11 * minuteMs)
      care.tick()
    }
    expect(hosts.map((host) => host.got('start')[0])).toMatchObject([{ job: { retention: [] } }, { job: { retention: [{ name: 'few', policy: { daily: 3 } }] } }])
    expect(ids.map((id) => care.view(store.get(id)) === undefined)).toEqual([true, false, false])
  })

  it('of jobs that share a repository is one', async () => {
    const { care, add, store, hosts, last, timers } = openWorld()
    const first = store.get(await add('a', { retention: { last: 3 } }))
    const second = await store.add({ ...first.config, name: 'b', retention: { last: 9 } }, first.repository.id)
    await store.repositories.learn(first.repository.id, 'ab', undefined)
    await timers.advance(dayMs)
    care.tick()
    last().ready()
    expect([hosts.length, last().got('start')[0]]).toMatchObject([1, { job: { retention: [{ name: 'a', policy: { last: 3 } }, { name: 'b', policy: { last: 9 } }] } }])
    expect(care.view(store.get(second.id))).toEqual({ running: true })
  })

  it('makes way for a backup of its repository and for a restore anywhere, and goes on when it is quiet again', async () => {
    const { care, backups, restores, last, timers, store, id, history } = await due()
    const isRunning = (): boolean => {
      care.tick()
      return care.view(store.get(id))?.running === true
    }
    expect(isRunning()).toBe(true)
    const carer = last()
    carer.ready()
    backups.run(id, 'manual')
    expect(carer.got('stop')).toEqual([{ type: 'stop', mode: 'cancel' }])
    carer.says({ type: 'failed', error: { code: 'aborted', message: '', retryable: false } })
    carer.exit('code 1')
    await settle()
    expect([isRunning(), care.view(store.get(id))?.lastRun?.outcome]).toEqual([false, 'stopped'])
    last().ready()
    last().finish({ repositoryId: 'ab' })
    await settle()
    await timers.advance(15 * minuteMs - 1)
    expect(isRunning()).toBe(false)
    await timers.advance(1)
    expect(isRunning()).toBe(true)
    const again = last()
    again.ready()
    restores.start({ place: { jobId: id }, snapshot: 'docs@1', target: '/t', paths: [], except: [], overwrite: 'never' })
    expect(again.got('stop')).toHaveLength(1)
    expect(history.last(id)?.operation).toBe('backup')
  })

  it('whose engine is killed is tried again in an hour, over a start of the app too, and no notice of a backup tells of it', async () => {
    const { care, hosts, last, timers, cared, folder, restarts, history } = await due()
    care.tick()
    last().ready()
    last().exit('SIGKILL')
    await settle()
    expect(cared).toMatchObject([{ run: { outcome: 'failed', error: { code: 'crashed' } } }])
    await timers.advance(hourMs - 1)
    care.tick()
    expect([hosts.length, restarts]).toEqual([1, []])
    await history.flush()
    const later = openWorld(folder)
    await later.timers.advance(timers.now() - later.timers.now() + 1)
    later.care.tick()
    expect(later.hosts).toHaveLength(1)
    later.last().ready()
    await later.history.flush()
    const third = openWorld(folder)
    expect(third.interrupted).toHaveLength(1)
    await third.timers.advance(later.timers.now() - third.timers.now() + hourMs)
    third.care.tick()
    expect(third.hosts).toHaveLength(1)
  })

  it('that was asked for runs at once, tells where it is not possible, and waits its turn', async () => {
    const { care, add, backups, hosts, last, id, store } = await due()
    const old = await add('old')
    expect(() => care.run(old)).toThrow(expect.objectContaining({ code: 'unsupported' }) as Error)
    expect(() => care.run('nobody')).toThrow(expect.objectContaining({ code: 'not-found' }) as Error)
    backups.run(id, 'manual')
    last().ready()
    care.run(id)
    expect(() => care.run(id)).toThrow(expect.objectContaining({ code: 'busy' }) as Error)
    expect([hosts.length, care.view(store.get(id))]).toMatchObject([1, { running: false, waits: { wait: { type: 'repository' } } }])
    last().finish({ repositoryId: 'ab' })
    await settle()
    expect(care.view(store.get(id))).toEqual({ running: true })
  })

  it('without a stored password fails and says so', async () => {
    const { care, secrets, repositoryOf, id, cared, hosts } = await due()
    await secrets.remove(repositoryOf(id))
    care.tick()
    await settle()
    expect([hosts.length, cared]).toMatchObject([0, [{ run: { outcome: 'failed', error: { code: 'password' } } }]])
  })

  it('keeps what was wrong, to be read with the job', async () => {
    const { care, last, id, store } = await due()
    care.tick()
    last().ready()
    last().says({ type: 'problem', problem: { code: 'damaged', path: 'a.jpg', message: 'gone' } })
    await ends(last(), { outcome: 'failed', problems: 1, details: { ...details, affectedCount: 1 } })
    const runId = care.view(store.get(id))?.lastRun?.id ?? ''
    expect(await care.problems(id, runId)).toMatchObject([{ path: 'a.jpg' }])
    expect(care.problems(id, 'another')).toBeUndefined()
  })
})

describe('what is told of care', () => {
  const told = async (...days: readonly Parameters<FakeHost['finish']>[0][]): Promise<readonly (string | undefined)[]> => {
    const { care, last, timers, cared } = await due()
    for (const day of days) {
      care.tick()
      last().ready()
      await ends(last(), day)
      await timers.advance(dayMs)
    }
    return cared.map(({ run, before }) => announceCare(run, before, { name: 'docs' }, 'failures')?.title)
  }

  it('is damage and a drill that failed, once as long as it stays the same', async () => {
    const damaged = { outcome: 'failed', details: { ...details, affectedCount: 3 } } as const
    const drill = { outcome: 'failed', details: { ...details, drill: 'failed' } } as const
    expect(await told({}, damaged, damaged, {}, drill, drill, damaged)).toEqual([
      undefined, 'docs: its backup is damaged', undefined, undefined, 'docs: a restore that was tried has failed', undefined, 'docs: its backup is damaged',
    ])
  })

  it('is nothing where somebody wants no notifications, and nothing of what is tried again', async () => {
    const { care, last, cared, timers } = await due()
    for (const error of [{ code: 'offline', retryable: true }, { code: 'denied', retryable: false }] as const) {
      care.tick()
      last().ready()
      last().says({ type: 'failed', error: { ...error, message: '' } })
      last().exit('code 1')
      await settle()
      await timers.advance(dayMs)
    }
    expect(cared.map(({ run, before }) => announceCare(run, before, { name: 'docs' }, 'all')?.title)).toEqual([undefined, 'docs: it could not be looked after'])
    expect(cared.map(({ run, before }) => announceCare(run, before, { name: 'docs' }, 'none'))).toEqual([undefined, undefined])
  })
})

describe('the settings of a job', () => {
  it('that are removed take its care and the history of it with them', async () => {
    const { care, last, id, history, store } = await due()
    care.tick()
    last().ready()
    const stopped = care.stop(id)
    expect(last().got('stop')).toHaveLength(1)
    last().exit('code 1')
    await stopped
    expect(care.view(store.get(id))?.running).toBe(false)
    care.forget(id)
    expect(history.last(`care-${id}`)).toBeUndefined()
  })
})
