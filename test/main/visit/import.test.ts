import { hostname, homedir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { writeMachineSettings, type PortableJob } from '../../../engine/protocol/machine-settings.ts'
import type { MachineRecord } from '../../../engine/protocol/messages.ts'
import type { DestinationInput } from '../../../main/api/contract.ts'
import { arrivalsOf, machineView } from '../../../main/visit/machines.ts'
import { settle } from '../fakes.ts'
import { keyless, rejects, setUp } from '../jobs/handlers-world.ts'

const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
const repositoryId = 'ab'.repeat(16)
const excludes = { patterns: ['*.tmp'], presets: ['caches'], oneFileSystem: true, largerThanBytes: 5 } as const
const photos: PortableJob = {
  name: 'photos', host: 'tower', sources: ['/home/anna/Pictures', '/srv/scans'], excludes, schedule: { type: 'times', days: [1, 3], at: ['08:00'] }, retention: { daily: 7 }, concurrency: 2, uploadBytesPerSecond: 9000,
  conditions: { mains: true, networks: { rule: 'never', names: ['Train'] } },
}
const mail: PortableJob = { name: 'mail', sources: ['/home/anna'], excludes, schedule: { type: 'manual' } }

function machine(jobs: readonly PortableJob[], changes: Partial<MachineRecord> = {}): MachineRecord {
  return { host: 'tower', user: 'anna', savedMs: 5, settings: writeMachineSettings({ home: '/home/anna', jobs }), ...changes }
}

const here = { home: '/home/bo', host: 'laptop', destination: { type: 'folder', path: '/mnt/disk/backup' }, names: [], concurrency: 4 } as const

describe('the jobs of another computer', () => {
  it('are those of this one: folders below its home are below this one’s, the rest stays', () => {
    expect(arrivalsOf(machine([photos, mail]), here)).toEqual([
      { name: 'mail', host: 'tower', config: { name: 'mail', sources: ['/home/bo'], excludes, schedule: { type: 'manual' }, concurrency: 4, destination: here.destination } },
      {
        name: 'photos', host: 'tower',
        config: { name: 'photos', sources: ['/home/bo/Pictures', '/srv/scans'], excludes, schedule: photos.schedule, retention: { daily: 7 }, concurrency: 2, uploadBytesPerSecond: 9000, conditions: photos.conditions, destination: here.destination },
      },
    ])
  })

  it.each([
    ['its name is taken', photos, { names: ['Photos'] }, 'taken'],
    ['its folder holds the backup', { ...photos, sources: ['/mnt'] }, {}, 'inside'],
    ['its paths are those of another system', { ...photos, sources: ['C:\\Users\\anna'] }, {}, 'unusable'],
    ['two folders are one here', { ...photos, sources: ['/home/anna/x', '/home/bo/x'] }, {}, 'unusable'],
    ['it has more uploads at a time than any job', { ...photos, concurrency: 33 }, {}, 'unusable'],
    ['its conditions are of a later version', { ...photos, conditions: { moon: 'full' } }, {}, 'unusable'],
    ['it keeps nothing', { ...photos, retention: { last: 100_000 } }, {}, 'unusable'],
  ] as const)('cannot be taken up where %s', (_name, job, changes, problem) => {
    expect(arrivalsOf(machine([job]), { ...here, ...changes })).toMatchObject([{ name: 'photos', problem }])
  })

  it('are shown with what is different here, and with what is not here', async () => {
    const view = await machineView('0', machine([photos]), here, (path) => Promise.resolve(path !== '/srv/scans'))
    expect(view).toEqual({
      id: '0', host: 'tower', user: 'anna', savedMs: 5, sameHost: false, home: { from: '/home/anna', to: '/home/bo' },
      jobs: [{ name: 'photos', schedule: photos.schedule, retention: { daily: 7 }, sources: [
        { there: '/home/anna/Pictures', here: '/home/bo/Pictures', exists: true }, { there: '/srv/scans', here: '/srv/scans', exists: false },
      ] }],
    })
    expect(await machineView('0', machine([], { settings: '{"version":2}', host: 'laptop' }), here, () => Promise.resolve(true))).toEqual({ id: '0', host: 'laptop', user: 'anna', savedMs: 5, sameHost: true })
  })
})

async function visiting(jobs: readonly PortableJob[] = [photos, mail]) {
  const world = setUp()
  const destination: DestinationInput = { type: 'folder', folder: world.chosen('destination', '/mnt/disk/backup') }
  const asked = Promise.resolve(world.handlers['visit.open']({ destination, secrets: { password: words } }))
  await settle()
  world.last().ready()
  world.last().says({ type: 'answer', request: 1, answer: { type: 'machines', repositoryId, machines: [machine(jobs)] } })
  const { visitId } = await asked
  const take = (names: readonly string[], replaces = false, machineId = '0') => Promise.resolve(world.handlers['visit.import']({ visitId, machineId, jobs: names, replaces }))
  return { ...world, visitId, take }
}

describe('an import', () => {
  it('makes jobs after a person has said yes, which go to that repository and no other with what opened it', async () => {
    const { take, asked, store, secrets, backups, last } = await visiting()
    const { jobIds } = await take(['photos', 'mail'])
    expect(asked).toEqual([{
      title: 'Make 2 jobs on this computer?', yes: 'Make the jobs',
      detail: [
        'Their backups go to /mnt/disk/backup, and what opens it is kept on this computer.', `photos: ${homedir()}/Pictures, /srv/scans`, `mail: ${homedir()}`,
        'photos: Older snapshots are removed; kept are: 7 daily',
      ].join('\n'),
    }])
    expect(store.all.map(({ id }) => id)).toEqual(jobIds)
    expect(store.all).toMatchObject([
      { host: hostname(), config: { name: 'photos', sources: [`${homedir()}/Pictures`, '/srv/scans'], schedule: photos.schedule, excludes, retention: { daily: 7 } }, repository: { repositoryId, destination: { path: '/mnt/disk/backup' } } },
      { host: hostname(), config: { name: 'mail' } },
    ])
    expect(new Set(store.all.map(({ repository }) => repository.id)).size).toBe(1)
    expect(secrets.get(store.all[0]?.repository.id ?? '', 'file:///mnt/disk/backup')).toEqual({ password: words, storage: {} })
    backups.run(jobIds[0] ?? '', 'manual')
    last().ready()
    // None is made at the address where it is gone, and no other one is taken.
    expect(last().got('start')[0]).toMatchObject({ job: { type: 'backup', expectRepositoryId: repositoryId, machineSettings: expect.stringContaining('"mail"') as unknown }, secrets: { password: words } })
    expect(last().got('start')[0]).not.toHaveProperty('job.create')
  })

  it('goes on as the other computer where this one takes its place; so does what is added to that repository later', async () => {
    const { take, asked, store } = await visiting()
    await take(['photos'], true)
    expect(asked[0]?.detail).toContain('This computer takes the place of tower, which should not back up there any more.')
    expect(store.all.map(({ host }) => host)).toEqual(['tower'])
    const [{ config, repository } = { config: undefined, repository: undefined }] = store.all
    if (!config) throw new Error('no job')
    expect((await store.add({ ...config, name: 'later' }, repository.id)).host).toBe('tower')
    expect((await store.add({ ...config, name: 'elsewhere' })).host).toBe(hostname())
  })

  it('makes nothing where a person says no, the visit has ended, or one of the jobs cannot be', async () => {
    const { take, person, store, secrets, handlers, visits, ask, visitId } = await visiting([photos, mail, { ...mail, name: 'all', sources: ['/'] }])
    person.saysYes = false
    await rejects(take(['photos']), { code: 'aborted' })
    person.saysYes = true
    await rejects(take(['photos', 'other']), { code: 'not-found' })
    await rejects(take(['photos'], false, '1'), { code: 'not-found' })
    await rejects(take(['photos', 'all']), { code: 'arguments', data: { reason: 'inside' } })
    await handlers['job.add']({ config: ask({ name: 'MAIL' }), secrets: keyless })
    await rejects(take(['photos', 'mail']), { code: 'exists' })
    expect(await handlers['visit.machines']({ visitId })).toMatchObject([{ jobs: [{ name: 'all', problem: 'inside' }, { name: 'mail', problem: 'taken' }, { name: 'photos' }] }])
    visits.end()
    await rejects(take(['photos']), { code: 'not-found' })
    expect(store.all.map(({ config }) => config.name)).toEqual(['MAIL'])
    expect(store.repositories.all).toHaveLength(1)
    expect(secrets.has(visitId).password).toBe(false)
  })
})
