import { describe, expect, it } from 'vitest'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { settle } from '../fakes.ts'
import { inBucket, keyless, rejects, s3, secrets, setUp } from './handlers-world.ts'

const folder = (path: string) => ({ type: 'folder', path }) as const

/** A job in /backup, and what adds a copy of it. */
async function withJob() {
  const world = setUp()
  const { jobId } = await world.handlers['job.add']({ config: world.ask(), secrets: keyless })
  await world.learn(jobId, 'ab', undefined)
  const inFolder = (path: string) => ({ type: 'folder', folder: world.chosen('destination', path) }) as const
  const add = (path = '/copy', typed: object = { password: 'of the copy' }) => world.handlers['copy.add']({ jobId, destination: inFolder(path), secrets: typed, removeVanished: false })
  const secretsOf = (id: string, destination = folder('/copy')) => world.secrets.get(id, repositoryUrl(destination))
  return { ...world, jobId, inFolder, add, secretsOf }
}

describe('a copy that is added', () => {
  it('goes to a folder that was chosen, with a password of its own, and asks nothing more', async () => {
    const { add, store, jobId, asked, secretsOf, folders, hosts } = await withJob()
    const { copyId } = await add()
    expect(store.copies.of(store.get(jobId).repository.id)).toMatchObject([{ id: copyId, destination: folder('/copy'), removeVanished: false }])
    expect([secretsOf(copyId)?.password, secretsOf(copyId, folder('/elsewhere'))]).toEqual(['of the copy', undefined])
    expect([asked, hosts]).toEqual([[], []])
    // The window may name a folder of a job, or of a copy, for nothing else.
    const shown = folders.place(copyId, folder('/copy'))
    if (shown.type !== 'folder') throw new Error('not a folder')
    expect(() => folders.path('destination', shown.folder)).toThrow('was not chosen')
  })

  it('on the network is asked about, and a no leaves nothing behind', async () => {
    const { handlers, jobId, asked, person, store, secrets: kept } = await withJob()
    const request = { jobId, destination: s3, secrets, removeVanished: true }
    person.saysYes = false
    await rejects(handlers['copy.add'](request), { code: 'aborted' })
    expect(store.copies.all).toEqual([])
    person.saysYes = true
    const { copyId } = await handlers['copy.add'](request)
    expect(asked[1]?.title).toBe('Copy the backup of “docs” to bucket/a b/c on 127.0.0.1:8000?')
    expect(kept.get(copyId, repositoryUrl(s3))).toEqual(secrets)
  })

  it.each([
    ['where the backup itself is', '/backup', { code: 'exists', data: { reason: 'copy-of-itself' } }],
    ['inside of it', '/backup/packs', { code: 'exists', data: { reason: 'copy-of-itself' } }],
    ['around it', '/', { code: 'exists', data: { reason: 'copy-of-itself' } }],
    ['in a source', '/home/u/docs/copy', { code: 'arguments', data: { field: 'destination', reason: 'in-source' } }],
    ['where a copy is', '/other', { code: 'exists', data: { reason: 'copy-there' } }],
  ])('%s is refused', async (_where, path, error) => {
    const { add, store } = await withJob()
    await add('/other')
    await rejects(add(path), error)
    expect(store.copies.all).toHaveLength(1)
  })

  it('lies in no source of any job of its repository, nor gets into one later', async () => {
    const { add, handlers, ask, chosen, shown, jobId } = await withJob()
    const { jobId: second } = await handlers['job.add']({ config: ask({ name: 'second', sources: [chosen('sources', '/photos')] }), secrets: keyless })
    await rejects(add('/photos/copy'), { code: 'arguments', data: { reason: 'in-source' } })
    await add('/mnt/copy')
    const holding = { code: 'arguments', data: { field: 'config.sources', reason: 'holds-copy' } }
    await rejects(handlers['job.update']({ jobId: second, config: { ...shown(second), sources: [chosen('sources', '/mnt')] }, secrets: {} }), holding)
    await rejects(handlers['job.add']({ config: ask({ name: 'third', sources: [chosen('sources', '/mnt')] }), secrets: keyless }), holding)
    await handlers['job.update']({ jobId, config: { ...shown(jobId), sources: [chosen('sources', '/home/u')] }, secrets: {} })
  })

  it('needs its password and its keys, a job, and a limit to their number', async () => {
    const { add, handlers, jobId, inFolder } = await withJob()
    await rejects(add('/copy', {}), { code: 'arguments', data: { field: 'secrets.password' } })
    await rejects(handlers['copy.add']({ jobId, destination: s3, secrets: { password: 'x' }, removeVanished: false }), { code: 'arguments', data: { field: 'secrets.storage' } })
    await rejects(handlers['copy.add']({ jobId: 'nobody', destination: inFolder('/copy'), secrets: keyless, removeVanished: false }), { code: 'not-found' })
    for (let at = 0; at < 8; at++) await add(`/copy-${at}`)
    await rejects(add('/one-more'), { code: 'unsupported', data: { reason: 'many-copies' } })
  })
})

describe('a copy that is there', () => {
  it('is removed with its password and its history after a question, and its run is ended first', async () => {
    const { add, handlers, last, store, secretsOf, asked, person, history } = await withJob()
    const { copyId } = await add()
    await handlers['copy.run']({ copyId })
    last().ready()
    person.saysYes = false
    await rejects(handlers['copy.remove']({ copyId }), { code: 'aborted' })
    expect(last().got('stop')).toEqual([])
    person.saysYes = true
    const removed = handlers['copy.remove']({ copyId })
    await settle()
    expect(last().got('stop')).toHaveLength(1)
    last().exit('code 1')
    await removed
    expect([store.copies.all, secretsOf(copyId), history.last(`sync-${copyId}`)]).toEqual([[], undefined, undefined])
    expect(asked.at(-1)?.title).toBe('No longer copy the backup of “docs” to /copy?')
  })

  it('is stopped by hand, which is harmless where nothing runs', async () => {
    const { add, handlers, last, store } = await withJob()
    const { copyId } = await add()
    await handlers['copy.stop']({ copyId })
    expect(store.copies.get(copyId)).not.toHaveProperty('stoppedMs')
    await handlers['copy.run']({ copyId })
    last().ready()
    await handlers['copy.stop']({ copyId })
    expect(last().got('stop')).toHaveLength(1)
    await rejects(Promise.resolve().then(() => handlers['copy.stop']({ copyId: 'nobody' })), { code: 'not-found' })
  })

  it('goes with the last job of its repository, and not before', async () => {
    const { add, handlers, store, ask, jobId, secretsOf } = await withJob()
    const { copyId } = await add()
    const { jobId: second } = await handlers['job.add']({ config: ask({ name: 'second' }), secrets: keyless })
    expect(store.get(second).repository.id).toBe(store.get(jobId).repository.id)
    await handlers['job.remove']({ jobId })
    expect([store.copies.all.length, secretsOf(copyId)?.password]).toEqual([1, 'of the copy'])
    await handlers['job.remove']({ jobId: second })
    expect([store.copies.all, secretsOf(copyId)]).toEqual([[], undefined])
  })

  it('goes along with a repository that moves, and stays with one that others use', async () => {
    const { add, handlers, store, ask, jobId, shown, chosen, secretsOf } = await withJob()
    const { copyId } = await add()
    const move = async (job: string, path: string) => {
      await handlers['job.update']({ jobId: job, config: { ...shown(job), destination: { type: 'folder', folder: chosen('destination', path) } }, secrets: { password: `pw of ${path}` } })
    }
    const { jobId: second } = await handlers['job.add']({ config: ask({ name: 'second' }), secrets: keyless })
    // The test of the new place is given up: nobody plays its engine.
    await store.update(second, { ...store.get(second).config, destination: folder('/second') }, { repository: 'new', sameRepository: false })
    expect(store.copies.get(copyId).repository).toBe(store.get(jobId).repository.id)
    await store.update(jobId, { ...store.get(jobId).config, destination: folder('/moved') }, { repository: 'newer', sameRepository: true })
    expect([store.copies.get(copyId).repository, store.get(jobId).repository.repositoryId, secretsOf(copyId)?.password]).toEqual(['newer', 'ab', 'of the copy'])
    await move(second, '/third')
    expect(store.copies.all).toHaveLength(1)
    await store.merge(store.get(second).repository.id, 'newer')
    expect(store.copies.get(copyId).repository).toBe(store.get(second).repository.id)
  })

  it('is added to the storage of a job without a question', async () => {
    const { handlers, ask, asked, jobId } = await withJob()
    await handlers['job.add']({ config: ask({ name: 'cloud', destination: s3 }), secrets })
    expect(asked).toHaveLength(1)
    await handlers['copy.add']({ jobId, destination: inBucket({ prefix: 'copies' }), secrets, removeVanished: false })
    expect(asked).toHaveLength(1)
  })
})
