import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BrowseAnswer, BrowseQuery } from '../../../engine/protocol/messages.ts'
import { JobStore } from '../../../main/jobs/store.ts'
import { settle, type FakeHost } from '../fakes.ts'
import { rejects, setUp } from '../jobs/handlers-world.ts'
import { config, openWorld } from '../jobs/world.ts'

const words = 'ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic'
const hourMs = 3_600_000
const key = (at: number): string => String(at).padStart(8, '0') + 'a'.repeat(24)

/** A repository as an engine plays it: its keys, of kits only. */
class PlayedRepository {
  readonly keys: string[] = []
  readonly asked: BrowseQuery['type'][] = []
  /** The storage is away. */
  away = false
  readonly #hosts: readonly FakeHost[]
  readonly #answered = new Map<FakeHost, number>()
  readonly #before: number
  #made = 0

  /** @param hosts engines; those that there are already are none of this repository's */
  constructor(hosts: readonly FakeHost[]) {
    this.#hosts = hosts
    this.#before = hosts.length
  }

  /** Answers what is asked until `work` has ended. */
  async during<T>(work: T | Promise<T>): Promise<T> {
    let ended = false
    const result = Promise.resolve(work).finally(() => { ended = true })
    result.catch(() => undefined)
    while (!ended) {
      this.#answerAll()
      await settle()
    }
    return result
  }

  #answerAll(): void {
    for (const host of this.#hosts.slice(this.#before)) {
      if (!this.#answered.has(host)) host.ready()
      const queries = host.got('query')
      const from = this.#answered.get(host) ?? 0
      for (const command of queries.slice(from)) {
        if (command.type === 'query') host.says({ type: 'answer', request: command.request, answer: this.#answer(command.query) })
      }
      this.#answered.set(host, queries.length)
    }
  }

  #answer(query: BrowseQuery): BrowseAnswer {
    this.asked.push(query.type)
    if (this.away) return { type: 'error', error: { code: 'offline', message: 'away', retryable: true } }
    if (query.type === 'make-kit') {
      this.#made += 1
      this.keys.push(key(this.#made))
      return { type: 'kit', repositoryId: 'ab', key: key(this.#made), words, page: `<p>${words}</p>` }
    }
    if (query.type === 'remove-key') {
      const at = this.keys.indexOf(query.key)
      if (at < 0) return { type: 'error', error: { code: 'not-found', message: '', retryable: false } }
      this.keys.splice(at, 1)
      return { type: 'key-removed' }
    }
    throw new Error(query.type)
  }
}

async function backedUp() {
  const world = setUp()
  const jobId = await world.add('docs')
  world.backups.run(jobId, 'manual')
  world.last().ready()
  world.last().finish({ outcome: 'success', snapshot: 'docs@1', repositoryId: 'ab' })
  await settle()
  const repository = new PlayedRepository(world.hosts)
  const { handlers, kits, store, person } = world
  const view = () => kits.view(store.get(jobId))
  const make = () => repository.during(handlers['kit.make']({ jobId }))
  const print = () => repository.during(handlers['kit.page']({ jobId, to: 'printer' }))
  const asks = (): readonly number[] => view()?.fresh?.asks ?? []
  const type = (change: (word: string, at: number) => string = (word) => word) => (
    handlers['kit.check']({ jobId, words: asks().map((place, at) => change(words.split(' ')[place - 1] ?? '', at)) })
  )
  const revoke = (number: string) => repository.during(handlers['kit.revoke']({ jobId, number }))
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-kits-'))
  const save = (path: string) => {
    person.saves = path
    return repository.during(handlers['kit.page']({ jobId, to: 'pdf' }))
  }
  return { ...world, jobId, repository, view, make, print, asks, type, revoke, folder, save }
}

const firstNumber = key(1).slice(0, 8)

describe('a recovery kit', () => {
  it('is made when a person says so, printed by main, and counts as checked when three words came back', async () => {
    const { make, print, type, view, asked, person, printed, repository, timers, store, jobId, counts } = await backedUp()
    expect(view()).toEqual({ kits: [] })
    person.saysYes = false
    await rejects(make(), { code: 'aborted', data: { declined: true } })
    expect([asked.at(-1)?.title, repository.asked]).toEqual(['Make a recovery kit for the backup of “docs”?', []])
    person.saysYes = true
    await make()
    expect(view()).toEqual({ kits: [], fresh: { number: firstNumber, asks: [expect.any(Number), expect.any(Number), expect.any(Number)] as unknown, given: false } })
    person.prints = false
    expect(await print()).toEqual({ done: false })
    expect(view()?.fresh?.given).toBe(false)
    person.prints = true
    expect(await print()).toEqual({ done: true })
    expect(printed).toEqual([`<p>${words}</p>`])
    expect(view()).toMatchObject({ kits: [{ number: firstNumber, madeMs: timers.now(), moved: false }], fresh: { given: true } })
    expect(view()?.kits[0]).not.toHaveProperty('checkedMs')
    await timers.advance(60_000)
    const before = counts.change
    expect(await type((word) => ` ${word.toUpperCase().slice(0, 4)} `)).toEqual({ wrong: [] })
    expect(counts.change).toBeGreaterThan(before)
    expect(view()).toEqual({ kits: [{ number: firstNumber, madeMs: timers.now() - 60_000, checkedMs: timers.now(), moved: false }] })
    // Its words are forgotten.
    await rejects(print(), { code: 'not-found' })
    expect(JSON.stringify(store.get(jobId))).not.toContain('ozone')
  })

  it('is not checked by other words, nor by guessing', async () => {
    const { make, print, type, view, asks } = await backedUp()
    await make()
    await print()
    const [, second] = asks()
    expect(await type((word, at) => (at === 1 ? 'zoo' : word))).toEqual({ wrong: [second] })
    expect(await type(() => '')).toEqual({ wrong: asks() })
    expect(view()?.kits[0]).not.toHaveProperty('checkedMs')
    for (let at = 0; at < 6; at++) await type(() => 'zoo')
    await rejects((async () => type())(), { code: 'busy' })
    expect(view()?.fresh).toBeDefined()
  })

  it('whose page nobody has is taken back: when it is given up, or with the next one', async () => {
    const { make, revoke, view, repository, asked, save } = await backedUp()
    await make()
    expect(repository.keys).toEqual([key(1)])
    const questions = asked.length
    await revoke(firstNumber)
    expect([repository.keys, view(), asked.length]).toEqual([[], { kits: [] }, questions])
    await make()
    await make()
    expect(repository.keys).toEqual([key(3)])
    await rejects(save('/nowhere/at/all/kit.pdf'), { code: 'denied', data: { reason: 'save' } })
    expect(view()?.fresh?.given).toBe(false)
    await rejects(revoke(firstNumber), { code: 'not-found' })
  })

  it('whose page somebody has goes on opening the backup though it was not checked, and is told so, also after a new start', async () => {
    const { make, print, view, repository, timers, type, store } = await backedUp()
    await make()
    await print()
    await timers.advance(hourMs)
    expect(view()).toEqual({ kits: [{ number: firstNumber, madeMs: timers.now() - hourMs, moved: false }] })
    expect(repository.keys).toEqual([key(1)])
    await rejects((async () => type())(), { code: 'not-found' })
    await make()
    expect(repository.keys).toEqual([key(1), key(2)])
    expect(store.all[0]?.repository.kits?.map(({ given }) => given)).toEqual([undefined, true])
  })

  it('is taken away on request, which main asks about', async () => {
    const { make, print, type, revoke, view, repository, asked, person } = await backedUp()
    await make()
    await print()
    await type()
    person.saysYes = false
    await rejects(revoke(firstNumber), { code: 'aborted' })
    expect(asked.at(-1)?.title).toBe(`Take the recovery kit ${firstNumber} away?`)
    expect(repository.keys).toEqual([key(1)])
    person.saysYes = true
    repository.away = true
    await rejects(revoke(firstNumber), { wire: { code: 'offline' } })
    expect(view()?.kits).toHaveLength(1)
    repository.away = false
    // Somebody else has done it meanwhile.
    repository.keys.length = 0
    await revoke(firstNumber)
    expect(view()).toEqual({ kits: [] })
  })

  it('is told to bear an old address after the backup has moved', async () => {
    const { make, print, type, view, store, jobId } = await backedUp()
    await make()
    await print()
    await type()
    expect(view()?.kits[0]?.moved).toBe(false)
    await store.update(jobId, { ...config, destination: { type: 'folder', path: '/elsewhere' } }, { repository: 'other', sameRepository: true })
    expect(view()?.kits).toMatchObject([{ number: firstNumber, moved: true }])
    await store.update(jobId, { ...config, destination: { type: 'folder', path: '/another' } }, { repository: 'third', sameRepository: false })
    expect(view()).toBeUndefined()
  })

  it('is not made before the first backup, nor beyond sixteen', async () => {
    const { add, handlers, make, print, asked } = await backedUp()
    const other = await add('new', { destination: { type: 'folder', path: '/new' } })
    await rejects((async () => handlers['kit.make']({ jobId: other }))(), { code: 'not-found', data: { reason: 'no-snapshot' } })
    expect(asked).toEqual([])
    for (let at = 0; at < 16; at++) {
      await make()
      await print()
    }
    await rejects(make(), { code: 'unsupported', data: { reason: 'many-kits' } })
  })
})

describe('the page as a file', () => {
  it('is for its owner alone, whatever was there, and leaves nothing else behind', async () => {
    const { make, save, folder, view } = await backedUp()
    const path = join(folder, 'kit.pdf')
    writeFileSync(path, 'an older one', { mode: 0o644 })
    await make()
    expect(await save(path)).toEqual({ done: true })
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, readdirSync(folder)]).toEqual([`%PDF of <p>${words}</p>`, 0o600, ['kit.pdf']])
    expect(view()?.fresh?.given).toBe(true)
  })

  it('is not saved where nobody chose, nor beside a backup that it opens, however its folder is called', async () => {
    const { make, save, add, folder, view, handlers, jobId, person } = await backedUp()
    mkdirSync(join(folder, 'disk/backup'), { recursive: true })
    symlinkSync(join(folder, 'disk'), join(folder, 'link'))
    await add('other', { destination: { type: 'folder', path: join(folder, 'disk/backup') } })
    await make()
    person.saves = undefined
    expect(await handlers['kit.page']({ jobId, to: 'pdf' })).toEqual({ done: false })
    for (const path of ['disk/backup/kit.pdf', 'link/backup/kit.pdf']) await rejects(save(join(folder, path)), { code: 'arguments', data: { reason: 'beside-backup' } })
    expect([view()?.fresh?.given, readdirSync(join(folder, 'disk/backup'))]).toEqual([false, []])
    expect(await save(join(folder, 'disk/kit.pdf'))).toEqual({ done: true })
  })
})

describe('a kit is offered', () => {
  it('once a backup is complete, until somebody has a page', async () => {
    const world = await backedUp()
    const { kits, offered, make, print, jobId } = world
    kits.tick()
    expect(offered.at(-1)).toBe(jobId)
    await make()
    kits.tick()
    expect(offered.at(-1)).toBe(jobId)
    await print()
    expect(offered.at(-1)).toBeUndefined()
  })

  it('not before, and not again where nobody wants it, also after a new start', async () => {
    const fresh = openWorld()
    await fresh.add('docs')
    fresh.kits.tick()
    expect(fresh.offered).toEqual([undefined])
    const { kits, offered, jobId, store } = await backedUp()
    await kits.decline(jobId)
    expect(offered.at(-1)).toBeUndefined()
    expect(store.get(jobId).repository.kitUnwanted).toBe(true)
  })
})

it('kits are in the job file, without their words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-kits-'))
  const path = join(folder, 'jobs.json')
  const store = new JobStore(path, () => 5)
  const { repository } = await store.add(config)
  const kit = { key: key(1), madeMs: 7, address: 'file:///backup', given: true as const, checkedMs: 9 }
  await store.repositories.setKits(repository.id, (kits) => [kit, ...kits])
  expect(new JobStore(path, () => 5).repositories.get(repository.id).kits).toEqual([kit])
  const { repository: other } = await store.add({ ...config, name: 'other' }, 'r2')
  await store.merge(other.id, repository.id)
  expect(store.repositories.get(other.id).kits).toEqual([kit])
})
