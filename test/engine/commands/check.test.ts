import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CheckDetails } from '../../../engine/commands/check.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../bench/random.ts'
import { describeTree } from '../../fixtures/tree.ts'
import { World } from '../../fixtures/world.ts'

let template: World
let world: World

/** Two snapshots; `early.bin` is in both, `late.bin` in the second only, each in a pack of its own. */
async function backUpTwice(target: World): Promise<void> {
  writeFileSync(join(target.source, 'early.bin'), new SeededRandom(1).bytes(900_000))
  await target.backup()
  writeFileSync(join(target.source, 'late.bin'), new SeededRandom(2).bytes(900_000))
  await target.backup()
}

beforeAll(async () => {
  template = new World()
  await backUpTwice(template)
})

afterAll(() => { template[Symbol.dispose]() })

beforeEach(() => {
  world = new World()
  cpSync(template.repository, world.repository, { recursive: true, preserveTimestamps: true })
})

afterEach(() => { world[Symbol.dispose]() })

function objects(kind: string): string[] {
  const folder = join(world.repository, kind)
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
}

/** The two data packs, by age. */
function dataPacks(): string[] {
  return objects('packs').filter((path) => statSync(path).size > 900_000)
}

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path)
  const at = offset < 0 ? bytes.length + offset : offset
  bytes[at] = (bytes[at] ?? 0) ^ 1
  rmSync(path)
  writeFileSync(path, bytes)
}

function detailsOf(summary: RunSummary): CheckDetails {
  return summary.details as CheckDetails
}

function affected(summary: RunSummary): string[] {
  return detailsOf(summary).affected.map(({ snapshot, path }) => `${snapshot} ${path}`).sort()
}

const both = ['photos@1 /source/early.bin', 'photos@2 /source/early.bin']

test('a sound repository is found sound', async () => {
  const summary = await world.check({ readDataPercent: 100 })
  expect(summary.outcome).toBe('success')
  expect(detailsOf(summary)).toMatchObject({ snapshots: 2, packsRead: 2, damageCount: 0, affectedCount: 0 })
})

test('a missing pack is named, with the files of each snapshot that were in it', async () => {
  const [early = ''] = dataPacks()
  rmSync(early)
  const summary = await world.check()
  expect(summary.outcome).toBe('failed')
  expect(detailsOf(summary).damages).toMatchObject([{ problem: 'missing', object: early.slice(world.repository.length + 1) }])
  expect(affected(summary)).toEqual(both)
})

test('a truncated pack is found without reading data', async () => {
  const [, late = ''] = dataPacks()
  truncateSync(late, statSync(late).size - 1)
  const summary = await world.check()
  expect(summary.outcome).toBe('failed')
  expect(affected(summary)).toEqual(['photos@2 /source/late.bin'])
})

test('a flipped bit in data is found by reading data, and hides nothing else', async () => {
  const [early = ''] = dataPacks()
  flipBit(early, 5000)
  expect((await world.check()).outcome).toBe('success')
  const summary = await world.check({ readDataPercent: 100 })
  expect(summary.outcome).toBe('failed')
  expect(affected(summary)).toEqual(both)
})

test('a pack in another one’s place is found', async () => {
  const [early = '', late = ''] = dataPacks()
  rmSync(late)
  copyFileSync(early, late)
  const summary = await world.check()
  expect(detailsOf(summary).damages.map((damage) => damage.problem)).toContain('contradicts')
  expect(affected(summary)).toEqual(['photos@2 /source/late.bin'])
})

test.each(['index', 'snapshots'])('a flipped bit in %s is found', async (kind) => {
  const [first = ''] = objects(kind)
  flipBit(first, -5)
  const summary = await world.check()
  expect(detailsOf(summary).damages).toMatchObject([{ problem: 'damaged', object: first.slice(world.repository.length + 1) }])
  expect(summary.outcome).toBe(kind === 'index' ? 'warnings' : 'failed')
})

test('a lost table of contents costs no file while an index object tells the same, and is told', async () => {
  const [early = ''] = dataPacks()
  flipBit(early, -20)
  const summary = await world.check()
  expect(summary.outcome).toBe('warnings')
  expect(detailsOf(summary).damages).toMatchObject([{ problem: 'damaged' }])
})

test('repair writes lost and damaged index objects anew', async () => {
  const [first = '', second = ''] = objects('index')
  rmSync(first)
  flipBit(second, -5)
  const repaired = await world.check({ repair: true })
  expect(detailsOf(repaired).repair).toMatchObject({ indexObjects: 1, removedIndexObjects: 1 })
  expect((await world.check()).outcome).toBe('success')
  await world.run({ ...world.common, type: 'rebuild' })
  await world.restore(join(world.folder, 'restored'))
  expect(describeTree(join(world.folder, 'restored', 'source'))).toEqual(describeTree(template.source))
})

test('repair stores again what the source still has, and lists what remains', async () => {
  rmSync(world.repository, { recursive: true })
  await backUpTwice(world)
  const [early = '', late = ''] = dataPacks()
  flipBit(early, 5000)
  rmSync(late)
  rmSync(join(world.source, 'late.bin'))
  const repaired = await world.check({ readDataPercent: 100, repair: true })
  expect(detailsOf(repaired).repair).toMatchObject({ retiredPacks: 1 })
  expect(detailsOf(repaired).repair?.restoredBlobs).toBeGreaterThan(0)
  expect(affected(repaired)).toEqual(['photos@2 /source/late.bin'])
  await world.restore(join(world.folder, 'restored'), { snapshot: 'photos@1' })
  expect(readFileSync(join(world.folder, 'restored/source/early.bin'))).toEqual(readFileSync(join(world.source, 'early.bin')))
})

test('a prune keeps a retired pack whose only copy of something needed is damaged, and clears away the rest', async () => {
  rmSync(world.repository, { recursive: true })
  await backUpTwice(world)
  const [early = ''] = dataPacks()
  flipBit(early, 5000)
  rmSync(join(world.source, 'early.bin'))
  await world.check({ readDataPercent: 100, repair: true })
  const pruned = await world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0 })
  expect(pruned.outcome).toBe('warnings')
  expect(dataPacks()).toContain(early)
  await world.run({ ...world.common, type: 'forget', snapshots: ['photos@1', 'photos@2'], dryRun: false })
  await world.backup()
  await world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0 })
  expect(dataPacks()).not.toContain(early)
})

test('the next backup stores again what a retired pack held', async () => {
  rmSync(world.repository, { recursive: true })
  await backUpTwice(world)
  const [early = ''] = dataPacks()
  flipBit(early, 5000)
  await world.check({ readDataPercent: 100, repair: true })
  await world.backup()
  const summary = await world.check({ readDataPercent: 100 })
  expect(affected(summary)).toEqual([])
})

test('a retire record that nobody can read is told; a repair takes it away, and nothing that it may have named is relied upon', async () => {
  const record = join(world.repository, 'gc', 'a'.repeat(32))
  mkdirSync(join(world.repository, 'gc'), { recursive: true })
  writeFileSync(record, new SeededRandom(3).bytes(200))
  writeFileSync(join(world.source, 'third.bin'), new SeededRandom(4).bytes(10_000))
  await expect(world.backup()).rejects.toMatchObject({ code: 'damaged' })
  const found = await world.check()
  expect(found.outcome).toBe('warnings')
  expect(detailsOf(found).damages).toMatchObject([{ object: `gc/${'a'.repeat(32)}`, problem: 'damaged' }])

  const before = objects('packs')
  expect(detailsOf(await world.check({ repair: true })).repair).toMatchObject({ retiredPacks: before.length })
  expect(existsSync(record)).toBe(false)
  expect(await world.backup()).toMatchObject({ outcome: 'success' })
  // Whoever read the record while it could be read may delete whatever it names, now that a backup is through.
  const target = join(world.folder, 'restored')
  for (const pack of before) renameSync(pack, `${pack}.away`)
  await world.restore(target)
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
  for (const pack of before) renameSync(`${pack}.away`, pack)
  // The backup that was refused has left its session.
  const pruned = await world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0, expireAfterMs: 0 })
  expect(pruned).toMatchObject({ outcome: 'success', details: { result: { deletedPacks: before.length } } })
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
})

test('a retired pack that nobody can read stays, and holds up nothing else', async () => {
  const [early = ''] = dataPacks()
  truncateSync(early, 500_000)
  await world.check({ repair: true })
  const pruned = await world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0 })
  expect(pruned).toMatchObject({ outcome: 'warnings', details: { result: { damagedPacks: 1 } } })
  expect(existsSync(early)).toBe(true)
})
