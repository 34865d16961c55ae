import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseDrillDetails, type DrillProof } from '../../../engine/protocol/drill.ts'
import type { DrillJob } from '../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { openScratch } from '../../../engine/commands/drill/scratch.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import type { CheckDetails } from '../../../engine/commands/check.ts'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { SeededRandom } from '../../bench/random.ts'
import { SmallDisk } from '../../servers/small-disk.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'
import type { World } from '../../fixtures/world.ts'

const timeout = 120_000
let world: World

beforeEach(async () => {
  world = await quickWorld()
  for (let folder = 0; folder < 4; folder++) {
    mkdirSync(join(world.source, `folder-${folder}`))
    for (let file = 0; file < 5; file++) writeFileSync(join(world.source, `folder-${folder}`, `file-${file}`), new SeededRandom(10 * folder + file).bytes(20_000 + 30_000 * file))
  }
  await world.backup()
})

afterEach(() => {
  if (existsSync(join(world.source, 'folder-0'))) chmodSync(join(world.source, 'folder-0'), 0o700)
  world[Symbol.dispose]()
})

function drill(job: Partial<DrillJob> = {}): Promise<RunSummary> {
  return world.run({ ...world.common, type: 'drill', seed: 'a', ...job })
}

function proofOf(summary: RunSummary): DrillProof | undefined {
  return parseDrillDetails(summary.details)?.proof
}

async function drills(): Promise<readonly DrillProof[]> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  return await browser.drills(1000)
}

function packFiles(): string[] {
  return readdirSync(join(world.repository, 'packs'), { recursive: true, encoding: 'utf8' }).map((name) => join(world.repository, 'packs', name))
    .filter((path) => statSync(path).isFile()).toSorted((a, b) => statSync(b).size - statSync(a).size)
}

const leftovers = (): string[] => readdirSync(join(world.home, 'drills')).filter((name) => !name.startsWith('lock'))

test('files are restored without any cache, compared with what was recorded and with their sources, removed, and the proof is kept', { timeout }, async () => {
  chmodSync(join(world.source, 'folder-0'), 0o500)
  await world.backup()
  // What catalogs and caches know is of no use: the storage alone has to do.
  const catalogs = join(world.home, 'catalogs')
  for (const name of readdirSync(catalogs, { recursive: true, encoding: 'utf8' })) if (name.endsWith('.db')) truncateSync(join(catalogs, name), 0)
  const summary = await drill({ files: 20 })
  expect(summary).toMatchObject({ operation: 'drill', outcome: 'success', problems: 0 })
  const proof = proofOf(summary)
  expect(proof).toMatchObject({ result: 'passed', files: 20, failed: 0, compared: 20 })
  expect(summary.downloadedBytes).toBeGreaterThan(proof?.bytes ?? Infinity)
  expect(leftovers()).toEqual([])
  expect(await drills()).toEqual([proof])
  expect((await world.check()).details).toMatchObject({ drill: proof, damageCount: 0 })
})

test('the same seed takes the same files, another one others, and no more than fit', { timeout }, async () => {
  const first = proofOf(await drill({ files: 5 }))
  expect(proofOf(await drill({ files: 5 }))?.bytes).toBe(first?.bytes)
  const others = new Set<number | undefined>()
  for (const seed of ['b', 'c', 'd']) others.add(proofOf(await drill({ files: 5, seed }))?.bytes)
  expect(others.size).toBeGreaterThan(1)
  const small = proofOf(await drill({ bytes: 100_000 }))
  expect(small?.bytes).toBeLessThanOrEqual(100_000)
  expect(small?.files).toBeGreaterThan(0)
})

describe('a pack that is', () => {
  test.each([
    ['damaged', (path: string) => {
      const bytes = readFileSync(path)
      for (let at = 100; at < bytes.length - 40_000; at += 5000) bytes[at] = (bytes[at] ?? 0) ^ 1
      rmSync(path)
      writeFileSync(path, bytes)
    }],
    ['lost', (path: string) => { rmSync(path) }],
    ['cut short', (path: string) => { truncateSync(path, 1000) }],
  ])('%s fails the drill, with the names of the files', { timeout }, async (_what, spoil) => {
    spoil(packFiles()[0] ?? '')
    const summary = await drill()
    expect(summary.outcome).toBe('failed')
    expect(summary.firstProblems[0]?.path).toMatch(/^photos@1: source\/folder-\d\/file-\d$/)
    expect(proofOf(summary)).toMatchObject({ result: 'failed', failed: summary.problems })
    expect((await drills())[0]?.result).toBe('failed')
    expect(leftovers()).toEqual([])
  })

  test('lost with folders in it fails the drill too', { timeout }, async () => {
    rmSync(packFiles().at(-1) ?? '')
    const summary = await drill()
    expect([summary.outcome, summary.firstProblems[0]?.path]).toEqual(['failed', expect.stringMatching(/^photos@1: .*\/$/)])
  })
})

test('a source that was changed, or put back with its old time, is no failure of a drill', { timeout }, async () => {
  const path = join(world.source, 'folder-1', 'file-1')
  const { mtime } = statSync(path)
  writeFileSync(path, 'changed as people change files')
  expect(proofOf(await drill({ files: 100 }))).toMatchObject({ result: 'passed', compared: 19 })
  await world.backup()
  writeFileSync(path, readFileSync(path))
  utimesSync(path, mtime, mtime)
  await world.backup()
  expect(proofOf(await drill({ files: 100, seed: 'x' }))).toMatchObject({ result: 'passed', failed: 0 })
})

test('what a drill that was killed has left is gone after the next; two at once are one too many', { timeout }, async () => {
  const left = join(world.home, 'drills', '0123456789abcdef', 'files', '0', 'closed')
  mkdirSync(left, { recursive: true })
  writeFileSync(join(left, 'secret'), 'plain text')
  chmodSync(left, 0o500)
  {
    using _scratch = openScratch(world.home, systemRandom)
    await expect(drill()).rejects.toMatchObject({ code: 'busy' })
  }
  expect(leftovers()).toEqual([])
  mkdirSync(left, { recursive: true })
  expect((await drill()).outcome).toBe('success')
  expect(leftovers()).toEqual([])
})

test('a storage that goes away ends the drill with its own error, and leaves nothing', { timeout }, async () => {
  const repository = `faulty+file://${world.repository}?fault.rule=${encodeURIComponent('get,before,prefix=packs/,skip=2,times=1000,code=offline')}`
  await expect(drill({ repository, patienceMs: 0 })).rejects.toMatchObject({ code: 'offline' })
  expect(leftovers()).toEqual([])
  expect(await drills()).toEqual([])
})

test('where there is nothing to restore there is no proof', { timeout }, async () => {
  const summary = await drill({ name: 'nothing' })
  expect([summary.outcome, proofOf(summary)]).toEqual(['unchanged', undefined])
  expect(await drills()).toEqual([])
})

test('a proof that went bad, or that nobody can have written, harms nothing, is told by a check, and goes with a repair', { timeout }, async () => {
  const { proof } = parseDrillDetails((await drill()).details) ?? {}
  const folder = join(world.repository, 'drills')
  const [good = ''] = readdirSync(folder)
  const bytes = readFileSync(join(folder, good))
  const bad = ['0'.repeat(32), 'f'.repeat(32)]
  for (const name of bad) writeFileSync(join(folder, name), name.startsWith('0') ? bytes : bytes.map((byte, at) => (at === 60 ? byte ^ 1 : byte)))
  expect(await drills()).toEqual([proof])
  const found = (await world.check()).details as CheckDetails
  expect(found.damages.map(({ object }) => object).toSorted()).toEqual(bad.map((name) => `drills/${name}`))
  await world.check({ repair: true })
  expect(readdirSync(folder)).toEqual([good])
  expect((await world.check()).outcome).toBe('success')
})

test('of very many proofs the newest hundred stay', { timeout }, async () => {
  await drill()
  const folder = join(world.repository, 'drills')
  const bytes = readFileSync(join(folder, readdirSync(folder)[0] ?? ''))
  for (let at = 0; at < 120; at++) {
    const path = join(folder, at.toString(16).padStart(32, '0'))
    writeFileSync(path, bytes)
    utimesSync(path, 1000 + at, 1000 + at)
  }
  await drill()
  const left = readdirSync(folder)
  expect(left.length).toBe(101)
  expect(left).not.toContain((20).toString(16).padStart(32, '0'))
  expect(left).toContain((119).toString(16).padStart(32, '0'))
})

test('a disk that is full ends the drill with what it is, leaves nothing there, and keeps no proof', { timeout }, async () => {
  const folder = join(world.home, 'drills')
  {
    using disk = SmallDisk.mount(folder, 256 * 1024, '0700')
    disk.fill('lock-filled')
    await expect(drill()).rejects.toMatchObject({ code: 'full' })
    expect(leftovers()).toEqual([])
  }
  expect(await drills()).toEqual([])
  expect((await drill()).outcome).toBe('success')
})
