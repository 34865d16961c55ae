import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { openMemory as openMemoryBackend } from '../../../../engine/backend/memory/memory.ts'
import { RepositoryMemory } from '../../../../engine/commands/memory.ts'
import { openMarks } from '../../../../engine/catalog/marks.ts'
import { expireSession } from '../../../../engine/repository/protocol/arbiter.ts'
import { forgetSnapshot } from '../../../../engine/repository/protocol/forget.ts'
import { listAll } from '../../../../engine/repository/protocol/listing.ts'
import { parseSessionName, revisionKey, snapshotName, type SnapshotRef } from '../../../../engine/repository/protocol/names.ts'
import { meansLatest } from '../../../../engine/repository/protocol/resolve.ts'
import { openSession, type BackupSession } from '../../../../engine/repository/protocol/session.ts'
import { listSnapshots } from '../../../../engine/repository/protocol/snapshots.ts'
import { initRepository, type Repository } from '../../../../engine/repository/repository.ts'
import type { Manifest } from '../../../../engine/snapshot/manifest.ts'
import { testContext } from '../../commands/run-support.ts'
import { cheap, context, never } from '../support.ts'

const jobKey = 'ab'.repeat(16)
let stores = 0

async function newRepository(arbiter: 'cas' | 'flags'): Promise<Repository> {
  return initRepository(openMemoryBackend(`memory-test-${++stores}`), 'secret', { arbiter, ...context, cost: cheap }, never)
}

function manifest(host: string): Manifest {
  return {
    version: 1, job: 'job', host, user: 'u', sources: [], root: 'cd'.repeat(32), startedMs: 1, finishedMs: 2, timeZone: 'UTC',
    counters: { files: 0, directories: 0, others: 0, bytes: 0, uploadedBytes: 0 }, program: 'test', problems: 0,
  }
}

/** A machine with a memory on its disk, and the sessions that it has open. */
class Machine {
  readonly #home = mkdtempSync(join(tmpdir(), 'holdfast-memory-'))
  readonly host: string
  readonly #open: BackupSession[] = []

  constructor(host: string) {
    this.host = host
  }

  use<T>(repository: Repository, work: (memory: RepositoryMemory) => Promise<T>, accepts = false): Promise<T> {
    const memory = new RepositoryMemory(openMarks(this.#home).marks, repository, { home: this.#home, acceptOlderRepository: accepts }, testContext(), true)
    return work(memory).finally(() => { memory[Symbol.dispose]() })
  }

  /** @returns what it misses. */
  missed(repository: Repository, accepts = false): Promise<readonly string[]> {
    return this.use(repository, async (memory) => (await memory.missed(never)).map(({ known }) => snapshotName(known)), accepts)
  }

  begin(repository: Repository): Promise<SnapshotRef> {
    return this.use(repository, async (memory) => {
      const session = await openSession(repository, jobKey, { host: this.host, ...context, shards: 1, above: memory.floor(jobKey) }, never)
      memory.announced(session.ref)
      this.#open.push(session)
      return session.ref
    })
  }

  /** Ends the session that it opened last; what it committed is remembered, unless it dies first. */
  async commit(repository: Repository, dies = false): Promise<SnapshotRef | undefined> {
    const session = this.#open.pop()
    if (!session) return undefined
    await session.retired(never)
    const commit = await session.commit(() => manifest(this.host), never)
    if (commit.type === 'committed' && !dies) {
      await this.use(repository, (memory) => {
        memory.seen(commit.ref, { type: 'manifest', nonce: session.nonce, manifest: manifest(this.host) })
        return Promise.resolve()
      })
    }
    await session.close(never)
    return commit.type === 'committed' ? commit.ref : undefined
  }

  look(repository: Repository): Promise<readonly SnapshotRef[]> {
    return this.use(repository, async (memory) => {
      await memory.missed(never)
      const refs: SnapshotRef[] = []
      for await (const entry of listSnapshots(repository, { jobKey, memory }, never)) if (entry.type === 'snapshot') refs.push(entry.ref)
      return refs
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true })
  }
}

const steps = fc.array(fc.oneof(
  fc.record({ type: fc.constantFrom('begin', 'commit', 'commit and die', 'look', 'forget', 'expire'), machine: fc.nat(1), which: fc.nat(9) }),
  fc.record({ type: fc.constant('backup'), machine: fc.nat(1), which: fc.nat(9) }),
), { minLength: 1, maxLength: 25 })
type Step = { readonly type: string; readonly machine: number; readonly which: number }

async function perform(repository: Repository, machine: Machine, step: Step): Promise<void> {
  switch (step.type) {
    case 'begin': await machine.begin(repository); return
    case 'commit': await machine.commit(repository); return
    case 'commit and die': await machine.commit(repository, true); return
    case 'backup':
      await machine.begin(repository)
      await machine.commit(repository)
      return
    case 'look': await machine.look(repository); return
    case 'forget': {
      const refs = await machine.look(repository)
      const ref = refs[step.which % Math.max(1, refs.length)]
      if (ref) await forgetSnapshot(repository, ref, never)
      return
    }
    case 'expire': {
      // As a prune does with a session that is silent: it is decided, then its intent goes.
      const [intent] = await listAll(repository.backend, 'intents/', never)
      if (!intent) return
      await expireSession(repository, parseSessionName(intent.name), never)
      await repository.backend.remove(intent.name, never)
      return
    }
    default: throw new Error(step.type)
  }
}

async function objectsOf(backend: StorageBackend): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>()
  for (const { name } of await listAll(backend, '', never)) objects.set(name, await backend.get(name, 'all', never))
  return objects
}

async function putBack(backend: StorageBackend, objects: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const { name } of await listAll(backend, '', never)) if (!objects.has(name)) await backend.remove(name, never)
  for (const [name, bytes] of objects) await backend.put(name, { type: 'bytes', bytes }, {}, never)
}

describe.each(['cas', 'flags'] as const)('two machines of one job in %s mode', (arbiter) => {
  test('never miss anything on an honest storage', async () => {
    await fc.assert(fc.asyncProperty(steps, async (history) => {
      const repository = await newRepository(arbiter)
      using a = new Machine('a')
      using b = new Machine('b')
      for (const step of history) {
        await perform(repository, step.machine === 0 ? a : b, step)
        expect(await a.missed(repository)).toEqual([])
        expect(await b.missed(repository)).toEqual([])
      }
    }), { numRuns: 40 })
  })

  test('always tell when the newest that one has seen is gone, and never give a revision out again that they knew', async () => {
    await fc.assert(fc.asyncProperty(steps, fc.nat(24), async (history, at) => {
      const repository = await newRepository(arbiter)
      using a = new Machine('a')
      using b = new Machine('b')
      let copy = await objectsOf(repository.backend)
      for (const [index, step] of history.entries()) {
        await perform(repository, step.machine === 0 ? a : b, step)
        if (index === at % history.length) copy = await objectsOf(repository.backend)
      }
      const known = await a.use(repository, (memory) => Promise.resolve(memory.known(jobKey)))
      const floor = await a.use(repository, (memory) => Promise.resolve(memory.floor(jobKey)))
      await putBack(repository.backend, copy)
      const traces = known.map((each) => [snapshotName(each), `deleted/${jobKey}/${revisionKey(each)}`, `expired/${jobKey}/${revisionKey(each)}`])
      const lost = known.filter((_, index) => !traces[index]?.some((name) => copy.has(name)))
      const missed = await a.missed(repository)
      for (const each of lost) expect(missed).toContain(snapshotName(each))
      expect(await a.missed(repository)).toEqual(missed)
      await a.missed(repository, true)
      expect(await a.missed(repository)).toEqual([])
      const next = await a.begin(repository)
      expect(next.revision).toBeGreaterThan(floor)
      expect(await a.commit(repository)).toEqual(next)
      expect(await a.missed(repository)).toEqual([])
    }), { numRuns: 40 })
  })

  test('a machine that dies between its commit and its memory gives the revision out no second time', async () => {
    const repository = await newRepository(arbiter)
    using a = new Machine('a')
    const copy = await objectsOf(repository.backend)
    await a.begin(repository)
    expect((await a.commit(repository, true))?.revision).toBe(1)
    expect(await a.missed(repository)).toEqual([])
    await putBack(repository.backend, copy)
    expect((await a.begin(repository)).revision).toBe(2)
  })

  test('revisions of forgotten and of expired sessions stay taken for a machine that knows none of them', async () => {
    const repository = await newRepository(arbiter)
    using a = new Machine('a')
    using b = new Machine('b')
    const first = await a.begin(repository)
    await a.commit(repository)
    await forgetSnapshot(repository, first, never)
    expect((await b.begin(repository)).revision).toBe(2)
    await perform(repository, b, { type: 'expire', machine: 1, which: 0 })
    using c = new Machine('c')
    expect((await c.begin(repository)).revision).toBe(3)
  })

  test('a snapshot that a late listing does not show is known all the same: no alarm, and it is the latest', async () => {
    const repository = await newRepository(arbiter)
    using a = new Machine('a')
    await a.begin(repository)
    await a.commit(repository)
    await a.begin(repository)
    const newest = await a.commit(repository)
    const late: Repository = { ...repository, backend: withoutListing(repository.backend, newest ? snapshotName(newest) : '') }
    expect(await a.missed(late)).toEqual([])
    expect((await a.look(late)).map(({ revision }) => revision)).toEqual([1, 2])
    expect((await a.begin(late)).revision).toBe(3)
  })
})

/** A storage whose listing does not show the object yet. */
function withoutListing(backend: StorageBackend, name: string): StorageBackend {
  return new Proxy(backend, {
    get(target, property) {
      if (property === 'list') {
        return async function* list(prefix: string, signal: AbortSignal) {
          for await (const info of target.list(prefix, signal)) if (info.name !== name) yield info
        }
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

test('what a storage that is away says is no answer', async () => {
  const repository = await newRepository('cas')
  using a = new Machine('a')
  await a.begin(repository)
  await a.commit(repository)
  const away: Repository = { ...repository, backend: new Proxy(repository.backend, { get: (target, property) => (property === 'get' ? () => Promise.reject(Object.assign(new Error('away'), { code: 'offline' })) : Reflect.get(target, property, target) as unknown) }) }
  await expect(a.missed(away)).rejects.toThrow('away')
})

test('what means the latest', () => {
  expect(['latest', 'latest:job', 'latest:host/job', 'latest:a/b/job', 'latest:x\ny/job'].map(meansLatest)).toEqual([true, true, true, true, true])
  expect(['latest@3', 'job@1', 'latestjob', 'latest:'].map(meansLatest)).toEqual([false, false, false, false])
})
