import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HeldJob, UnusualReason } from '../../../engine/protocol/changes.ts'
import type { SnapshotView } from '../../../main/api/contract.ts'
import { settle } from '../fakes.ts'
import { setUp, keyless, rejects } from '../jobs/handlers-world.ts'
import { openWorld } from '../jobs/world.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const reasons: readonly UnusualReason[] = [{ code: 'scrambled', files: 90, bytes: 9000, of: 100 }]
const held = (changes: Partial<HeldJob> = {}): HeldJob => ({ job: 'docs', host: hostname(), since: 'docs@3', reasons, words: 'As many as 90 of 100 files.', ...changes })

function snapshot(host: string, job: string, finishedMs: number): SnapshotView {
  return { id: `${job}@1`, job, revision: 1, host, sources: [], startedMs: finishedMs, finishedMs, files: 1, bytes: 1, problems: 0 }
}

type World = ReturnType<typeof openWorld>

async function backUp({ backups, last }: World, id: string, finish: Parameters<ReturnType<World['last']>['finish']>[0]): Promise<void> {
  backups.run(id, 'manual')
  last().ready()
  last().finish(finish)
  await settle()
}

/** Lets the watch look, and answers it. @returns whether it asked */
async function look({ watch, hosts, last }: World, snapshots: readonly SnapshotView[], found: readonly HeldJob[] = []): Promise<boolean> {
  const before = hosts.length
  watch.tick()
  await settle()
  if (hosts.length === before) return false
  last().ready()
  expect(last().got('query')).toMatchObject([{ query: { type: 'snapshots' } }])
  last().says({ type: 'answer', request: 1, answer: { type: 'snapshots', snapshots, missed: [], held: found } })
  last().exit('code 0')
  await settle()
  return true
}

async function withRepository(): Promise<World & { readonly id: string }> {
  const world = openWorld()
  const id = await world.add('docs')
  await world.learn(id, 'ab', undefined)
  return { ...world, id }
}

const holdOf = ({ watch, store }: World, id: string): unknown => watch.hold(store.get(id))

it('how far back a job goes is known from the last look on, of its own snapshots alone', async () => {
  const world = await withRepository()
  const oldest = (): unknown => world.watch.oldestMs(world.store.get(world.id))
  expect(oldest()).toBeUndefined()
  await world.timers.advance(20 * minuteMs)
  expect(await look(world, [snapshot(hostname(), 'docs', 500), snapshot(hostname(), 'docs', 300), snapshot(hostname(), 'mail', 100), snapshot('other', 'docs', 200)])).toBe(true)
  expect(oldest()).toBe(300)
  await world.timers.advance(2 * dayMs)
  expect(await look(world, [])).toBe(true)
  expect(oldest()).toBeUndefined()
})

describe('a job that is held', () => {
  it('is so from the run that was unusual on, also after a new start of the app, until somebody says that it is fine', async () => {
    const world = await withRepository()
    await backUp(world, world.id, { outcome: 'warnings', snapshot: 'docs@3', unusual: reasons })
    expect(holdOf(world, world.id)).toMatchObject({ since: 'docs@3', reasons })
    await backUp(world, world.id, { outcome: 'warnings', snapshot: 'docs@4', unusual: reasons })
    expect(holdOf(world, world.id)).toMatchObject({ since: 'docs@3' })
    await world.history.flush()
    // On the disk, when the app ends and starts again.
    await expect.poll(() => readFileSync(join(world.folder, 'watch.json'), 'utf8')).toContain('docs@3')
    const again = openWorld(world.folder)
    expect(holdOf(again, world.id)).toMatchObject({ since: 'docs@3', reasons })
    const said = again.watch.acknowledge(world.id)
    again.last().ready()
    expect(again.last().got('query')).toMatchObject([{ query: { type: 'acknowledge', job: 'docs', host: hostname() } }])
    again.last().says({ type: 'answer', request: 1, answer: { type: 'acknowledged', snapshots: ['docs@3', 'docs@4'] } })
    await said
    expect(holdOf(again, world.id)).toBeUndefined()
  })

  it('stays so where the storage cannot be told, and is asked for only when the person says so', async () => {
    const world = setUp()
    const { jobId } = await world.handlers['job.add']({ config: world.ask(), secrets: keyless })
    world.backups.run(jobId, 'manual')
    world.last().ready()
    world.last().finish({ outcome: 'warnings', snapshot: 'docs@1', unusual: reasons, repositoryId: 'ab' })
    await settle()
    world.person.saysYes = false
    await rejects(world.handlers['job.acknowledge']({ jobId }), { code: 'aborted', data: { declined: true } })
    expect(world.hosts).toHaveLength(1)
    world.person.saysYes = true
    const said = rejects(world.handlers['job.acknowledge']({ jobId }), { wire: { code: 'offline' } })
    await settle()
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'error', error: { code: 'offline', message: 'away', retryable: true } } })
    await said
    expect(world.asked.at(-1)).toMatchObject({ title: 'Is the unusual change in “docs” as it should be?', yes: 'It is fine, go on' })
    expect(world.watch.hold(world.store.get(jobId))).toMatchObject({ since: 'docs@1' })
  })

  it('is known from a look into the repository, and is free again when it was acknowledged elsewhere', async () => {
    const world = await withRepository()
    expect(await look(world, [])).toBe(false)
    await world.timers.advance(10 * minuteMs)
    expect(await look(world, [], [held(), held({ host: 'laptop' })])).toBe(true)
    expect(holdOf(world, world.id)).toMatchObject({ since: 'docs@3' })
    await world.timers.advance(dayMs - minuteMs)
    expect(await look(world, [])).toBe(false)
    await world.timers.advance(minuteMs)
    expect(await look(world, [], [held({ host: 'laptop' })])).toBe(true)
    expect(holdOf(world, world.id)).toBeUndefined()
  })

  it('of another machine is known from a look and from any listing, and released by name; the app’s own jobs are not others', async () => {
    const world = await withRepository()
    const others = (): readonly string[] => world.watch.holdsOfOthers(world.store.get(world.id)).map(({ job, host }) => `${host}/${job}`)
    await world.timers.advance(10 * minuteMs)
    const laptop = held({ host: 'laptop', sinceMs: 7 })
    expect(await look(world, [], [held(), laptop, held({ host: 'laptop', since: 'docs~0123456789ab@2' }), held({ job: 'music' })])).toBe(true)
    expect(others()).toEqual(['laptop/docs', `${hostname()}/music`])
    const late = world.watch.listing(world.id)
    world.watch.listing(world.id)([held({ host: 'attic' })])
    expect(others()).toEqual(['attic/docs'])
    expect(holdOf(world, world.id)).toBeUndefined()
    late([laptop])
    expect(others(), 'older than what is known').toEqual(['attic/docs'])
    world.watch.listing('nobody')([laptop])
    const said = world.watch.acknowledge(world.id, { job: 'docs', host: 'attic' })
    world.last().ready()
    expect(world.last().got('query')).toMatchObject([{ query: { type: 'acknowledge', job: 'docs', host: 'attic' } }])
    world.last().says({ type: 'answer', request: 1, answer: { type: 'acknowledged', snapshots: ['docs@3'] } })
    await said
    expect(others()).toEqual([])
  })

  it('of another machine is released for the window only where it is held, and when the person says so', async () => {
    const world = setUp()
    const { jobId } = await world.handlers['job.add']({ config: world.ask(), secrets: keyless })
    const of = { job: 'photos', host: 'attic' }
    await rejects(world.handlers['job.acknowledge']({ jobId, of }), { code: 'not-found' })
    expect(world.asked).toEqual([])
    const listed = Promise.resolve(world.handlers['browse.snapshots']({ place: { jobId } }))
    await settle()
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'snapshots', snapshots: [], missed: [], held: [held(of)] } })
    expect(await listed).toEqual({ snapshots: [], missed: [] })
    world.person.saysYes = false
    await rejects(world.handlers['job.acknowledge']({ jobId, of }), { code: 'aborted', data: { declined: true } })
    expect(world.asked).toMatchObject([{ title: 'Is the unusual change in “photos” of the computer “attic” as it should be?' }])
    expect(world.watch.holdsOfOthers(world.store.get(jobId))).toHaveLength(1)
  })

  it('is looked after at once when a run was not unusual any more: a disk that is back is fine by itself', async () => {
    const world = await withRepository()
    await backUp(world, world.id, { outcome: 'warnings', snapshot: 'docs@3', unusual: [{ code: 'source-changed', files: 1, bytes: 0, of: 1 }] })
    await backUp(world, world.id, { outcome: 'success', snapshot: 'docs@4' })
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'snapshots', snapshots: [], missed: [], held: [] } })
    await settle()
    expect(holdOf(world, world.id)).toBeUndefined()
  })
})

describe('what is late', () => {
  it('is told of a job of this machine by its own history, at most once a day, while the storage is away', async () => {
    const world = await withRepository()
    await backUp(world, world.id, { outcome: 'success' })
    await world.timers.advance(7 * dayMs)
    world.watch.tick()
    expect(world.shown.at(-1)).toEqual([])
    await world.timers.advance(dayMs)
    world.watch.tick()
    expect([world.shown.at(-1), world.announced]).toEqual([[{ job: 'docs', days: 8 }], [[{ job: 'docs', days: 8 }]]])
    await world.timers.advance(dayMs - minuteMs)
    world.watch.tick()
    expect(world.announced).toHaveLength(1)
    await world.timers.advance(minuteMs)
    world.watch.tick()
    expect(world.announced.slice(1)).toEqual([[{ job: 'docs', days: 9 }]])
    await backUp(world, world.id, { outcome: 'unchanged' })
    expect(world.shown.at(-1)).toEqual([])
  })

  it('is told of one that never ran, from when it was made', async () => {
    const world = await withRepository()
    await world.timers.advance(9 * dayMs)
    world.watch.tick()
    expect(world.announced).toEqual([[{ job: 'docs', days: 9 }]])
  })

  it('is told of every other machine in the repository, and not again once somebody has seen it, until something newer has come', async () => {
    const world = await withRepository()
    const { timers, shown, watch } = world
    const now = timers.now()
    await timers.advance(10 * minuteMs)
    await look(world, [snapshot('laptop', 'photos', now - 20 * dayMs), snapshot('desk', 'docs', now - 13 * dayMs), snapshot(hostname(), 'docs', now - 90 * dayMs)])
    watch.tick()
    expect(shown.at(-1)).toEqual([{ job: 'photos', host: 'laptop', days: 20 }])
    watch.silence()
    expect(shown.at(-1)).toEqual([])
    await timers.advance(2 * dayMs)
    await backUp(world, world.id, { outcome: 'success' })
    await look(world, [snapshot('laptop', 'photos', now - 20 * dayMs), snapshot('desk', 'docs', timers.now())])
    watch.tick()
    expect(shown.at(-1)).toEqual([])
    await timers.advance(dayMs)
    await look(world, [snapshot('laptop', 'photos', now - 19 * dayMs), snapshot('desk', 'docs', timers.now())])
    watch.tick()
    expect(shown.at(-1)).toEqual([{ job: 'photos', host: 'laptop', days: 22 }])
  })

  it('is looked for again an hour after the storage was away', async () => {
    const world = await withRepository()
    await world.timers.advance(10 * minuteMs)
    world.watch.tick()
    world.last().ready()
    world.last().says({ type: 'answer', request: 1, answer: { type: 'error', error: { code: 'offline', message: 'away', retryable: true } } })
    world.last().exit('code 0')
    await settle()
    await world.timers.advance(59 * minuteMs)
    expect(await look(world, [])).toBe(false)
    await world.timers.advance(minuteMs)
    expect(await look(world, [])).toBe(true)
  })
})
