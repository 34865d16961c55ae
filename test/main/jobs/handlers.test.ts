import { describe, expect, it } from 'vitest'
import { historyHandlers, jobHandlers, repositoryHandlers } from '../../../main/jobs/handlers.ts'
import { settle } from '../fakes.ts'
import { config, openWorld } from './world.ts'

function setUp() {
  const world = openWorld()
  const copied: string[] = []
  const ports = {
    ...world,
    test: { engines: world.supervisor, home: world.folder, timers: world.timers, log: world.log },
    logs: { linesOf: async (run: string) => [`line of ${run}`] },
    copy: (text: string) => { copied.push(text) },
    onChange: () => undefined,
  }
  const handlers = { ...jobHandlers(ports), ...historyHandlers(ports), ...repositoryHandlers(ports) }
  return { ...world, handlers, copied }
}

const secrets = { password: 'pw', storage: { accessKeyId: 'id', secretAccessKey: 'key' } }
const s3 = { type: 's3', bucket: 'bucket', prefix: 'a b/c', endpoint: 'http://127.0.0.1:8000', region: 'eu-1' } as const

describe('jobs', () => {
  it('are added with their secrets, changed, and removed with all that is theirs', async () => {
    const { handlers, store, secrets: kept, history } = setUp()
    const { jobId } = await handlers['job.add']({ config, secrets })
    expect(kept.get(jobId)).toEqual(secrets)
    await handlers['job.update']({ jobId, config: { ...config, name: 'other', concurrency: 9 }, secrets: { password: 'new' } })
    expect(store.get(jobId).config).toMatchObject({ name: 'docs', concurrency: 9 })
    expect(kept.get(jobId)).toEqual({ ...secrets, password: 'new' })
    await handlers['job.remove']({ jobId })
    expect([store.all, kept.get(jobId), history.last(jobId)]).toEqual([[], undefined, undefined])
  })

  it('need a password, a name of their own, and a destination outside their sources', async () => {
    const { handlers, store } = setUp()
    const add = (changes: object, given: object = secrets): Promise<unknown> => Promise.resolve(handlers['job.add']({ config: { ...config, ...changes }, secrets: given }))
    await expect(add({}, {})).rejects.toMatchObject({ code: 'arguments', data: { field: 'secrets.password' } })
    await expect(add({ destination: { type: 'folder', path: '/home/u/docs/backup' } })).rejects.toMatchObject({ data: { field: 'config.destination' } })
    await expect(add({ sources: ['/a', '/a'] })).rejects.toMatchObject({ data: { field: 'config.sources' } })
    await add({})
    await expect(add({ name: 'DOCS' })).rejects.toMatchObject({ code: 'exists' })
    expect(store.all).toHaveLength(1)
  })

  it('stay while they run', async () => {
    const { handlers, store } = setUp()
    const { jobId } = await handlers['job.add']({ config, secrets })
    await handlers['job.run']({ jobId })
    await expect(Promise.resolve(handlers['job.remove']({ jobId }))).rejects.toMatchObject({ code: 'busy' })
    expect(store.all).toHaveLength(1)
  })

  it('forget the repository when they move to another destination, and only then', async () => {
    const { handlers, store } = setUp()
    const { jobId } = await handlers['job.add']({ config, secrets })
    await store.setRepository(jobId, 'ab')
    await handlers['job.update']({ jobId, config: { ...config, concurrency: 2 }, secrets: {} })
    expect(store.get(jobId).repositoryId).toBe('ab')
    await handlers['job.update']({ jobId, config: { ...config, destination: s3 }, secrets: {} })
    expect(store.get(jobId)).not.toHaveProperty('repositoryId')
  })
})

describe('destination.test', () => {
  it('gives the engine an address without secrets and the secrets apart, and passes on what it found', async () => {
    const { handlers, last } = setUp()
    const asked = handlers['destination.test']({ destination: s3, secrets: { storage: secrets.storage } })
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'test', repository: 's3://bucket/a%20b/c?endpoint=http%3A%2F%2F127.0.0.1%3A8000&region=eu-1' }, secrets: { password: '', storage: secrets.storage } })
    last().finish({ operation: 'test', details: { repository: 'exists', repositoryId: 'ab', exclusiveCreate: true, more: 1 } })
    expect(await asked).toEqual({ repository: 'exists', repositoryId: 'ab', exclusiveCreate: true })
  })

  it('takes what is absent from the job', async () => {
    const { handlers, last } = setUp()
    const { jobId } = await handlers['job.add']({ config, secrets })
    void Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {}, jobId })).catch(() => undefined)
    last().ready()
    expect(last().got('start')[0]).toMatchObject({ secrets })
  })

  it('says what went wrong, also when nothing answers', async () => {
    const { handlers, last, timers } = setUp()
    const refused = Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {} }))
    last().ready()
    last().says({ type: 'failed', error: { code: 'credentials', message: 'no', retryable: false } })
    last().exit('code 1')
    await expect(refused).rejects.toMatchObject({ wire: { code: 'credentials' } })
    const silent = Promise.resolve(handlers['destination.test']({ destination: s3, secrets: {} }))
    const outcome = silent.catch((error: unknown) => error)
    last().ready()
    for (let beat = 0; beat < 4; beat++) {
      last().says({ type: 'heartbeat' })
      await timers.advance(10_000)
    }
    expect(await outcome).toMatchObject({ code: 'offline' })
  })
})

it('the log of a run goes to the clipboard', async () => {
  const { handlers, copied } = setUp()
  expect(await handlers['history.copyLog']({ jobId: 'j', runId: 'r-1' })).toEqual({ lines: 1 })
  expect(copied).toEqual(['line of r-1'])
})

it('pause and stop of what does not run do nothing', async () => {
  const { handlers, hosts } = setUp()
  const { jobId } = await handlers['job.add']({ config, secrets })
  await handlers['job.pause']({ jobId })
  await handlers['job.resume']({ jobId })
  await handlers['job.stop']({ jobId, mode: 'cancel' })
  await settle()
  expect(hosts).toEqual([])
})
