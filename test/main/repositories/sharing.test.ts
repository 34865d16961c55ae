import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KnownFloor, KnownRepository, KnownRevision } from '../../../engine/protocol/known.ts'
import { JobStore } from '../../../main/jobs/store.ts'
import { shareRepositories } from '../../../main/repositories/sharing.ts'
import { keyFileCipher } from '../../../main/settings/ciphers.ts'
import { openSecrets } from '../../../main/settings/secrets.ts'
import { inBucket, keyless, s3, secrets, setUp } from '../jobs/handlers-world.ts'
import { config } from '../jobs/world.ts'

const known = { repositoryId: 'ab'.repeat(16), revisions: [], floors: [] }

interface OldJob extends Partial<Pick<KnownRepository, 'repositoryId' | 'revisions' | 'floors'>> {
  readonly path: string
  readonly password: string
}

/** A job file of version 2, and the secrets that were kept under the ids of its jobs. */
async function oldFiles(jobs: readonly OldJob[]) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-repositories-'))
  const data = jobs.map(({ path, repositoryId, revisions = [], floors = [] }, at) => ({
    id: `job-${at}`, config: { ...config, name: `job ${at}`, destination: { type: 'folder', path } }, scheduledSinceMs: 5,
    ...(repositoryId !== undefined && { repositoryId, known: { repositoryId, revisions, floors } }),
  }))
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 2, data }), { mode: 0o600 })
  const kept = openSecrets(join(folder, 'secrets.json'), [keyFileCipher(join(folder, 'key'))], () => 0).store
  for (const [at, { path, password }] of jobs.entries()) await kept.set(`job-${at}`, `file://${path}`, { password, storage: {} })
  const store = new JobStore(join(folder, 'jobs.json'), () => 0)
  await shareRepositories(store, kept)
  return { folder, store, kept }
}

describe('jobs of one place', () => {
  it('share its repository after an update, with all that any of them knew', async () => {
    const { folder, store, kept } = await oldFiles([{ path: '/a', password: 'pw' }, { path: '/b', password: 'pw' }, { path: '/a', password: 'pw', repositoryId: known.repositoryId }])
    expect(store.all.map((one) => one.repository.id)).toEqual(['job-0', 'job-1', 'job-0'])
    expect(store.get('job-0').repository).toEqual({ id: 'job-0', destination: { type: 'folder', path: '/a' }, repositoryId: known.repositoryId, known })
    expect(['job-0', 'job-1', 'job-2'].map((id) => kept.has(id).password)).toEqual([true, true, false])
    await shareRepositories(store, kept)
    const again = new JobStore(join(folder, 'jobs.json'), () => 0)
    expect([again.movedTo, again.all]).toEqual([undefined, store.all])
    expect(JSON.parse(readFileSync(join(folder, 'jobs.json'), 'utf8'))).toMatchObject({ version: 10 })
  })

  it('ask the keychain for nothing where no two are at one place', async () => {
    const { store, kept } = await oldFiles([{ path: '/a', password: 'pw' }, { path: '/b', password: 'pw' }, { path: '/a', password: 'pw' }])
    const opened: string[] = []
    await shareRepositories(store, { ...kept, get: (id, address) => {
      opened.push(id)
      return kept.get(id, address)
    } })
    expect([store.repositories.all.length, opened]).toEqual([2, []])
  })

  it('know together the newest that any of them has seen', async () => {
    const seen = (jobKey: string, revision: number): KnownRevision => ({
      jobKey: jobKey.repeat(32), host: 'h', job: 'j', revision, suffix: '', state: 'snapshot', nonce: '', finishedMs: revision, seenMs: revision,
    })
    const floor = (jobKey: string, revision: number): KnownFloor => ({ jobKey: jobKey.repeat(32), revision })
    const { repositoryId } = known
    const { store } = await oldFiles([
      { path: '/a', password: 'pw', repositoryId, revisions: [seen('a', 3), seen('b', 7)], floors: [floor('a', 2)] },
      { path: '/a', password: 'pw', repositoryId, revisions: [seen('a', 9), seen('b', 5), seen('c', 1)], floors: [floor('a', 8), floor('c', 1)] },
    ])
    expect(store.get('job-0').repository.known).toEqual({
      repositoryId, revisions: [seen('a', 9), seen('b', 7), seen('c', 1)], floors: [floor('a', 8), floor('c', 1)],
    })
  })

  it('do not, where one has another password or another repository: what works goes on to work', async () => {
    const other = 'cd'.repeat(16)
    const { store, kept } = await oldFiles([
      { path: '/a', password: 'wrong' }, { path: '/a', password: 'pw', repositoryId: known.repositoryId }, { path: '/a', password: 'pw', repositoryId: other },
    ])
    expect(store.all.map((one) => one.repository.id)).toEqual(['job-0', 'job-1', 'job-2'])
    expect(kept.get('job-1', 'file:///a')?.password).toBe('pw')
  })

  it('that are added one after the other do too, and another password takes nothing from the first', async () => {
    const { handlers, ask, store, kept, repositoryOf } = setUp()
    const add = async (name: string, given: object) => (await handlers['job.add']({ config: ask({ name, destination: s3 }), secrets: given })).jobId
    const first = await add('a', secrets)
    const same = await add('b', { password: 'pw', storage: { secretAccessKey: 'key', accessKeyId: 'id' } })
    const other = await add('c', { ...secrets, password: 'mine' })
    expect([repositoryOf(same) === repositoryOf(first), repositoryOf(other) === repositoryOf(first)]).toEqual([true, false])
    expect([kept(first), kept(other)?.password]).toEqual([secrets, 'mine'])
    expect(store.repositories.all).toHaveLength(2)
  })
})

describe('a repository that jobs share', () => {
  it('stays as it is when one of them moves, and goes with the last', async () => {
    const { handlers, ask, shown, kept, store, repositoryOf, learn, last, secrets: stored } = setUp()
    const [a, b] = [await handlers['job.add']({ config: ask({ name: 'a', destination: s3 }), secrets }), await handlers['job.add']({ config: ask({ name: 'b', destination: s3 }), secrets })]
    await learn(a.jobId, 'ab', undefined)
    const before = repositoryOf(a.jobId)
    const keys = { accessKeyId: 'x', secretAccessKey: 'y' }
    const moving = handlers['job.update']({ jobId: b.jobId, config: { ...shown(b.jobId), destination: inBucket({ bucket: 'other' }) }, secrets: { storage: keys } })
    last().ready()
    last().finish({ operation: 'test', details: { repository: 'exists', repositoryId: 'ab', exclusiveCreate: true } })
    await moving
    expect(store.get(a.jobId)).toMatchObject({ repository: { id: before, destination: s3, repositoryId: 'ab' } })
    expect(store.get(b.jobId)).toMatchObject({ repository: { destination: inBucket({ bucket: 'other' }), repositoryId: 'ab' } })
    expect([kept(a.jobId), kept(b.jobId)]).toEqual([secrets, { password: 'pw', storage: keys }])
    await handlers['job.remove']({ jobId: a.jobId })
    expect([store.repositories.find(before), stored.has(before).password, kept(b.jobId)?.password]).toEqual([undefined, false, 'pw'])
  })

  it('keeps its secrets while another job needs them', async () => {
    const { handlers, ask, kept, repositoryOf } = setUp()
    const [a, b] = [await handlers['job.add']({ config: ask({ name: 'a' }), secrets: keyless }), await handlers['job.add']({ config: ask({ name: 'b' }), secrets: keyless })]
    expect(repositoryOf(a.jobId)).toBe(repositoryOf(b.jobId))
    await handlers['job.remove']({ jobId: a.jobId })
    expect(kept(b.jobId)?.password).toBe('pw')
  })
})

it('a job that names a repository which is not there is a damaged file, and no job without one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-orphan-'))
  const { destination: _elsewhere, ...rest } = config
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 3, data: { repositories: [], jobs: [{ id: 'j', repository: 'r', config: rest, scheduledSinceMs: 1 }] } }), { mode: 0o600 })
  expect(new JobStore(join(folder, 'jobs.json'), () => 0).movedTo).toMatch(/damaged/)
})
