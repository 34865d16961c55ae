import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { JobStore } from '../../../main/jobs/store.ts'
import { keyFileCipher } from '../../../main/settings/ciphers.ts'
import { openSecrets } from '../../../main/settings/secrets.ts'
import { config } from './world.ts'

/** As version 1 wrote them: the destination in the file, and the address that its secrets were sealed with. */
const old = [
  [{ type: 's3', bucket: 'bucket', prefix: 'a b/c', endpoint: 'http://127.0.0.1:8000', region: 'eu-1' }, 's3://bucket/a%20b/c?endpoint=http%3A%2F%2F127.0.0.1%3A8000&region=eu-1'],
  [{ type: 's3', bucket: 'bucket', prefix: '' }, 's3://bucket/'],
  [{ type: 's3', bucket: 'bucket', prefix: 'x', endpoint: 'https://S3.example.com/' }, 's3://bucket/x?endpoint=https%3A%2F%2FS3.example.com%2F'],
  [{ type: 'folder', path: '/backup' }, 'file:///backup'],
] as const

function write(destinations: readonly unknown[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const data = destinations.map((destination, at) => ({ id: `job-${at}`, config: { ...config, name: `job ${at}`, destination }, scheduledSinceMs: 5, repositoryId: 'ab' }))
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 1, data }), { mode: 0o600 })
  return folder
}

it('jobs of an older version go on, with their repository and their secrets', async () => {
  const folder = write(old.map(([destination]) => destination))
  const { store: secrets } = openSecrets(join(folder, 'secrets.json'), [keyFileCipher(join(folder, 'key'))], () => 0)
  for (const [at, [, address]] of old.entries()) await secrets.set(`job-${at}`, address, { password: `pw ${at}`, storage: {} })
  const store = new JobStore(join(folder, 'jobs.json'), () => 0)
  expect(store.movedTo).toBeUndefined()
  expect(store.all.map((one) => one.config.destination)).toEqual([
    { type: 'provider', provider: 's3', values: { endpoint: 'http://127.0.0.1:8000', region: 'eu-1', bucket: 'bucket', prefix: 'a b/c' } },
    { type: 'provider', provider: 's3', values: { bucket: 'bucket' } },
    { type: 'provider', provider: 's3', values: { endpoint: 'https://s3.example.com', bucket: 'bucket', prefix: 'x' } },
    { type: 'folder', path: '/backup' },
  ])
  for (const [at, record] of store.all.entries()) {
    expect(record.repository.repositoryId).toBe('ab')
    const address = repositoryUrl(record.config.destination)
    if (at !== 2) expect(address).toBe(old[at]?.[1])
    expect(secrets.get(record.repository.id, address)?.password).toBe(`pw ${at}`)
  }
  await store.remove('job-3')
  expect(JSON.parse(readFileSync(join(folder, 'jobs.json'), 'utf8'))).toMatchObject({ version: 10, data: { repositories: [{}, {}, {}], jobs: [{}, {}, {}], copies: [] } })
  expect(new JobStore(join(folder, 'jobs.json'), () => 0).all).toHaveLength(3)
})

it('one job that cannot work any more takes no other with it', () => {
  const folder = write([{ type: 's3', bucket: 'bucket', prefix: 'a/../b', endpoint: 'https://host/path' }, { type: 'folder', path: '/backup' }])
  const store = new JobStore(join(folder, 'jobs.json'), () => 0)
  expect(store.movedTo).toBeUndefined()
  expect(store.all.map((one) => one.config.destination)).toEqual([
    { type: 'provider', provider: 's3', values: { bucket: 'bucket', prefix: 'a/../b', endpoint: 'https://host/path' } }, { type: 'folder', path: '/backup' },
  ])
})

it('a file that was never one of jobs is set aside as before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 1, data: [{ config: { destination: { type: 's3' } } }] }), { mode: 0o600 })
  expect(new JobStore(join(folder, 'jobs.json'), () => 0).movedTo).toMatch(/damaged/)
})

it('jobs of version 3 go on as they are: nobody has chosen what is kept, so nothing of theirs goes; the file is then of the newest version', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const { destination, ...terms } = config
  const data = { repositories: [{ id: 'r', destination, repositoryId: 'ab' }], jobs: [{ id: 'j', repository: 'r', config: terms, scheduledSinceMs: 5 }] }
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 3, data }), { mode: 0o600 })
  const store = new JobStore(join(folder, 'jobs.json'), () => 9)
  expect([store.movedTo, store.get('j').config]).toEqual([undefined, config])
  await store.update('j', { ...config, retention: { last: 2, budgetBytes: 5, withinMs: 9 } })
  expect(JSON.parse(readFileSync(join(folder, 'jobs.json'), 'utf8'))).toMatchObject({ version: 10, data: { copies: [], jobs: [{ scheduledSinceMs: 5, config: { retention: { last: 2, budgetBytes: 5, withinMs: 9 } } }] } })
  expect(new JobStore(join(folder, 'jobs.json'), () => 9).get('j').config.retention).toEqual({ last: 2, budgetBytes: 5, withinMs: 9 })
})

it('jobs of version 4 have no copies yet; those that they get are kept with them, and an older Holdfast leaves the file alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const path = join(folder, 'jobs.json')
  const { destination, ...terms } = config
  const retention = { last: 3 }
  const data = { repositories: [{ id: 'r', destination, repositoryId: 'ab' }], jobs: [{ id: 'j', repository: 'r', config: { ...terms, retention }, scheduledSinceMs: 5, host: 'desk' }] }
  writeFileSync(path, JSON.stringify({ version: 4, data }), { mode: 0o600 })
  const store = new JobStore(path, () => 9)
  expect([store.movedTo, store.get('j').config, store.copies.all]).toEqual([undefined, { ...config, retention }, []])
  const copy = await store.copies.add({ repository: 'r', destination: { type: 'folder', path: '/copy' }, removeVanished: true, addedMs: 9 })
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 10, data: { ...data, copies: [copy] } })
  expect(new JobStore(path, () => 9).copies.all).toEqual([copy])
})

it('a copy of a repository that is not there makes no job file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const copy = { id: 'c', repository: 'nobody', destination: { type: 'folder', path: '/copy' }, removeVanished: true, addedMs: 9 }
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 5, data: { repositories: [], jobs: [], copies: [copy] } }), { mode: 0o600 })
  expect(new JobStore(join(folder, 'jobs.json'), () => 9).movedTo).toMatch(/damaged/)
})

it('jobs of version 6 go on without conditions; those that they get are kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const path = join(folder, 'jobs.json')
  const { destination, ...terms } = config
  writeFileSync(path, JSON.stringify({ version: 6, data: { repositories: [{ id: 'r', destination }], jobs: [{ id: 'j', repository: 'r', config: terms, scheduledSinceMs: 5 }], copies: [] } }), { mode: 0o600 })
  const store = new JobStore(path, () => 9)
  expect([store.movedTo, store.get('j').config]).toEqual([undefined, config])
  const conditions = { mains: true, batteryAbove: 40, unmetered: true, idle: false, networks: { rule: 'never', names: ['Phone'] } } as const
  await store.update('j', { ...config, conditions })
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 10 })
  expect([new JobStore(path, () => 9).get('j').config.conditions, new JobStore(path, () => 9).get('j').scheduledSinceMs]).toEqual([conditions, 5])
})

it('jobs of version 5 go on with their schedules; other schedules make the file one that an older Holdfast leaves alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-jobs-'))
  const { destination, ...terms } = config
  const schedules = [{ type: 'manual' }, { type: 'hourly' }, { type: 'daily', at: '23:59' }] as const
  const jobs = schedules.map((schedule, at) => ({ id: `j${at}`, repository: 'r', config: { ...terms, name: `docs ${at}`, schedule }, scheduledSinceMs: 5 }))
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify({ version: 5, data: { repositories: [{ id: 'r', destination }], jobs, copies: [] } }), { mode: 0o600 })
  const store = new JobStore(join(folder, 'jobs.json'), () => 9)
  expect([store.movedTo, store.all.map((one) => one.config.schedule)]).toEqual([undefined, schedules])
  const more = [{ type: 'interval', minutes: 240 }, { type: 'times', days: [1, 7], at: ['09:00', '18:30'] }, { type: 'cron', expression: '30 9 * * 1-5' }] as const
  for (const [at, schedule] of more.entries()) await store.update(`j${at}`, { ...config, schedule })
  expect(JSON.parse(readFileSync(join(folder, 'jobs.json'), 'utf8'))).toMatchObject({ version: 10 })
  expect(new JobStore(join(folder, 'jobs.json'), () => 9).all.map((one) => [one.config.schedule, one.scheduledSinceMs])).toEqual(more.map((schedule) => [schedule, 9]))
})
