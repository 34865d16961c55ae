import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { snapshotName } from '../../../../engine/repository/protocol/names.ts'
import { openSession } from '../../../../engine/repository/protocol/session.ts'
import { backup, forget, openAndDie, prune } from '../../../model/actors.ts'
import { committed, lostBlob } from '../../../model/invariants.ts'
import { chunk, closure, idHex, jobKey, makePack, nowMs, randomOf, repositoryOn, stillClock, tagOf, tree } from '../../../model/repository.ts'
import { packed, snapshotted, unusedAndLive } from '../../../model/scenarios.ts'
import { Run } from '../../../model/scheduler.ts'
import type { Fault } from '../../../model/world.ts'
import { aloneOn, soloProblem } from '../../../model/solo.ts'
import { ModelStore } from '../../../model/store.ts'

const never = new AbortController().signal

function storeWith(prepare: (store: ModelStore) => void = () => undefined): ModelStore {
  const store = new ModelStore(tagOf)
  prepare(store)
  return store
}

/** Serves the whole world in order of its actors; one request gets the fault, or its actor dies there. @returns the number of requests. */
async function serveInOrder(run: Run, at: number, what: Fault | 'death'): Promise<number> {
  let served = 0
  for (let [choice] = run.choices(); choice; [choice] = run.choices()) {
    const changes = choice.request.operation !== 'list' && choice.request.operation !== 'stat' && choice.request.operation !== 'get'
    if (served === at && what === 'death') run.crash(choice.request.actor)
    else await run.serve({ request: choice.request, fault: served === at && what !== 'death' && (changes && what === 'lost' || choice.request.operation === 'create') ? what : 'none' })
    served++
  }
  return served
}

describe('T1, T2: every request of backup, forget, repack, prune and consolidation', () => {
  for (const what of ['death', 'lost', 'conflict'] as const) {
    it(`survives ${what} at any of them`, { timeout: 60_000 }, async () => {
      const total = await serveInOrder(await new Run(unusedAndLive).start(), -1, 'none')
      expect(total).toBeGreaterThan(30)
      for (let at = 0; at < total; at++) {
        const run = await new Run(unusedAndLive).start()
        await serveInOrder(run, at, what)
        run.checkEnd()
        await run.checkSolo()
      }
    })
  }
})

describe('T3, T4: sessions of one job', () => {
  it('two backups that overlap end with two revisions', async () => {
    const store = storeWith()
    const [first, second] = await Promise.all(['B', 'C'].map((name) => backup(aloneOn(store), name, { job: 'j', need: 'a' }, 'cas')))
    expect([first?.ref.revision, second?.ref.revision].sort()).toEqual([1, 2])
  })

  for (const arbiter of ['cas', 'flags'] as const) {
    it(`${arbiter}: a backup that is expired again and again opens new sessions, sends nothing twice, and gives up after five`, async () => {
      const store = storeWith((each) => { packed(each, '1', ['t:a']); snapshotted(each, 'k', 1, 'a', arbiter) })
      let expiries = 0
      const expiring = (times: number): StorageBackend => {
        const backend = aloneOn(store)
        return { ...backend, put: async (...put) => {
          if (put[0].startsWith('snapshots/') && expiries < times) {
            expiries++
            await prune(aloneOn(store), `P${expiries}`, { options: { minimumAgeMs: Infinity } }, arbiter)
          }
          return backend.put(...put)
        } }
      }
      const outcome = await backup(expiring(2), 'B', { job: 'j', need: 'a' }, arbiter)
      expect(outcome).toMatchObject({ sessions: 3, uploadedBlobs: [idHex(chunk('a').id)] })
      expiries = -1000
      await expect(backup(expiring(5), 'C', { job: 'j', need: 'a' }, arbiter)).rejects.toMatchObject({ code: 'expired' })
    })
  }
})

describe('T6, T7: records of packs that are needed', () => {
  it('copies what is needed out of packs that a late record names', async () => {
    const store = storeWith((each) => { packed(each, '1', ['t:a', 'a', 'b']); snapshotted(each, 'j', 1, 'a') })
    const change = (plan: Awaited<ReturnType<typeof import('../../../../engine/repository/protocol/prune-prepare.ts')['planPrune']>>): typeof plan =>
      ({ ...plan, retire: [{ name: '1'.padStart(32, '0'), reason: 'unreferenced', size: 1, copiedBytes: 0 }] })
    const result = await prune(aloneOn(store), 'G', { change }, 'cas')
    expect(result).toMatchObject({ outcome: 'complete', deletedPacks: 1 })
    expect(lostBlob(store)).toBeUndefined()
    expect(store.names('packs/')).not.toContain(`packs/00/${'1'.padStart(32, '0')}`)
  })

  it('collects the duplicate that a crash between copy and record leaves', async () => {
    const store = storeWith((each) => { packed(each, '1', ['t:a', 'a']); packed(each, '2', ['t:a', 'a']); snapshotted(each, 'j', 1, 'a') })
    await prune(aloneOn(store), 'G', {}, 'cas')
    expect(store.names('packs/')).toEqual([`packs/00/${'1'.padStart(32, '0')}`])
  })
})

describe('T8: rule R9', () => {
  const damage: Readonly<Record<string, (store: ModelStore) => void>> = {
    'a manifest that is damaged': (store) => { store.put(store.names('snapshots/')[0] ?? '', new Uint8Array(50), false, nowMs) },
    'a manifest of another version': (store) => { spoilVersion(store, store.names('snapshots/')[0] ?? '') },
    'a retire record that is damaged': (store) => { store.put(`gc/${'a'.repeat(32)}`, new Uint8Array(50), false, nowMs) },
    'a session of another version': (store) => { spoilVersion(store, store.names('intents/')[0] ?? '') },
    'a snapshot whose name is unknown': (store) => { store.put('snapshots/strange', new Uint8Array(50), false, nowMs) },
    'a tree that is missing': (store) => { store.remove(`packs/00/${'2'.padStart(32, '0')}`) },
  }
  for (const [what, spoil] of Object.entries(damage)) {
    it(`deletes nothing beside ${what}`, async () => {
      const store = storeWith((each) => { packed(each, '1', ['c']); packed(each, '2', ['t:a']); packed(each, '3', ['a']); snapshotted(each, 'j', 1, 'a') })
      await openAndDie(aloneOn(store), 'D', 'k', 'cas')
      spoil(store)
      const before = store.names('packs/')
      await expect(prune(aloneOn(store), 'G', {}, 'cas')).rejects.toThrow(HoldfastError)
      expect(store.names('packs/')).toEqual(before)
    })
  }

  it('a damaged snapshot can be forgotten, and then the prune goes on', async () => {
    const store = storeWith((each) => { packed(each, '1', ['c']); snapshotted(each, 'j', 1, 'a') })
    damage['a manifest that is damaged']?.(store)
    await forget(aloneOn(store), { jobKey: jobKey('j'), revision: 1, suffix: '' }, 'cas')
    await prune(aloneOn(store), 'G', {}, 'cas')
    expect(store.names('packs/')).toEqual([])
  })
})

describe('X4: a retired pack in which something needed cannot be read', () => {
  it('stays, and holds up no other', async () => {
    const store = storeWith((each) => { packed(each, '1', ['t:a', 'a', 'b']); packed(each, '2', ['c']); snapshotted(each, 'j', 1, 'a') })
    const name = store.names('packs/')[0] ?? ''
    const bytes = store.get(name).bytes.slice()
    const middle = makePack([tree('a'), chunk('a'), chunk('b')].map((blob) => [blob])).contents.segments[1]
    bytes.fill(0, middle?.offset, (middle?.offset ?? 0) + (middle?.storedLength ?? 0))
    store.put(name, bytes, false, nowMs)
    const change = (plan: Awaited<ReturnType<typeof import('../../../../engine/repository/protocol/prune-prepare.ts')['planPrune']>>): typeof plan =>
      ({ ...plan, retire: ['1', '2'].map((each) => ({ name: each.padStart(32, '0'), reason: 'unreferenced', size: 1, copiedBytes: 0 })) })
    expect(await prune(aloneOn(store), 'G', { change }, 'cas')).toMatchObject({ outcome: 'complete', deletedPacks: 1, damagedPacks: 1 })
    expect(store.names('packs/')).toContain(name)
    expect(store.names('packs/')).not.toContain(`packs/00/${'2'.padStart(32, '0')}`)
    expect(store.names('gc/')).toHaveLength(1)
  })
})

function spoilVersion(store: ModelStore, name: string): void {
  const bytes = store.get(name).bytes.slice()
  bytes[3] = 99
  store.put(name, bytes, false, nowMs)
}

describe('T12: sessions that go on for long', () => {
  it('a prune waits for a session that lives, and one that acknowledged is no reason to wait', async () => {
    const store = storeWith((each) => { packed(each, '1', ['c']) })
    const repository = repositoryOn(aloneOn(store), 'cas')
    const session = await openSession(repository, jobKey('j'), { host: 'h', clock: stillClock, random: randomOf('B'), shards: 1 }, never)
    await session.retired(never)
    const waits = { options: { expireAfterMs: 1000 } }
    const first = await prune(aloneOn(store), 'G', waits, 'cas')
    expect(first).toMatchObject({ outcome: 'waiting', deletedPacks: 0, waitingFor: [{ host: 'h' }] })
    const refreshed = await session.refresh(never)
    expect(refreshed).toMatchObject({ type: 'retired', newlyRetired: new Set(['1'.padStart(32, '0')]) })
    // Looking again is no promise: what was retired comes again, and the prune waits on.
    expect(await session.refresh(never)).toMatchObject({ type: 'retired', newlyRetired: new Set(['1'.padStart(32, '0')]) })
    expect(await prune(aloneOn(store), 'W', waits, 'cas')).toMatchObject({ outcome: 'waiting' })
    if (refreshed.type === 'retired') await refreshed.acknowledge(never)
    expect(await prune(aloneOn(store), 'H', waits, 'cas')).toMatchObject({ outcome: 'complete', deletedPacks: 1, expiredSessions: 0 })
    expect(await session.refresh(never)).toEqual({ type: 'current' })
  })

  it('a declared session whose tree is not stored yet is waited for: nobody knows what hangs under it', async () => {
    const store = storeWith((each) => { packed(each, '1', ['a']) })
    const repository = repositoryOn(aloneOn(store), 'cas')
    const options = { host: 'h', clock: stillClock, random: randomOf('B'), shards: 1, root: tree('a').id } as const
    const session = await openSession(repository, jobKey('j'), options, never)
    await session.retired(never)
    expect(await prune(aloneOn(store), 'G', { options: { expireAfterMs: 1000 } }, 'cas')).toMatchObject({ outcome: 'waiting', deletedPacks: 0 })
  })
})

describe('T13: credentials that can only append', () => {
  it('are enough for a backup, and a prune with full rights tidies up behind it', async () => {
    const store = storeWith((each) => { packed(each, '1', ['a']) })
    const backend = aloneOn(store)
    const denied = (): Promise<never> => Promise.reject(new HoldfastError('denied', 'append only'))
    const appendOnly: StorageBackend = {
      ...backend, remove: denied, put: (...put) => (store.find(put[0]) && !put[2].ifAbsent ? denied() : backend.put(...put)),
    }
    const { ref, uploadedBlobs } = await backup(appendOnly, 'B', { job: 'j', need: 'a', refresh: true, index: true }, 'cas')
    expect(committed(store).map(({ name }) => name)).toEqual([snapshotName(ref)])
    expect(uploadedBlobs).toEqual(closure('a').slice(0, 1).map(({ id }) => idHex(id)))
    expect(await soloProblem(store, 'cas', 'a')).toBeUndefined()
  })
})
