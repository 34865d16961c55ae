import { describe, expect, it } from 'vitest'
import type { DestinationInput } from '../../../main/api/contract.ts'
import { settle } from '../fakes.ts'
import { inBucket, keyless, rejects, s3, secrets, setUp } from './handlers-world.ts'

describe('another destination', () => {
  it.each<[string, Readonly<Record<string, string>> | 'folder']>([
    ['another server', { endpoint: 'https://evil.example' }], ['another bucket', { bucket: 'other' }], ['another folder in it', { prefix: 'x' }],
    ['another region', { region: 'eu-2' }], ['a folder', 'folder'],
  ])('(%s) gets no kept secret: all are asked for again, and the person is', async (_name, change) => {
    const { handlers, ask, shown, kept, asked, person, store, chosen } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    asked.length = 0
    const destination: DestinationInput = change === 'folder' ? { type: 'folder', folder: chosen('destination', '/elsewhere') } : inBucket(change)
    const request = { jobId, config: { ...shown(jobId), destination } }
    await rejects(handlers['job.update']({ ...request, secrets: {} }), { code: 'arguments', data: { field: destination.type === 'folder' ? 'secrets.password' : 'secrets.storage' } })
    const typed = destination.type === 'folder' ? {} : { storage: secrets.storage }
    await rejects(handlers['job.update']({ ...request, secrets: typed }), { code: 'arguments', data: { field: 'secrets.password' } })
    if (destination.type !== 'folder') await rejects(handlers['job.update']({ ...request, secrets: { password: 'new' } }), { code: 'arguments', data: { field: 'secrets.storage' } })
    const anew = { password: 'new', ...(destination.type !== 'folder' && { storage: { accessKeyId: 'x', secretAccessKey: 'y' } }) }
    person.saysYes = false
    await rejects(handlers['job.update']({ ...request, secrets: anew }), { code: 'aborted' })
    expect(store.get(jobId).config.destination).toEqual(s3)
    expect(kept(jobId)).toEqual(secrets)
    person.saysYes = true
    await handlers['job.update']({ ...request, secrets: anew })
    expect(kept(jobId)).toEqual({ storage: {}, ...anew })
    expect(asked).toHaveLength(2)
    expect(asked[1]?.detail).toMatch(/^Its backups go to .* from now on, no longer to bucket\/a b\/c on 127\.0\.0\.1:8000\.$/)
  })

  it('that holds the same repository needs no password, and the job goes on with all that it knows', async () => {
    const { handlers, ask, shown, kept, asked, person, store, learn, last, hosts } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    const known = { repositoryId: 'ab', revisions: [], floors: [] }
    await learn(jobId, 'ab', known)
    asked.length = 0
    const destination = inBucket({ endpoint: 'https://new.example' })
    const keys = { accessKeyId: 'x', secretAccessKey: 'y' }
    const move = async (repositoryId: string): Promise<unknown> => {
      const moving = handlers['job.update']({ jobId, config: { ...shown(jobId), destination }, secrets: { storage: keys } })
      const moved = Promise.resolve(moving).catch((error: unknown) => error)
      last().ready()
      expect(last().got('start')[0]).toMatchObject({ job: { type: 'test', expectRepositoryId: 'ab' }, secrets: { password: secrets.password, storage: keys } })
      if (repositoryId === 'ab') last().finish({ operation: 'test', details: { repository: 'exists', repositoryId, exclusiveCreate: true } })
      else last().says({ type: 'failed', error: { code: 'another-repository', message: 'no', retryable: false } })
      last().exit('code 1')
      return moved
    }
    expect(await move('cd')).toMatchObject({ code: 'arguments', data: { field: 'secrets.password', reason: 'moved' } })
    expect(asked).toEqual([])
    person.saysYes = false
    expect(await move('ab')).toMatchObject({ code: 'aborted' })
    expect(store.get(jobId).config.destination).toEqual(s3)
    person.saysYes = true
    expect(await move('ab')).toBeUndefined()
    expect(asked[1]?.detail).toContain('The same repository is there')
    expect(store.get(jobId)).toMatchObject({ repository: { repositoryId: 'ab', known, destination }, config: { destination } })
    expect(kept(jobId)).toEqual({ password: secrets.password, storage: keys })
    expect(hosts).toHaveLength(3)
  })

  it('that nobody can look at is used with a password that was typed for it alone', async () => {
    const { handlers, ask, shown, store, learn, last } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    await learn(jobId, 'ab', undefined)
    const move = async (typed: object): Promise<unknown> => {
      const moving = handlers['job.update']({ jobId, config: { ...shown(jobId), destination: inBucket({ bucket: 'other' }) }, secrets: { storage: secrets.storage, ...typed } })
      const moved = Promise.resolve(moving).catch((error: unknown) => error)
      last().ready()
      last().says({ type: 'failed', error: { code: 'offline', message: 'no', retryable: true } })
      last().exit('code 1')
      return moved
    }
    expect(await move({})).toMatchObject({ wire: { code: 'offline' } })
    expect(store.get(jobId).repository.repositoryId).toBe('ab')
    expect(await move({ password: 'new' })).toBeUndefined()
    expect(store.get(jobId).repository).not.toHaveProperty('repositoryId')
  })

  it('is told when it was reached while the old one was being backed up to: the old repository is not expected there', async () => {
    const { handlers, ask, shown, last, store, chosen } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: keyless })
    await handlers['job.run']({ jobId })
    last().ready()
    await handlers['job.update']({ jobId, config: { ...shown(jobId), destination: { type: 'folder', folder: chosen('destination', '/new') } }, secrets: { password: 'p' } })
    last().finish({ repositoryId: 'old' })
    await settle()
    expect(store.get(jobId).repository).not.toHaveProperty('repositoryId')
  })
})

describe('a test of another destination', () => {
  it('at another address of the same repository says so; another one there is no alarm', async () => {
    const { handlers, last, ask, learn } = setUp()
    const { jobId } = await handlers['job.add']({ config: ask({ destination: s3 }), secrets })
    await learn(jobId, 'ab', undefined)
    const request = { destination: inBucket({ bucket: 'other' }), secrets: { storage: secrets.storage }, jobId }
    const same = handlers['destination.test'](request)
    last().ready()
    last().finish({ operation: 'test', details: { repository: 'exists', repositoryId: 'ab', exclusiveCreate: true, serverKey: 'SHA256:abc' } })
    expect(await same).toEqual({ repository: 'exists', repositoryId: 'ab', exclusiveCreate: true, serverKey: 'SHA256:abc', sameRepository: true })
    const other = Promise.resolve(handlers['destination.test'](request)).catch((error: unknown) => error)
    last().ready()
    last().says({ type: 'failed', error: { code: 'another-repository', message: 'no', retryable: false } })
    last().exit('code 1')
    expect(await other).toMatchObject({ code: 'another-repository', data: { reason: 'moved' } })
  })
})
