import { describe, expect, it } from 'vitest'
import { settle } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

describe('a restore', () => {
  it('starts beside a running backup, is seen, and stays listed until it is dismissed', async () => {
    const { add, backups, restores, last, hosts, restored } = openWorld(undefined, 1)
    const jobId = await add('docs')
    backups.run(jobId, 'manual')
    const path = new Uint8Array([0xff, 0x2f])
    const without = new Uint8Array([0xff, 0x2f, 0xfe])
    const id = restores.start({ place: { jobId }, snapshot: 'docs@1', target: '/tmp/out', paths: [path], except: [without], overwrite: 'never' })
    expect(hosts).toHaveLength(2)
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'restore', snapshot: 'docs@1', target: '/tmp/out', paths: [path], except: [without], overwrite: 'never' } })
    expect(restores.views).toMatchObject([{ id, from: 'docs', state: 'running', paths: 1, except: 1 }])
    restores.dismiss(id)
    expect(restores.views).toHaveLength(1)
    last().says({ type: 'problem', problem: { code: 'not-restored', path: '/x', message: '' } })
    last().finish({ operation: 'restore', outcome: 'warnings', problems: 1 })
    await settle()
    expect(restored).toMatchObject([{ id, state: 'idle', result: { outcome: 'warnings' } }])
    expect(restores.problems(restores.get(id).id)).toHaveLength(1)
    expect(restores.running).toEqual([])
    restores.dismiss(id)
    expect(restores.views).toEqual([])
    expect(() => restores.get(id)).toThrow(expect.objectContaining({ code: 'not-found' }) as Error)
  })

  it('tries again only what was not restored, in the place and by the rule of before', async () => {
    const { add, restores, last } = openWorld()
    const jobId = await add('docs')
    const part = (snapshot: string, name: string) => ({ snapshot, paths: [new Uint8Array(Buffer.from(name))], except: [new Uint8Array([1])] })
    const id = restores.start({ place: { jobId }, ...part('docs@1', 'a'), more: [part('docs@2', 'b'), part('docs@3', 'c')], target: { origins: ['/home/u/docs'] }, overwrite: 'older' })
    expect(restores.views).toMatchObject([{ snapshot: 'docs@1', more: 2, paths: 3, except: 3, canRetry: false }])
    expect(restores.views[0]).not.toHaveProperty('target')
    last().ready()
    const bytes = Buffer.from([0xff, 0x2f, 0x61])
    last().says({ type: 'problem', problem: { code: 'not-restored', path: 'x', message: 'm', from: { snapshot: 'docs@2', pathBytes: bytes.toString('base64') } } })
    last().says({ type: 'problem', problem: { code: 'metadata', path: 'y', message: 'm' } })
    expect(() => restores.again(id)).toThrow(expect.objectContaining({ code: 'not-found', data: { reason: 'nothing' } }) as Error)
    last().finish({ operation: 'restore', outcome: 'warnings', problems: 2 })
    await settle()
    expect(restores.views[0]?.canRetry).toBe(true)
    restores.start(restores.again(id))
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: {
      ...part('docs@1', 'a'), only: [], more: [{ ...part('docs@2', 'b'), only: [new Uint8Array(bytes)] }, { ...part('docs@3', 'c'), only: [] }], target: { origins: ['/home/u/docs'] }, overwrite: 'older',
    } })
  })

  it('that crashes has failed', async () => {
    const { add, restores, last, restored } = openWorld()
    restores.start({ place: { jobId: await add('docs') }, snapshot: 'latest', target: '/tmp/out', paths: [], except: [], overwrite: 'never' })
    last().exit('SIGKILL')
    await settle()
    expect(restored).toMatchObject([{ result: { outcome: 'failed', error: { code: 'crashed' } } }])
  })
})

describe('browsing', () => {
  it('starts one engine for a job, answers newest first, and ends it when nobody asks any more', async () => {
    const { add, browsing, hosts, last, timers } = openWorld()
    const jobId = await add('docs')
    const snapshot = (id: string, finishedMs: number) => ({ id, job: 'docs', revision: 1, host: 'h', sources: [], startedMs: 0, finishedMs, files: 0, bytes: 0, problems: 0 })
    const asked = browsing.snapshots({ jobId })
    last().ready()
    last().says({ type: 'answer', request: 1, answer: { type: 'snapshots', snapshots: [snapshot('docs@1', 1), snapshot('docs@2', 2)], missed: ['docs@3 was here and is gone'], held: [] } })
    const { snapshots, missed } = await asked
    expect(snapshots.map((one) => one.id)).toEqual(['docs@2', 'docs@1'])
    expect(missed).toEqual(['docs@3 was here and is gone'])
    const listed = browsing.list({ place: { jobId }, snapshot: 'docs@2', path: new Uint8Array(), limit: 10 })
    last().says({ type: 'answer', request: 2, answer: { type: 'list', entries: [], more: false } })
    expect(await listed).toEqual({ entries: [], more: false })
    expect(hosts).toHaveLength(1)
    for (let beat = 0; beat < 11; beat++) {
      last().says({ type: 'heartbeat' })
      await timers.advance(11_000)
    }
    expect(last().got('stop')).toEqual([{ type: 'stop', mode: 'cancel' }])
    last().exit('code 0')
    await settle()
    void browsing.snapshots({ jobId })
    expect(hosts).toHaveLength(2)
  })

  it('passes on what went wrong, and begins anew with the next question', async () => {
    const { add, browsing, hosts, last } = openWorld()
    const jobId = await add('docs')
    const asked = browsing.snapshots({ jobId })
    last().ready()
    last().says({ type: 'failed', error: { code: 'password', message: 'wrong', retryable: false } })
    last().exit('code 1')
    await expect(asked).rejects.toMatchObject({ wire: { code: 'password' } })
    await settle()
    void browsing.snapshots({ jobId })
    expect(hosts).toHaveLength(2)
  })
})
