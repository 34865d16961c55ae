import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { protectionOf } from '../../../main/api/protection.ts'
import type { AttachedDrives, Drive } from '../../../main/system/drives.ts'
import { announceAwayDisks, announceSafe } from '../../../main/system/disk-announcements.ts'
import { announceOverdue } from '../../../main/system/announcements.ts'
import { declined } from '../../../main/authority/ask.ts'
import type { Question } from '../../../main/authority/questions.ts'
import { rotationHandlers } from '../../../main/jobs/rotation-handlers.ts'
import { settle } from '../fakes.ts'
import { rejects, setUp as setUpHandlers } from '../jobs/handlers-world.ts'
import { config, openWorld } from '../jobs/world.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A drive that is mounted at a folder. */
function drive(id: string, name: string, mount: string, change: Partial<Drive> = {}): Drive {
  return { id, name, mount, root: '/', seen: [{ root: '/', point: mount }], readOnly: false, removable: true, system: false, ...change }
}

function attachedOf(...all: readonly Drive[]): AttachedDrives {
  return {
    all,
    of: async (path) => {
      const found = all.find(({ mount }) => path === mount || path.startsWith(`${mount}/`))
      return found && { drive: found, folder: path.slice(found.mount.length) || '/' }
    },
  }
}

const blue = drive('5A2B-11C0', 'Blaue Platte é', '/media/mia/Blaue Platte é')
const red = drive('77-red', 'Red', '/media/mia/Red')
const place = { type: 'folder', path: '/media/mia/Blaue Platte é/Holdfast' } as const

/** A job that goes to the blue disk, with the schedule of every hour. */
async function onBlue(...plugged: readonly Drive[]) {
  const world = openWorld()
  const plug = async (...drives: readonly Drive[]): Promise<void> => {
    world.attached.value = attachedOf(...drives)
    await world.disks.look()
    world.queue.pump()
    world.backups.tick()
    await settle()
  }
  await plug(...(plugged.length > 0 ? plugged : [blue]))
  const id = await world.add('photos', { destination: place, schedule: { type: 'interval', minutes: 60 } })
  await world.disks.look()
  const record = () => world.store.get(id)
  const waits = () => world.backups.wait(record())
  const finish = async (repositoryId = 'ab'): Promise<void> => {
    world.last().ready()
    world.last().finish({ repositoryId })
    await settle()
    await world.disks.look()
  }
  const backUp = async (repositoryId?: string): Promise<void> => {
    world.backups.run(id, 'manual')
    await finish(repositoryId)
  }
  return { ...world, id, record, waits, plug, finish, backUp }
}

describe('the disk of a job', () => {
  it('is known as soon as the job is made, and what is on the system’s own disk has none', async () => {
    const { record, disks } = await onBlue()
    expect(record().repository.disk).toMatchObject({ id: '5A2B-11C0', name: 'Blaue Platte é', folder: '/Holdfast', removable: true })
    expect(disks.view(record())).toEqual([{ id: '5A2B-11C0', name: 'Blaue Platte é', current: true, present: true, seenMs: expect.any(Number) as number, safe: false }])
    const own = await onBlue({ ...blue, system: true })
    expect([own.record().repository.disk, own.disks.view(own.record()), own.waits()?.wait.type]).toEqual([undefined, [], 'schedule'])
  })

  it('is learned of a job of before only when a backup has shown that its repository is there', async () => {
    const world = openWorld()
    world.attached.value = attachedOf(blue)
    const id = await world.add('old', { destination: place })
    await world.learn(id, 'ab', undefined)
    await world.disks.look()
    expect(world.store.get(id).repository.disk).toBeUndefined()
    world.backups.run(id, 'manual')
    world.last().ready()
    world.last().finish({ repositoryId: 'ab' })
    await settle()
    await expect.poll(() => world.store.get(id).repository.disk).toMatchObject({ id: '5A2B-11C0', completeMs: expect.any(Number) as number })
  })

  it('is waited for, also by who asks for a backup by hand, whatever is at its path; nothing starts and nothing has failed', async () => {
    const { plug, timers, hosts, waits, backups, id, history, counts } = await onBlue()
    // The folder of the mount is there still, on the disk of the system.
    await plug(drive('root', 'root', '/', { system: true, removable: false }))
    timers.time += 2 * hourMs
    backups.tick()
    expect(waits()).toEqual({ wait: { type: 'disk', names: ['Blaue Platte é'] } })
    backups.run(id, 'manual')
    expect([backups.of(id)?.state, waits()?.wait.type]).toEqual(['queued', 'disk'])
    // Another disk takes its mount point.
    await plug(drive('other', 'Blaue Platte é', blue.mount))
    expect([backups.of(id)?.state, hosts.length, history.last(id)]).toEqual(['queued', 0, undefined])
    const before = counts.change
    await plug(blue)
    expect([backups.of(id)?.state, hosts.length, counts.change > before]).toEqual(['running', 1, true])
  })

  it('starts what is due when it comes, and what is not due stays', async () => {
    const { plug, timers, hosts, backUp, waits } = await onBlue()
    await backUp()
    await plug()
    await plug(blue)
    expect([hosts.length, waits()?.wait.type]).toEqual([1, 'schedule'])
    await plug()
    timers.time += 61 * 60_000
    await plug()
    expect([hosts.length, waits()?.wait.type]).toEqual([1, 'disk'])
    await plug(blue)
    expect(hosts).toHaveLength(2)
  })

  it('is found where it is mounted now, with its password', async () => {
    const { plug, record, backUp, secrets, last, hosts, folder } = await onBlue()
    await backUp()
    await plug(drive('other', 'Blaue Platte é', blue.mount), { ...blue, mount: '/media/mia/Blaue Platte é1', seen: [{ root: '/', point: '/media/mia/Blaue Platte é1' }] })
    const { id, destination } = record().repository
    expect(destination).toEqual({ type: 'folder', path: '/media/mia/Blaue Platte é1/Holdfast' })
    expect(secrets.get(id, 'file:///media/mia/Blaue%20Platte%20%C3%A91/Holdfast')).toEqual({ password: 'pw', storage: {} })
    await backUp()
    expect([hosts.length, last().commands.find(({ type }) => type === 'start')]).toMatchObject([2, { job: { repository: 'file:///media/mia/Blaue%20Platte%20%C3%A91/Holdfast', expectRepositoryId: 'ab' } }])
    expect(openWorld(folder).store.all[0]?.repository.disk).toMatchObject({ id: '5A2B-11C0', folder: '/Holdfast' })
  })

  it('is found again after the app ended between its two writes', async () => {
    const { plug, record, secrets } = await onBlue()
    const moved = { ...blue, mount: '/mnt/b', seen: [{ root: '/', point: '/mnt/b' }] }
    await secrets.set(record().repository.id, 'file:///mnt/b/Holdfast', { password: 'pw', storage: {} })
    await plug(moved)
    expect(record().config.destination).toEqual({ type: 'folder', path: '/mnt/b/Holdfast' })
    expect(secrets.get(record().repository.id, 'file:///mnt/b/Holdfast')?.password).toBe('pw')
  })

  it('that moves while a backup goes on is followed afterwards', async () => {
    const { plug, record, backups, id, finish } = await onBlue()
    backups.run(id, 'manual')
    await plug({ ...blue, mount: '/mnt/b', seen: [{ root: '/', point: '/mnt/b' }] })
    expect(record().config.destination).toEqual(place)
    await finish()
    await expect.poll(() => record().config.destination).toEqual({ type: 'folder', path: '/mnt/b/Holdfast' })
  })

  it('says when it was there last, and is not written down at each look', async () => {
    const { plug, timers, record, disks, folder } = await onBlue()
    const [start, file] = [timers.now(), readFileSync(join(folder, 'jobs.json'), 'utf8')]
    timers.time += hourMs
    await plug(blue)
    expect(readFileSync(join(folder, 'jobs.json'), 'utf8')).toBe(file)
    timers.time += 9 * dayMs
    await plug(blue)
    timers.time += hourMs
    await plug()
    timers.time += 9 * dayMs
    await plug()
    expect(disks.view(record())).toMatchObject([{ present: false, seenMs: start + 9 * dayMs + 2 * hourMs }])
  })

  it('before the first look nothing runs', async () => {
    const { folder } = await onBlue()
    const again = openWorld(folder)
    expect(again.backups.wait(again.store.all[0] as never)?.wait.type).toBe('schedule')
    again.timers.time += 2 * hourMs
    again.backups.tick()
    expect([again.backups.wait(again.store.all[0] as never)?.wait.type, again.hosts.length]).toEqual(['disk', 0])
  })
})

describe('a disk that may be unplugged', () => {
  it('is told so once all is written, after the first backup since it came, and shown so while nothing works on it', async () => {
    const { plug, backUp, backups, disks, record, id, safe, flushed, last } = await onBlue(red)
    await plug(blue)
    await disks.look()
    expect(disks.view(record())).toMatchObject([{ safe: false }])
    await backUp()
    await expect.poll(() => disks.view(record())).toMatchObject([{ safe: true, completeMs: expect.any(Number) as number }])
    expect([safe, flushed]).toEqual([[blue.name], [blue.mount]])
    backups.run(id, 'manual')
    expect(disks.view(record())).toMatchObject([{ safe: false }])
    last().ready()
    last().finish({ repositoryId: 'ab' })
    await settle()
    await expect.poll(() => disks.view(record())).toMatchObject([{ safe: true }])
    // It stayed plugged in: nobody waits to take it away.
    expect(safe).toHaveLength(1)
    await plug()
    expect(disks.view(record())).toMatchObject([{ present: false, safe: false }])
  })

  it('is not told of where it is none', async () => {
    const { plug, backUp, disks, record, safe } = await onBlue(red)
    await plug({ ...blue, removable: false })
    await disks.look()
    await backUp()
    expect([disks.view(record()), safe]).toMatchObject([[{ safe: false }], []])
  })
})

/** The handlers of disks, with what is plugged in. */
async function withHandlers(saysYes = true) {
  const world = await onBlue()
  const asked: Question[] = []
  const drives = async () => world.attached.value.all.map((one) => ({ ...one, freeBytes: 5, totalBytes: 9 }))
  const handlers = rotationHandlers({ ...world, drives, onChange: () => undefined, ask: async (question) => { asked.push(question); if (!saysYes) throw declined() } })
  return { ...world, asked, handlers }
}

describe('disks that take turns', () => {
  it('each have a repository of their own, which the same password opens; the one that is there counts', async () => {
    const { handlers, asked, plug, id, record, disks, backUp, finish, backups, last, secrets, hosts, timers, folder } = await withHandlers()
    await backUp('aa')
    await plug(blue, red)
    await handlers['disk.add']({ jobId: id, id: red.id })
    expect(asked.map(({ title }) => title)).toEqual(['Let “Red” take turns for photos?'])
    // As long as the first is there nothing changes.
    expect([record().config.destination, record().repository.repositoryId, hosts.length]).toEqual([place, 'aa', 1])
    timers.time += 5 * 60_000
    await plug(red)
    // It has nothing yet, so its first backup begins at once, and makes a repository.
    expect([backups.of(id)?.state, hosts.length]).toEqual(['running', 2])
    await finish('bb')
    expect(last().commands.find(({ type }) => type === 'start')).toMatchObject({ job: { repository: 'file:///media/mia/Red/Holdfast', create: true } })
    await expect.poll(() => record().repository).toMatchObject({ repositoryId: 'bb', disk: { id: red.id, completeMs: expect.any(Number) as number }, rotation: [{ repositoryId: 'aa', disk: { id: blue.id, completeMs: expect.any(Number) as number } }] })
    expect(disks.view(record())).toMatchObject([{ name: 'Red', current: true, present: true }, { name: blue.name, current: false, present: false }])
    // Changed again before it is due for the other one.
    timers.time += 10 * 60_000
    await plug(blue)
    expect([record().repository.repositoryId, hosts.length, secrets.get(record().repository.id, 'file:///media/mia/Blaue%20Platte%20%C3%A9/Holdfast')?.password]).toEqual(['aa', 2, 'pw'])
    await plug()
    expect([disks.awaited(record().repository)]).toEqual([[blue.name, 'Red']])
    timers.time += 2 * hourMs
    await plug(red)
    expect([record().repository.repositoryId, hosts.length]).toEqual(['bb', 3])
    await finish('bb')
    // The one after it looks at what is there.
    expect(hosts[2]?.commands.find(({ type }) => type === 'start')).toMatchObject({ job: { expectRepositoryId: 'bb' } })
    expect(openWorld(folder).store.get(id).repository.rotation).toMatchObject([{ repositoryId: 'aa', destination: place }])
  })

  it('start nothing again and again, also where a backup fails', async () => {
    const { handlers, plug, id, backUp, last, hosts, timers, history } = await withHandlers()
    await backUp('aa')
    await plug(blue, red)
    await handlers['disk.add']({ jobId: id, id: red.id })
    timers.time += 5 * 60_000
    await plug(red)
    last().ready()
    last().says({ type: 'failed', error: { code: 'password', message: '', retryable: false } })
    last().exit('code 1')
    await expect.poll(() => history.last(id)?.outcome).toBe('failed')
    await plug(red)
    await plug(red)
    expect(hosts).toHaveLength(2)
  })

  it('are added only with a yes, once, while they are there, and not beside copies', async () => {
    const { handlers, plug, id, record, store } = await withHandlers(false)
    await plug(blue, red)
    await rejects(handlers['disk.add']({ jobId: id, id: red.id }), { code: 'aborted' })
    await rejects(handlers['disk.add']({ jobId: id, id: blue.id }), { code: 'exists' })
    await rejects(handlers['disk.add']({ jobId: id, id: 'gone' }), { code: 'not-found' })
    await rejects(handlers['disk.remove']({ jobId: id, id: blue.id }), { code: 'arguments', data: { reason: 'only-disk' } })
    await store.copies.add({ repository: record().repository.id, destination: { type: 'folder', path: '/c' }, removeVanished: true, addedMs: 0 })
    await rejects(handlers['disk.add']({ jobId: id, id: red.id }), { code: 'unsupported', data: { reason: 'has-copies' } })
    expect(record().repository.rotation).toBeUndefined()
  })

  it('are forgotten one by one, also the one whose turn it is; what is on them stays known for the other', async () => {
    const { handlers, plug, id, record, backUp, secrets } = await withHandlers()
    await backUp('aa')
    await plug(blue, red)
    await handlers['disk.add']({ jobId: id, id: red.id })
    await handlers['disk.remove']({ jobId: id, id: blue.id })
    expect(record().repository).toMatchObject({ disk: { id: red.id }, destination: { path: '/media/mia/Red/Holdfast' } })
    expect([record().repository.rotation, record().repository.repositoryId, secrets.get(record().repository.id, 'file:///media/mia/Red/Holdfast')?.password]).toEqual([undefined, undefined, 'pw'])
    await rejects(handlers['disk.remove']({ jobId: id, id: red.id }), { code: 'arguments' })
  })
})

describe('handlers', () => {
  it('a job goes to another disk at the same path once somebody chooses that there, and to no other by a change of something else', async () => {
    const { handlers, attached, ask, shown, store, disks } = setUpHandlers()
    attached.value = attachedOf(drive('1-b', 'Backup', '/backup'))
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: { password: 'pw' } })
    attached.value = attachedOf(drive('2-c', 'Backup', '/backup'))
    await disks.look()
    await handlers['job.update']({ jobId, config: { ...shown(jobId), concurrency: 2 }, secrets: {} })
    expect(store.get(jobId).repository.disk?.id).toBe('1-b')
    await rejects(handlers['job.update']({ jobId, config: ask(), secrets: {} }), { code: 'arguments', data: { reason: 'moved' } })
    await handlers['job.update']({ jobId, config: ask(), secrets: { password: 'pw' } })
    expect(store.get(jobId).repository).toMatchObject({ destination: { path: '/backup' }, disk: { id: '2-c' } })
    expect(disks.awaited(store.get(jobId).repository)).toBeUndefined()
  })

  it('a backup whose disks take turns gets no copies', async () => {
    const { handlers, attached, ask, chosen, store, disks } = setUpHandlers()
    attached.value = attachedOf(drive('1-b', 'Backup', '/backup'), red)
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: { password: 'pw' } })
    await disks.add(store.get(jobId).repository.id, red, '/Holdfast', '/media/mia/Red/Holdfast')
    const copy = { jobId, destination: { type: 'folder', folder: chosen('destination', '/copy') }, secrets: { password: 'pw' }, removeVanished: true } as const
    await rejects(handlers['copy.add'](copy), { code: 'unsupported', data: { reason: 'rotates' } })
  })

  it('a job that is made knows its disk at once', async () => {
    const { handlers, attached, ask, store } = setUpHandlers()
    attached.value = attachedOf(drive('1-b', 'Backup', '/backup'))
    const { jobId } = await handlers['job.add']({ config: ask(), secrets: { password: 'pw' } })
    expect(store.get(jobId).repository.disk).toMatchObject({ id: '1-b', folder: '/' })
  })
})

describe('words', () => {
  it('ask kindly for the disk of a backup that is due for more than a day', async () => {
    const { plug, backups, timers, backUp } = await onBlue()
    await backUp()
    await plug()
    timers.time += 24 * hourMs
    expect(backups.overdue(dayMs)).toEqual([])
    timers.time += 2 * dayMs
    const overdue = backups.overdue(dayMs)
    expect(announceOverdue(overdue, 'failures')).toMatchObject({ title: 'Plug in Blaue Platte é', body: 'photos: the last backup was 3 days ago.', urgent: false })
    const other = { jobId: 'x', name: 'mail', wait: { type: 'disk', names: ['Red', 'Green'] } } as const
    expect(announceAwayDisks([...overdue, other])).toMatchObject({ title: '2 disks are waited for', body: 'photos: the last backup was 3 days ago. mail: no backup so far.', route: { page: 'jobs' } })
    expect(announceAwayDisks([other])).toMatchObject({ title: 'Plug in Red or Green', route: { page: 'job', jobId: 'x' } })
    expect([announceOverdue(overdue, 'none'), announceSafe({ disk: 'Red', jobId: 'x', jobName: 'mail' }, 'failures')]).toEqual([undefined, undefined])
    expect(announceSafe({ disk: 'Red\u202e', jobId: 'x', jobName: 'mail' }, 'all')).toMatchObject({ title: 'You can unplug Red\\u202e', body: 'mail is backed up, and everything is written to the disk.' })
  })

  it('what broke off as its disk was unplugged has not failed: it waits', () => {
    const lastRun = { outcome: 'failed', error: { code: 'offline', message: '', retryable: true } } as never
    const view = { config: { ...config, name: 'photos' }, secrets: { password: true, storage: false }, copies: [], recent: [], lateFromMs: 100, completeMs: 5, lastRun } as never as Parameters<typeof protectionOf>[0]['jobs'][number]
    const concerns = (job: typeof view, nowMs: number) => protectionOf({ jobs: [job], notices: [] }, nowMs).concerns.map(({ what, severity }) => [what.type, severity])
    const waiting = { ...view, waits: { wait: { type: 'disk', names: ['Red'] } } } as const
    expect(concerns(view, 50)).toEqual([['failed', 'bad']])
    expect(concerns(waiting, 50)).toEqual([['disk', 'note']])
    const whole = { ...waiting, lastRun: { outcome: 'success' } as never }
    expect([concerns(whole, 50), concerns(whole, 500)]).toEqual([[], [['disk', 'note']]])
  })
})
