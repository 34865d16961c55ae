import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HoldfastError } from '../../../engine/base/errors.ts'
import type { PackInfo } from '../../../engine/repository/pack-info.ts'
import { headerBytes } from '../../../engine/repository/sealed.ts'
import { blob, ids, pack, packName, rawLength, storedLength, TestCatalog } from './fixtures.ts'

test('a blob is stored once: the first claim wins, later ones are told so', () => {
  using world = new TestCatalog()
  world.list()
  expect([...world.catalog.blobs.claim(ids('a', 'b', 'a'))]).toEqual([1, 1, 0])
  expect([...world.catalog.blobs.claim(ids('b', 'c'))]).toEqual([0, 1])
})

test('a claim that is taken back can be claimed again', () => {
  using world = new TestCatalog()
  world.list()
  world.catalog.blobs.claim(ids('a'))
  world.catalog.blobs.unclaim(ids('a'))
  expect([...world.catalog.blobs.claim(ids('a'))]).toEqual([1])
})

test('only packs of the session listing are built upon (R2)', () => {
  using world = new TestCatalog()
  const kept = pack('P', 'a')
  const gone = pack('Q', 'b')
  world.catalog.packs.addPack(kept)
  world.catalog.packs.addPack(gone)
  world.list(kept)
  expect([...world.catalog.blobs.claim(ids('a', 'b'))]).toEqual([0, 1])
})

test('a retired pack is never built upon, even when the listing comes after the record', () => {
  using world = new TestCatalog()
  const retired = pack('P', 'a')
  world.catalog.packs.addPack(retired)
  world.catalog.packs.beginUsable()
  world.catalog.packs.markRetired(retired.name)
  world.catalog.packs.markUsable(retired.name, retired.size)
  world.catalog.packs.endUsable()
  expect(world.catalog.blobs.touch(ids('a'))).toBe(false)
  expect([...world.catalog.blobs.claim(ids('a'))]).toEqual([1])
})

test('locate prefers a usable pack and finds blobs before any listing', () => {
  using world = new TestCatalog()
  const first = pack('P', 'a', 'b')
  const second = pack('Q', 'b')
  world.catalog.packs.addPack(first)
  world.catalog.packs.addPack(second)
  expect(world.catalog.locate(blob('a'))).toMatchObject({ pack: first.name, segmentOffset: headerBytes, storedLength, rawLength, length: rawLength })
  world.list(second)
  expect(world.catalog.locate(blob('b'))?.pack).toBe(second.name)
  expect(world.catalog.locate(blob('nowhere'))).toBeUndefined()
})

test('blobs survive a restart, whether they were settled or not', () => {
  using world = new TestCatalog()
  const recent = pack('P', 'a')
  const indexed = pack('Q', 'b')
  world.catalog.packs.addPack(recent)
  world.catalog.packs.addIndex(packName('index'), [indexed])
  const catalog = world.reopen()
  expect(catalog.locate(blob('a'))?.pack).toBe(recent.name)
  expect(catalog.locate(blob('b'))?.pack).toBe(indexed.name)
  expect(catalog.packs.hasIndex(packName('index'))).toBe(true)
  expect(catalog.packs.unindexedPacks(1000).map((each) => each.name)).toEqual([recent.name])
})

test('more blobs than fit in memory are all found, now and after a restart', () => {
  using world = new TestCatalog()
  const names = Array.from({ length: 45_000 }, (_, at) => at)
  for (let at = 0; at < names.length; at += 5000) world.catalog.packs.addPack(pack(`P${at}`, ...names.slice(at, at + 5000)))
  const sample = [0, 39_999, 40_000, 44_999]
  for (const each of sample) expect(world.catalog.locate(blob(each))?.pack).toBe(packName(`P${Math.floor(each / 5000) * 5000}`))
  const catalog = world.reopen()
  for (const each of sample) expect(catalog.locate(blob(each))?.pack).toBe(packName(`P${Math.floor(each / 5000) * 5000}`))
})

test('packs that are gone are swept out when they are many', () => {
  using world = new TestCatalog()
  const packs = Array.from({ length: 100 }, (_, at) => pack(`P${at}`, at))
  for (const each of packs) world.catalog.packs.addPack(each)
  world.list(...packs.slice(0, 10))
  expect(world.catalog.locate(blob(5))?.pack).toBe(packName('P5'))
  expect(world.catalog.locate(blob(50))).toBeUndefined()
})

test('claims answer like a set, for any order of claims, packs and releases', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('claim' as const), names: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }) }),
    fc.record({ type: fc.constant('pack' as const), names: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 4 }) }),
    fc.record({ type: fc.constant('unclaim' as const), names: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }) }),
  )
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    using world = new TestCatalog()
    world.list()
    const stored = new Set<number>()
    const claimed = new Set<number>()
    for (const [at, each] of steps.entries()) {
      if (each.type === 'claim') {
        const expected = each.names.map((name) => (stored.has(name) || claimed.has(name) ? 0 : (claimed.add(name), 1)))
        expect([...world.catalog.blobs.claim(ids(...each.names))]).toEqual(expected)
      } else if (each.type === 'pack') {
        world.catalog.packs.addSent(pack(`P${at}`, ...each.names))
        for (const name of each.names) { stored.add(name); claimed.delete(name) }
      } else {
        world.catalog.blobs.unclaim(ids(...each.names))
        for (const name of each.names) claimed.delete(name)
      }
    }
  }), { numRuns: 40 })
})

test('an index object that turns out damaged half-way leaves no blob behind that could be believed', () => {
  using world = new TestCatalog()
  const [first, second] = [pack('P', 'a'), pack('Q', 'b')]
  function* damaged(): Generator<PackInfo> {
    yield first
    throw new HoldfastError('damaged', 'half-way')
  }
  expect(() => { world.catalog.packs.addIndex(packName('index'), damaged()) }).toThrow('half-way')
  world.catalog.packs.addPack(second)
  world.list(second)
  expect([...world.catalog.blobs.claim(ids('a', 'b'))]).toEqual([1, 0])
  expect(world.catalog.packs.hasIndex(packName('index'))).toBe(false)
})

test('a transaction that fails takes its packs back, also from memory', () => {
  using world = new TestCatalog()
  const kept = pack('P', 'a')
  world.catalog.packs.addPack(kept)
  expect(() => world.catalog.transaction(() => {
    world.catalog.packs.addSent(pack('Q', 'b'))
    throw new Error('power cut')
  })).toThrow('power cut')
  world.list(kept)
  world.catalog.packs.addSent(pack('R', 'c'))
  expect([...world.catalog.blobs.claim(ids('a', 'b', 'c'))]).toEqual([0, 1, 0])
})

test.each(['before', 'after'])('a pack whose listed size is not its own is not built upon (contents known %s the listing)', (when) => {
  using world = new TestCatalog()
  const cutOff = pack('P', 'a')
  if (when === 'before') world.catalog.packs.addPack(cutOff)
  world.list({ ...cutOff, size: cutOff.size - 1 })
  if (when === 'after') world.catalog.packs.addPack(cutOff)
  expect([...world.catalog.blobs.claim(ids('a'))]).toEqual([1])
})

test('every place of a blob is known, with whether it counts', () => {
  using world = new TestCatalog()
  const [p, q] = [pack('P', 'a'), pack('Q', 'a', 'b')]
  world.catalog.packs.addPack(p)
  world.catalog.packs.addPack(q)
  world.list(q)
  const places = world.catalog.blobs.places(blob('a')).map(({ location, usable }) => [location.pack, usable])
  expect(new Map(places as [string, boolean][])).toEqual(new Map([[p.name, false], [q.name, true]]))
})
