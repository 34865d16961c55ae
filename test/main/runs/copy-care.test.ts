import { describe, expect, it } from 'vitest'
import type { CareDetails } from '../../../engine/protocol/care.ts'
import { copyHandlers } from '../../../main/jobs/copy-handlers.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { announceCare } from '../../../main/system/announcements.ts'
import { settle, type FakeHost } from '../fakes.ts'
import { openWorld } from '../jobs/world.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const place = { type: 'folder', path: '/copy' } as const
const synced = { plan: [{ skipped: { held: 1, own: 0 } }], done: [] }
const details: CareDetails = {
  forgotten: [], prune: 'done', deletedPacks: 3, freedBytes: 1_200_000, structure: 'done', snapshots: 2, damageCount: 1, affectedCount: 1,
  drill: 'passed', drilledFiles: 25, drilledBytes: 900, verifiedPacks: 4, verifiedBytes: 77, packs: 4, unreadPacks: 0, oldestVerifiedMs: 5, left: { bytes: 1, ms: 1 },
}
type World = ReturnType<typeof openWorld>

/** A job of which nobody has said what is kept, and a copy of its repository that was added a day ago; the app has run for a while. */
async function withCopy(): Promise<World & { readonly id: string; readonly copyId: string; readonly sync: (changes?: Parameters<FakeHost['finish']>[0]) => Promise<void> }> {
  const world = openWorld()
  const id = await world.add('docs')
  await world.learn(id, 'ab', undefined)
  const { id: copyId } = await world.store.copies.add({ repository: world.repositoryOf(id), destination: place, removeVanished: true, addedMs: world.timers.now() })
  await world.secrets.set(copyId, repositoryUrl(place), { password: 'of the copy', storage: {} })
  await world.timers.advance(dayMs)
  const sync = async (changes: Parameters<FakeHost['finish']>[0] = {}): Promise<void> => {
    world.copies.run(copyId)
    world.last().ready()
    world.last().finish({ operation: 'sync', details: synced, repositoryId: 'cd', ...changes })
    await settle()
  }
  return { ...world, id, copyId, sync }
}

describe('a copy', () => {
  it('that is whole is looked after once a day, with its own secrets, and nothing is forgotten there but what a sync forgets', async () => {
    const { care, copyId, hosts, last, sync, timers, store, id, cared, history } = await withCopy()
    care.tick()
    expect([hosts.length, care.viewOfCopy(copyId)]).toEqual([0, undefined])
    await sync()
    await timers.advance(10 * minuteMs - 1)
    care.tick()
    expect(hosts).toHaveLength(1)
    expect(care.viewOfCopy(copyId)).toMatchObject({ running: false, waits: { wait: { type: 'quiet' } } })
    await timers.advance(1)
    care.tick()
    care.tick()
    expect(hosts).toHaveLength(2)
    last().ready()
    const [start] = last().got('start')
    expect(start).toMatchObject({ job: { type: 'care', repository: 'file:///copy', retention: [], expectRepositoryId: 'cd' }, secrets: { password: 'of the copy' } })
    expect(start).not.toHaveProperty('job.acceptOtherRepository')
    last().finish({ operation: 'care', details, repositoryId: 'cd' })
    await settle()
    expect(care.viewOfCopy(copyId)).toMatchObject({ running: false, lastRun: { operation: 'care', care: { freedBytes: 1_200_000 } }, waits: { wait: { type: 'schedule' } } })
    expect([care.view(store.get(id)), history.last(id), store.get(id).repository.known]).toEqual([undefined, undefined, undefined])
    expect(cared.map(({ run, before, copy }) => [copy?.id, announceCare(run, before, { copyOf: 'docs' }, 'all')?.title])).toEqual([[copyId, 'Copy of docs: its backup is damaged']])
    await timers.advance(dayMs - 11 * minuteMs)
    care.tick()
    expect(hosts).toHaveLength(2)
  })

  it('whose place is away, or that is being copied to, is not looked after', async () => {
    const { care, copies, copyId, hosts, last, sync, timers } = await withCopy()
    await sync()
    await timers.advance(10 * minuteMs)
    copies.run(copyId)
    last().ready()
    care.tick()
    expect([hosts.length, care.viewOfCopy(copyId)?.waits?.wait]).toEqual([2, { type: 'quiet' }])
    last().says({ type: 'failed', error: { code: 'offline', message: '', retryable: true } })
    last().exit('code 1')
    await settle()
    await timers.advance(dayMs)
    care.tick()
    expect([hosts.length, care.viewOfCopy(copyId)]).toEqual([2, undefined])
  })

  it('that is removed ends its care, and its history goes', async () => {
    const world = await withCopy()
    const { care, copyId, last, sync, timers, id, history } = world
    await sync()
    await timers.advance(10 * minuteMs)
    care.tick()
    last().ready()
    last().says({ type: 'problem', problem: { code: 'damaged', path: 'packs/x', message: 'damaged' } })
    last().finish({ operation: 'care', details, repositoryId: 'cd', problems: 1 })
    await settle()
    const run = care.viewOfCopy(copyId)?.lastRun
    expect(await care.problems(id, run?.id ?? '')).toMatchObject([{ path: 'packs/x' }])
    await timers.advance(2 * dayMs)
    care.tick()
    const second = last()
    second.ready()
    const removing = copyHandlers({ ...world, ask: async () => undefined, onChange: () => undefined })['copy.remove']({ copyId })
    await settle()
    expect(second.got('stop')).toEqual([{ type: 'stop', mode: 'cancel' }])
    second.says({ type: 'failed', error: { code: 'aborted', message: '', retryable: false } })
    second.exit('code 1')
    await removing
    expect([world.store.copies.all, history.last(`care-${copyId}`), care.viewOfCopy(copyId)]).toEqual([[], undefined, undefined])
  })
})
