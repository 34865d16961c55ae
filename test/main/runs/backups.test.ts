import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { restartDelayMs } from '../../../main/supervisor/restarts.ts'
import { settle, summary } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const progress = {
  operation: 'backup', phase: 'working', paused: false, transferredBytes: 0, bytesPerSecond: 10, problems: 0,
  files: summary().files, bytes: summary().bytes,
} as const

describe('a run', () => {
  it('goes from click to history, and its log keeps its context', async () => {
    const { backups, add, last, ended, history, store, lines, counts } = openWorld()
    const id = await add('docs')
    const run = backups.run(id, 'manual')
    last().ready()
    const [start] = last().got('start')
    expect(start).toMatchObject({ job: { type: 'backup', name: 'docs', repository: 'file:///backup', create: true }, secrets: { password: 'pw' } })
    last().says({ type: 'progress', progress })
    last().says({ type: 'log', level: 'info', time: 5, message: 'stored', context: { operation: 'backup', pack: 'ab', attempt: 2 } })
    last().says({ type: 'problem', problem: { code: 'unreadable', path: '/x', message: 'EACCES' } })
    expect(run.live).toMatchObject({ jobId: id, operation: 'backup', progress: { bytesPerSecond: 10 } })
    expect(counts.live).toBe(1)
    last().finish({ outcome: 'warnings', snapshot: 'docs@1', repositoryId: 'ab12', problems: 1 })
    await settle()
    expect(ended).toMatchObject([{ outcome: 'warnings', snapshot: 'docs@1', trigger: 'manual', problems: 1 }])
    expect(backups.of(id)).toBeUndefined()
    expect(history.last(id)?.id).toBe(run.id)
    expect(await history.problems(id, run.id)).toHaveLength(1)
    expect(lines.map((line) => line.message)).toEqual(['started (manual)', 'stored', 'ended: warnings'])
    expect(lines[1]?.context).toEqual({ job: 'docs', run: run.id, operation: 'backup', pack: 'ab', attempt: 2 })
    backups.run(id, 'manual')
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { expectRepositoryId: 'ab12' } })
    expect(last().got('start')[0]).not.toHaveProperty('job.create')
    expect(store.get(id).repository.repositoryId).toBe('ab12')
  })

  it('is told how fast it went, while it goes on and ever after, as its progress said', async () => {
    const { backups, add, last, history, timers } = openWorld()
    const id = await add('docs')
    const run = backups.run(id, 'manual')
    last().ready()
    for (const transferredBytes of [0, 500, 1_500, 1_500, 4_000]) {
      last().says({ type: 'progress', progress: { ...progress, transferredBytes } })
      await timers.advance(1_000)
    }
    expect(run.live.throughput).toEqual({ everyMs: 1_000, bytes: [0, 500, 1_000, 0, 2_500] })
    last().finish({ outcome: 'success', snapshot: 'docs@1' })
    await settle()
    expect(history.last(id)?.throughput).toEqual({ everyMs: 1_000, bytes: [0, 500, 1_000, 0, 2_500] })
  })

  it('cannot run twice at once', async () => {
    const { backups, add, hosts } = openWorld()
    const id = await add('docs')
    backups.run(id, 'manual')
    expect(() => backups.run(id, 'schedule')).toThrow(expect.objectContaining({ code: 'busy' }) as Error)
    expect(hosts).toHaveLength(1)
    expect(() => backups.run('unknown', 'manual')).toThrow(expect.objectContaining({ code: 'not-found' }) as Error)
  })

  it('remembers what its engine has seen in the repository, over a start of the app, and tells the next one, a restore and a browser', async () => {
    const { folder, backups, add, last, store } = openWorld()
    const id = await add('docs')
    const [repositoryId, jobKey, nonce] = ['ab', 'cd', 'ef'].map((two) => two.repeat(16)) as [string, string, string]
    const known = {
      repositoryId, floors: [{ jobKey, revision: 3 }],
      revisions: [{ jobKey, host: 'h', job: 'docs', revision: 3, suffix: '', state: 'snapshot', nonce, finishedMs: 1, seenMs: 2 }],
    } as const
    backups.run(id, 'manual')
    last().ready()
    expect(last().got('start')).toMatchObject([{ job: { create: true, acceptOtherRepository: true, known: { revisions: [], floors: [] }, host: hostname() } }])
    last().says({ type: 'finished', summary: summary({ repositoryId, known }) })
    last().exit('code 0')
    await settle()
    expect(store.get(id).repository).toMatchObject({ repositoryId, known })
    await expect.poll(() => readFileSync(join(folder, 'jobs.json'), 'utf8')).toContain(nonce)

    const again = openWorld(folder)
    again.backups.run(id, 'manual')
    again.last().ready()
    expect(again.last().got('start')).toMatchObject([{ job: { expectRepositoryId: repositoryId, known } }])
    expect(again.last().got('start')[0]).not.toHaveProperty('job.acceptOtherRepository')
    // A run that committed and failed later has seen something too.
    const higher = { ...known, floors: [{ jobKey, revision: 4 }] }
    again.last().says({ type: 'failed', error: { code: 'offline', message: '', retryable: true }, summary: summary({ outcome: 'partial', repositoryId, known: higher }) })
    again.last().exit('code 1')
    await settle()
    expect(again.store.get(id).repository.known).toEqual(higher)
    void again.browsing.snapshots({ jobId: id }).catch(() => undefined)
    again.last().ready()
    expect(again.last().got('start')).toMatchObject([{ job: { type: 'browse', known: higher } }])
    again.restores.start({ place: { jobId: id }, snapshot: 'docs@3', target: '/to', paths: [], except: [], overwrite: 'never' })
    again.last().ready()
    expect(again.last().got('start')).toMatchObject([{ job: { type: 'restore', known: higher } }])
    again.browsing.close({ jobId: id })
  })

  it('waits for a place, in the order of arrival, and can be taken off the queue', async () => {
    const { backups, add, hosts, ended } = openWorld(undefined, 1)
    const ids = [await add('a'), await add('b'), await add('c'), await add('d')]
    for (const id of ids) backups.run(id, 'manual')
    expect(ids.map((id) => backups.of(id)?.state)).toEqual(['running', 'queued', 'queued', 'queued'])
    backups.stop(ids[1] ?? '', 'drain')
    await settle()
    expect(ended).toMatchObject([{ outcome: 'stopped', jobId: ids[1] }])
    hosts[0]?.ready()
    hosts[0]?.finish()
    await settle()
    expect(hosts).toHaveLength(2)
    expect([backups.of(ids[2] ?? '')?.state, backups.of(ids[3] ?? '')?.state]).toEqual(['running', 'queued'])
  })

  it('pauses, resumes and stops', async () => {
    const { backups, add, last, ended } = openWorld()
    const id = await add('docs')
    const run = backups.run(id, 'manual')
    last().ready()
    backups.pause(id)
    backups.pause(id)
    expect(run.state).toBe('paused')
    backups.resume(id)
    expect(run.state).toBe('running')
    backups.stop(id, 'drain')
    expect(run.state).toBe('stopping')
    expect(last().commands.map((one) => one.type)).toEqual(['start', 'limits', 'pause', 'resume', 'stop'].filter((type) => type !== 'limits' || last().got('limits').length > 0))
    last().says({ type: 'failed', error: { code: 'aborted', message: '', retryable: false }, summary: summary({ outcome: 'partial', uploadedBytes: 9 }) })
    last().exit('code 1')
    await settle()
    expect(ended).toMatchObject([{ outcome: 'stopped', uploadedBytes: 9 }])
    expect(ended[0]).not.toHaveProperty('error')
  })

  it('that crashes goes on, says so, and fails when the budget is used up', async () => {
    const { backups, add, last, timers, restarts, ended, lines } = openWorld()
    const id = await add('docs')
    const run = backups.run(id, 'manual')
    for (let crash = 1; crash <= 6; crash++) {
      last().ready()
      last().prints('Fatal error in V8')
      last().exit('SIGSEGV')
      await settle()
      if (crash <= 5) expect(run.state).toBe('restarting')
      await timers.advance(restartDelayMs(crash) ?? 0)
    }
    expect(restarts).toEqual([1, 2, 3, 4, 5])
    expect(ended).toMatchObject([{ outcome: 'failed', restarts: 5, error: { code: 'crashed' } }])
    expect(lines.some((line) => line.message === 'Fatal error in V8' && line.context.run === run.id)).toBe(true)
  })

  it('without its password fails at once and says why', async () => {
    const { backups, add, secrets, ended, hosts, repositoryOf } = openWorld()
    const id = await add('docs')
    await secrets.remove(repositoryOf(id))
    backups.run(id, 'schedule')
    await settle()
    expect(ended).toMatchObject([{ outcome: 'failed', error: { code: 'password', data: { missing: true } } }])
    expect(hosts).toEqual([])
  })
})

describe('pause all', () => {
  it('pauses what runs, holds the schedule, and catches up afterwards', async () => {
    const { backups, add, hosts, timers } = openWorld()
    const running = await add('a')
    const scheduled = await add('b', { schedule: { type: 'hourly' } })
    backups.run(running, 'manual')
    backups.pauseAll('resumed')
    expect(backups.of(running)?.state).toBe('paused')
    timers.time += 3 * 3_600_000 + 600_000
    backups.tick()
    expect(hosts).toHaveLength(1)
    backups.resumeAll()
    expect(backups.of(running)?.state).toBe('running')
    expect(backups.of(scheduled)?.identity.trigger).toBe('catch-up')
  })
})

describe('the schedule', () => {
  it('starts what is due, once, also when it is asked twice', async () => {
    const { backups, add, hosts, timers, last } = openWorld()
    const id = await add('docs', { schedule: { type: 'hourly' } })
    backups.tick()
    expect(hosts).toHaveLength(0)
    await timers.advance(3_600_000)
    backups.tick()
    backups.tick()
    expect(hosts).toHaveLength(1)
    expect(backups.of(id)?.identity.trigger).toBe('schedule')
    last().ready()
    last().finish()
    await settle()
    backups.tick()
    expect(hosts).toHaveLength(1)
  })
})

describe('the end of the app', () => {
  it('leaves a run open in the history, and the next start goes on with it, whatever its schedule', async () => {
    const before = openWorld()
    const id = await before.add('docs')
    before.backups.run(id, 'manual')
    before.last().ready()
    before.backups.quit()
    await Promise.all([before.supervisor.stopAll(100), before.timers.advance(200)])
    await before.history.flush()
    const after = openWorld(before.folder)
    expect(after.interrupted).toEqual([id])
    expect(after.history.last(id)).toMatchObject({ outcome: 'failed', error: { code: 'crashed' } })
    after.backups.continueInterrupted(after.interrupted)
    after.backups.tick()
    expect(after.backups.of(id)?.identity.trigger).toBe('catch-up')
    after.last().ready()
    after.last().finish()
    await settle()
    after.backups.tick()
    expect(after.hosts).toHaveLength(1)
  })
})

describe('a job whose account has to be signed in to', () => {
  const missing = { service: 'dropbox', account: 'anna' } as const
  const ended = { code: 'credentials', message: 'over', retryable: false, data: { signIn: true, service: 'dropbox', account: 'anna' } } as const

  it('waits instead of failing again and again, and goes on when somebody has signed in', async () => {
    const world = openWorld()
    const { backups, add, hosts, last, timers, history } = world
    const id = await add('docs', { schedule: { type: 'hourly' } })
    const other = await add('local', { destination: { type: 'folder', path: '/other' } })
    backups.run(id, 'schedule')
    last().ready()
    last().says({ type: 'failed', error: ended })
    last().exit('code 1')
    await settle()
    expect(history.last(id)?.error?.data).toMatchObject({ signIn: true })
    world.missing.set('file:///backup', missing)
    timers.time += 5 * 3_600_000
    backups.tick()
    expect(hosts).toHaveLength(1)
    expect(() => backups.run(id, 'manual')).toThrow(expect.objectContaining({ code: 'credentials', data: expect.objectContaining({ signIn: true, service: 'dropbox', account: 'anna' }) as object }) as Error)
    // Another account than the one that it waits for.
    backups.signedIn()
    expect(hosts).toHaveLength(1)
    world.missing.clear()
    backups.signedIn()
    expect(hosts).toHaveLength(2)
    expect(backups.of(id)?.identity.trigger).toBe('catch-up')
    expect(backups.of(other)).toBeUndefined()
  })

  it('that is made to run by hand goes on too, whatever its schedule, but not one that somebody stopped', async () => {
    const { backups, add, hosts, last } = openWorld()
    const id = await add('docs')
    backups.run(id, 'manual')
    last().ready()
    last().says({ type: 'failed', error: ended })
    last().exit('code 1')
    await settle()
    backups.signedIn()
    expect(hosts).toHaveLength(2)
    backups.stop(id, 'cancel')
    last().exit('code 1')
    await settle()
    backups.signedIn()
    expect(hosts).toHaveLength(2)
  })
})
