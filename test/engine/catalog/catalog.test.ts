import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeFooter } from '../../../engine/repository/footer.ts'
import { openCatalog } from '../../../engine/catalog/catalog.ts'
import { lockJob } from '../../../engine/catalog/lock.ts'
import { catalogFolder } from '../../../engine/catalog/paths.ts'
import { blob, ids, pack, packName, repositoryId, TestCatalog } from './fixtures.ts'

const sealed = { path: '/spool/one', size: 264, crc32: 7, contents: pack('P', 'a', 'b').contents }

test('a spooled pack is known to the next process, and its blobs are not stored again', () => {
  using world = new TestCatalog()
  world.list()
  world.catalog.blobs.claim(ids('a', 'b'))
  world.catalog.spool.add(sealed, packName('attempt 1'))
  const catalog = world.reopen()
  world.list()
  expect(catalog.spool.entries()).toMatchObject([{ path: '/spool/one', size: 264, crc32: 7, name: packName('attempt 1') }])
  expect([...catalog.blobs.claim(ids('a', 'b', 'c'))]).toEqual([0, 0, 1])
})

test('an uploaded pack leaves the spool under the name of its last attempt and waits for an index object', () => {
  using world = new TestCatalog()
  world.list()
  const entry = world.catalog.spool.add(sealed, packName('attempt 1'))
  world.catalog.spool.rename(entry.number, packName('attempt 2'))
  world.catalog.spool.uploaded(entry.number, { name: packName('attempt 2'), size: sealed.size, contents: sealed.contents })
  expect(world.catalog.spool.entries()).toEqual([])
  expect(world.catalog.locate(blob('b'))?.pack).toBe(packName('attempt 2'))
  expect(world.catalog.packs.unindexedPacks(1000).map((each) => each.name)).toEqual([packName('attempt 2')])
  world.catalog.packs.markIndexed(packName('index'), [packName('attempt 2')])
  expect(world.catalog.packs.unindexedPacks(1000)).toEqual([])
})

test('packs for an index object come enough for one at a time, whatever else is not indexed', () => {
  using world = new TestCatalog()
  const packs = world.catalog.packs
  for (const name of ['A', 'B', 'C']) packs.addPack(pack(name, name))
  packs.beginUsable()
  for (const name of ['B', 'C']) packs.markUsable(packName(name), pack(name, name).size)
  packs.endUsable()
  const indexed: string[] = []
  for (let next = packs.unindexedPacks(1); next.length > 0; next = packs.unindexedPacks(1)) {
    expect(next).toHaveLength(1)
    for (const { name, footer } of next) {
      expect(decodeFooter(footer).segments.flatMap(({ blobs }) => blobs)).toHaveLength(1)
      indexed.push(name)
      packs.markIndexed(packName(`index of ${name}`), [name])
    }
  }
  expect(indexed).toEqual([packName('B'), packName('C')])
})

test('usable packs without known contents are named for adoption, retired and unlisted ones are not', () => {
  using world = new TestCatalog()
  const packs = world.catalog.packs
  packs.addPack(pack('known', 'a'))
  packs.beginUsable()
  for (const name of ['known', 'orphan', 'retired']) packs.markUsable(packName(name), 100)
  packs.markRetired(packName('retired'))
  packs.endUsable()
  expect([...packs.unknownPacks()]).toEqual([{ name: packName('orphan'), size: 100 }])
})

test('a pack that only a retire record has told of is none to be read or counted, also by a run that lists nothing', () => {
  using world = new TestCatalog()
  world.catalog.packs.addPack(pack('known', 'a'))
  world.catalog.packs.beginUsable()
  world.catalog.packs.markUsable(packName('known'), pack('known', 'a').size)
  for (const name of ['another', 'known']) world.catalog.packs.markRetired(packName(name))
  world.catalog.packs.endUsable()
  expect([...world.catalog.packs.usablePacks()]).toEqual([])
  world.reopen()
  const { packs } = world.catalog
  packs.noteVerified([[packName('another'), 5]])
  expect([...packs.leastRecentlyVerified(10)].map(({ name }) => name)).toEqual([packName('known')])
  expect([...packs.usablePacks()].map(({ name }) => name)).toEqual([packName('known')])
  expect([...packs.verified()]).toEqual([])
  expect(packs.verificationDates()).toEqual({ packs: 1, unreadPacks: 1 })
})

test('a closure is usable until one of its packs is retired or gone', () => {
  using world = new TestCatalog()
  const [p, q] = [pack('P', 'a'), pack('Q', 'b')]
  const snapshot = { id: 'photos@1', host: 'desk', revision: 1, root: blob('root').toString(), finishedMs: 1, files: 1, bytes: 1, sources: [{ name: 'caf\xe9', path: '/caf\xe9', device: 2n ** 63n, inode: 7n }] }
  const first = { ...snapshot, root: Buffer.from(blob('root')).toString('hex') }
  world.list(p)
  world.catalog.packs.addPack(p)
  world.catalog.blobs.claim(ids('a'))
  world.catalog.lastSnapshot.set(first, { inherit: false })
  world.reopen()
  world.list(p, q)
  world.catalog.packs.addPack(q)
  expect(world.catalog.lastSnapshot.closureUsable()).toBe(true)
  world.catalog.blobs.touch(ids('b'))
  world.catalog.lastSnapshot.set({ ...first, id: 'photos@2' }, { inherit: true })
  expect(world.catalog.lastSnapshot.of('desk')?.id).toBe('photos@2')
  expect(world.catalog.lastSnapshot.of('another')).toBeUndefined()
  world.reopen()
  world.list(q)
  expect(world.catalog.lastSnapshot.closureUsable()).toBe(false)
  world.list(p, q)
  expect(world.catalog.lastSnapshot.closureUsable()).toBe(true)
  world.catalog.packs.markRetired(q.name)
  expect(world.catalog.lastSnapshot.closureUsable()).toBe(false)
})

test('packs to verify come longest unverified first', () => {
  using world = new TestCatalog()
  const all = ['P', 'Q', 'R'].map((name) => pack(name, name))
  world.list(...all)
  world.catalog.packs.setVerified(packName('P'), 3000)
  world.catalog.packs.setVerified(packName('R'), 1000)
  const names = (beforeMs: number): string[] => [...world.catalog.packs.leastRecentlyVerified(beforeMs)].map((each) => each.name)
  expect(names(5000)).toEqual([packName('Q'), packName('R'), packName('P')])
  expect(names(3000)).toEqual([packName('Q'), packName('R')])
})

test('the journal of an interrupted run names finished files and directories until it is cleared', () => {
  using world = new TestCatalog()
  const [folder, done] = [Buffer.from('/a'), Buffer.from('/a/b')]
  world.catalog.journal.files(folder, Buffer.from('one'))
  world.catalog.journal.files(folder, Buffer.from('two'))
  world.catalog.journal.files(done, Buffer.from('three'))
  world.catalog.journal.tree(done, blob('tree'))
  const journal = world.reopen().journal
  expect(journal.read(folder).nodes.map(String)).toEqual(['one', 'two'])
  expect(journal.read(done)).toEqual({ tree: Buffer.from(blob('tree')), nodes: [] })
  journal.clear()
  expect(journal.isEmpty).toBe(true)
})

test('a sweep drops trees that the newest run did not meet', () => {
  using world = new TestCatalog()
  for (let at = 0; at < 2500; at++) world.catalog.trees.put(blob(at), Buffer.from(String(at)))
  world.catalog.trees.beginRun()
  expect(world.catalog.trees.get(blob(7))?.toString()).toBe('7')
  world.catalog.trees.endRun()
  expect(world.catalog.trees.get(blob(7))?.toString()).toBe('7')
  expect(world.catalog.trees.get(blob(8))).toBeUndefined()
})

test.each(['garbage', ''])('a catalog file with %o inside is moved aside and made anew', (content) => {
  using world = new TestCatalog()
  const file = join(catalogFolder(world.home, repositoryId), 'other.db')
  writeFileSync(file, content.padEnd(content === '' ? 0 : 8192, 'x'))
  const { catalog, recreated } = openCatalog(world.home, repositoryId, 'other')
  using _ = catalog
  expect(recreated).toBe(content !== '')
  expect(existsSync(`${file}.damaged`)).toBe(content !== '')
  expect(catalog.packs.hasPack(packName('P'))).toBe(false)
})

test('a job lock holds against other processes and falls with its holder, even by SIGKILL', async () => {
  using world = new TestCatalog()
  const holder = fork(join(import.meta.dirname, 'lock-holder.ts'), [world.home, repositoryId])
  await once(holder, 'message')
  expect(() => lockJob(world.home, repositoryId, 'job')).toThrow(expect.objectContaining({ code: 'busy' }))
  using _otherJob = lockJob(world.home, repositoryId, 'another')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  using _lock = lockJob(world.home, repositoryId, 'job')
  expect(readdirSync(catalogFolder(world.home, repositoryId))).toContain('job.lock')
})
