import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createZstdCompress } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { randomName } from '../../../engine/repository/names.ts'
import type { PackContents } from '../../../engine/repository/pack-info.ts'
import { RunFailed } from '../../../engine/commands/failure.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import type { CheckDetails } from '../../../engine/commands/check.ts'
import type { RunSummary } from '../../../engine/protocol/progress.ts'
import { encodeList } from '../../../engine/snapshot/content.ts'
import { encodeBranch } from '../../../engine/snapshot/tree.ts'
import { SeededRandom } from '../../bench/random.ts'
import { Forger } from '../../faults/forger.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { describeTree } from '../../fixtures/tree.ts'
import type { TreeLines } from '../../fixtures/tree.ts'
import { World } from '../../fixtures/world.ts'

let world: World
let forger: Forger
let healthy: TreeLines

/** A repository with one healthy snapshot, and somebody with its password who means harm. */
beforeEach(async () => {
  world = new World()
  await initCheaply(world.repository, world.password)
  mkdirSync(join(world.source, 'inner'))
  writeFileSync(join(world.source, 'inner', 'letter'), 'dear reader')
  writeFileSync(join(world.source, 'picture'), new SeededRandom(5).bytes(300_000))
  await world.backup()
  healthy = describeTree(world.source)
  forger = await Forger.at(world)
})

afterEach(() => { world[Symbol.dispose]() })

/** More than this a forged object must never make a command take. */
const mostExtraBytes = 400 * 1024 * 1024

/** The most memory that this process has had while `work` ran, beyond what it had before. */
async function extraMemory(work: () => Promise<unknown>): Promise<number> {
  const before = process.resourceUsage().maxRSS
  await work()
  return (process.resourceUsage().maxRSS - before) * 1024
}

interface Attempt {
  /** Code of the error, or the outcome. */
  readonly ending: string
  readonly problems: readonly string[]
}

function told(summary: RunSummary): readonly string[] {
  return summary.firstProblems.map(({ code, path }) => `${code} ${path}`)
}

/** Restores a snapshot into a folder of its own; asserts that nothing beside that folder was touched. */
async function restored(snapshot: string, prepare: (target: string) => void = () => undefined): Promise<Attempt & { readonly target: string }> {
  const around = mkdtempSync(join(world.folder, 'around-'))
  const target = join(around, 'target')
  mkdirSync(target)
  writeFileSync(join(around, 'canary'), 'alive')
  prepare(target)
  const attempt = await ending(() => world.restore(target, { snapshot, overwrite: 'always' }))
  expect(readdirSync(around).toSorted()).toEqual(['canary', 'target'])
  expect(readFileSync(join(around, 'canary'), 'utf8')).toBe('alive')
  return { ...attempt, target }
}

async function ending(run: () => Promise<RunSummary>): Promise<Attempt> {
  try {
    const summary = await run()
    return { ending: summary.outcome, problems: told(summary) }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return { ending: error.code, problems: error instanceof RunFailed ? told(error.summary) : [] }
  }
}

/** Whatever else is in the repository, the healthy snapshot comes back whole, and browsing and checking reach their end. */
async function healthyRestores(): Promise<void> {
  const { ending: outcome, target } = await restored('photos@1')
  expect(outcome).toBe('success')
  expect(describeTree(join(target, 'source'))).toEqual(healthy)
}

async function checkTells(): Promise<readonly string[]> {
  const summary = await world.check({ readDataPercent: 100 })
  return (summary.details as CheckDetails).affected.map(({ snapshot, path }) => `${snapshot} ${path}`)
}

describe('names', () => {
  const names: readonly (readonly [string, string | Uint8Array])[] = [
    ['a path upward', '../canary'], ['an absolute path', '/etc/holdfast-evil'], ['a zero byte', 'a\0b'], ['a dot', '.'], ['two dots', '..'], ['nothing', ''],
    ['a folder', 'a/b'], ['1024 bytes', 'n'.repeat(1024)],
  ]
  test.each(names)('%s as a name of a file is refused', async (_, name) => {
    const root = forger.folder([forger.directory('top', forger.folder([forger.text(name, 'evil')]))])
    await forger.store()
    const snapshot = await forger.snapshot(root)
    const attempt = await restored(snapshot)
    expect(attempt).toMatchObject({ ending: 'warnings', problems: ['damaged top'] })
    expect(existsSync('/etc/holdfast-evil')).toBe(false)
    expect(await checkTells()).toEqual([`${snapshot} /top/`])
    await healthyRestores()
  })

  test('two entries of one name, and entries out of order, are refused', async () => {
    for (const entries of [[forger.symlink('a', '/tmp'), forger.directory('a', forger.folder([]))], [forger.text('b', '1'), forger.text('a', '2')]]) {
      const root = forger.folder(entries)
      await forger.store()
      const snapshot = await forger.snapshot(root)
      expect(await restored(snapshot)).toMatchObject({ ending: 'warnings', problems: ['damaged '] })
    }
    await healthyRestores()
  })
})

describe('links', () => {
  test('a symlink that leads out is a symlink; nothing is ever written through it', async () => {
    const outside = mkdtempSync(join(world.folder, 'outside-'))
    const first = await forger.snapshot(forger.folder([forger.symlink('way', outside)]))
    const second = await forger.snapshot(forger.folder([forger.directory('way', forger.folder([forger.text('evil', 'evil')]))]))
    await forger.store()
    const { target } = await restored(first)
    const attempt = await ending(() => world.restore(target, { snapshot: second, overwrite: 'always' }))
    expect(['success', 'warnings']).toContain(attempt.ending)
    const kept = await ending(() => world.restore(target, { snapshot: second, overwrite: 'never' }))
    expect(['success', 'warnings']).toContain(kept.ending)
    expect(readdirSync(outside)).toEqual([])
  })

  test('hard links that claim each other’s inode across folders stay inside', async () => {
    const shared = { inode: 7n, device: 7n, linkCount: 2 }
    const id = forger.data(Buffer.from('linked'))
    const file = (name: string) => forger.file(name, { depth: 0, ids: [id] }, 6, shared)
    const root = forger.folder([forger.symlink('a', '/etc/passwd'), forger.directory('b', forger.folder([file('one')])), file('c')])
    await forger.store()
    const { ending: outcome, target } = await restored(await forger.snapshot(root))
    expect(outcome).toBe('success')
    expect(readFileSync(join(target, 'c'), 'utf8')).toBe('linked')
  })
})

describe('trees', () => {
  test('folders nested deeper than any system bears end the restore with a clear word', async () => {
    let tree = forger.folder([forger.text('end', 'x')])
    for (let depth = 0; depth < 4200; depth++) tree = forger.folder([forger.directory('d', tree)])
    await forger.store()
    const snapshot = await forger.snapshot(tree)
    const attempt = await restored(snapshot)
    expect(attempt).toMatchObject({ ending: 'warnings', problems: [expect.stringContaining('not-restored')] })
    // Node's own goes down by paths that are too long here.
    execFileSync('rm', ['-rf', attempt.target])
    await world.check()
    await healthyRestores()
  }, 60_000)

  test('branches that do not become lower, or show a name that is not there, are refused', async () => {
    const leaf = forger.folder([forger.text('m', 'x')])
    const child = (firstName: string, tree: Uint8Array) => ({ firstName: Buffer.from(firstName), tree })
    const low = forger.tree(Uint8Array.from(encodeBranch(1, [child('m', leaf)])))
    const level = forger.tree(Uint8Array.from(encodeBranch(1, [child('m', low)])))
    const misplaced = forger.tree(Uint8Array.from(encodeBranch(1, [child('a', leaf), child('b', leaf)])))
    await forger.store()
    for (const root of [level, misplaced]) {
      const snapshot = await forger.snapshot(root)
      expect(await restored(snapshot)).toMatchObject({ ending: 'warnings', problems: ['damaged '] })
      expect(await checkTells()).toContain(`${snapshot} `)
    }
    await healthyRestores()
  })

  test('a folder that claims a billion entries, or a list that claims a billion chunks, takes no memory', async () => {
    const billion = forger.folder([forger.text('a', 'x')], 1_000_000_000)
    const list = Buffer.from([0x4c, 1, 1, 0x80, 0x94, 0xeb, 0xdc, 0x03])
    const root = forger.folder([forger.directory('folder', billion), forger.file('list', { depth: 1, ids: [forger.tree(list)] }, 1_000_000)])
    await forger.store()
    const snapshot = await forger.snapshot(root)
    const bytes = await extraMemory(async () => {
      expect(await restored(snapshot)).toMatchObject({ ending: 'warnings', problems: ['damaged folder', 'damaged list'] })
      expect((await checkTells()).toSorted()).toEqual([`${snapshot} /folder/`, `${snapshot} /list`])
    })
    expect(bytes).toBeLessThan(mostExtraBytes)
    await healthyRestores()
  })

  test('blobs that are no trees, and trees in the place of data, are refused', async () => {
    const junk = forger.tree(new SeededRandom(1).bytes(500))
    const asData = forger.folder([forger.text('x', 'x')])
    const root = forger.folder([
      forger.directory('junk', junk), forger.directory('of data', forger.data(Buffer.from('data'))), forger.file('of tree', { depth: 0, ids: [asData] }, 4),
    ])
    await forger.store()
    const snapshot = await forger.snapshot(root)
    const attempt = await restored(snapshot)
    expect(attempt.ending).toBe('warnings')
    expect(attempt.problems.toSorted()).toEqual(['damaged junk', 'damaged of data', 'damaged of tree'])
    expect((await checkTells()).length).toBe(3)
    await healthyRestores()
  })
})

describe('sizes', () => {
  test('a file whose parts are more or less than its size is told by restore and by check', async () => {
    const id = forger.data(Buffer.alloc(1000, 'x'))
    const root = forger.folder([
      forger.file('huge', { depth: 0, ids: [id] }, Number.MAX_SAFE_INTEGER), forger.file('less', { depth: 0, ids: [id] }, 999),
      forger.file('more', { depth: 0, ids: [id, id] }, 1000), forger.file('none', { depth: 0, ids: [] }, 10), forger.text('right', 'right'),
    ])
    await forger.store()
    const snapshot = await forger.snapshot(root)
    const attempt = await restored(snapshot)
    expect(attempt).toMatchObject({ ending: 'warnings', problems: ['damaged huge', 'damaged less', 'damaged more', 'damaged none'] })
    expect(readdirSync(attempt.target)).toEqual(['right'])
    expect(await checkTells()).toEqual(['huge', 'less', 'more', 'none'].map((name) => `${snapshot} /${name}`))
    await healthyRestores()
  })

  test('lists that repeat themselves a trillion times end at the file’s size', async () => {
    const chunk = forger.data(Buffer.alloc(1_000_000, 'x'))
    let list = forger.tree(Uint8Array.from(encodeList(0, new Array<Uint8Array>(1024).fill(chunk))))
    for (let depth = 1; depth < 8; depth++) list = forger.tree(Uint8Array.from(encodeList(depth, new Array<Uint8Array>(1024).fill(list))))
    const root = forger.folder([forger.file('bomb', { depth: 8, ids: [list] }, 10_000_000), forger.file('endless', { depth: 8, ids: [list] }, Number.MAX_SAFE_INTEGER)])
    await forger.store()
    const snapshot = await forger.snapshot(root)
    expect(await checkTells()).toEqual([`${snapshot} /bomb`, `${snapshot} /endless`])
    const around = join(world.folder, 'bomb')
    expect(await ending(() => world.restore(around, { snapshot, paths: [Buffer.from('bomb')] }))).toMatchObject({ ending: 'warnings', problems: ['damaged bomb'] })
    await healthyRestores()
  }, 30_000)

  test('a chunk of no bytes, which could be repeated for ever, is refused', async () => {
    const nothing: PackContents = { kind: 'data', segments: [{ offset: 4, storedLength: 48, rawLength: 0, compression: 'none', blobs: [{ id: forger.idOf(Buffer.alloc(0)), length: 0 }] }] }
    await forger.index([{ name: randomName(systemRandom), size: 200, contents: nothing }])
    const summary = await world.check()
    expect((summary.details as CheckDetails).damages).toMatchObject([{ problem: 'damaged' }])
    await healthyRestores()
  })
})

describe('bombs', () => {
  let bomb: Buffer

  /** A few KiB that unpack to 768 MiB; made in a stream, so that this process has never taken that much itself. */
  beforeAll(async () => {
    const zeros = Buffer.alloc(2 ** 20)
    const stream = Readable.from(new Array<Buffer>(768).fill(zeros)).pipe(createZstdCompress())
    bomb = Buffer.concat(await stream.toArray() as Buffer[])
  })

  test.each([1000, 16 * 1024 * 1024])('a segment that unpacks to more than the %d bytes it claims is refused before it takes memory', async (rawLength) => {
    const id = forger.idOf(Buffer.alloc(rawLength))
    const contents = (storedLength: number): PackContents => ({ kind: 'data', segments: [{ offset: 4, storedLength, rawLength, compression: 'zstd', blobs: [{ id, length: rawLength }] }] })
    const pack = await forger.rawPack('data', { plain: bomb.length < rawLength ? bomb : bomb.subarray(0, rawLength - 1), rawLength, blobCount: 1 }, contents)
    const root = forger.folder([forger.file('bomb', { depth: 0, ids: [id] }, rawLength)])
    await forger.store((packs) => [...packs, pack])
    const snapshot = await forger.snapshot(root)
    const bytes = await extraMemory(async () => {
      expect(await restored(snapshot)).toMatchObject({ ending: 'warnings', problems: ['damaged bomb'] })
      expect(await checkTells()).toEqual([`${snapshot} /bomb`])
    })
    expect(bytes).toBeLessThan(mostExtraBytes / 2)
    await healthyRestores()
  })
})

describe('indexes', () => {
  test.each(['restore', 'backup'] as const)('one that points into nowhere is seen through by %s', async (command) => {
    const root = forger.folder([forger.text('real', 'real content')])
    // Besides the truth the index names places for the same blobs in packs that do not exist, and names them first.
    await forger.store((packs) => [...packs.map((pack) => ({ ...pack, name: randomName(systemRandom) })), ...packs])
    const snapshot = await forger.snapshot(root)
    if (command === 'restore') {
      const { ending: outcome, target } = await restored(snapshot)
      expect(outcome).toBe('success')
      expect(readFileSync(join(target, 'real'), 'utf8')).toBe('real content')
    } else {
      writeFileSync(join(world.source, 'real'), 'real content')
      expect((await world.backup()).outcome).toBe('success')
      expect((await restored('photos@2')).ending).toBe('success')
    }
    await healthyRestores()
  })

  test('one that tells wrong places of what healthy snapshots need passes nothing off as something else', async () => {
    const one = forger.data(Buffer.alloc(5000, 'one!'))
    const two = forger.data(Buffer.alloc(5000, 'two!'))
    const root = forger.folder([forger.file('1', { depth: 0, ids: [one] }, 5000), forger.file('2', { depth: 0, ids: [two] }, 5000)])
    // Swaps the two blobs of the data pack, so that each is said to be where the other is.
    await forger.store((packs) => packs.map((pack) => ({
      ...pack,
      contents: { ...pack.contents, segments: pack.contents.segments.map((segment) => ({ ...segment, blobs: segment.blobs.toReversed() })) },
    })))
    const snapshot = await forger.snapshot(root)
    const { ending: outcome, problems, target } = await restored(snapshot)
    expect(outcome).toBe('warnings')
    expect(problems).toEqual(['damaged 1', 'damaged 2'])
    expect(readdirSync(target)).toEqual([])
    const details = (await world.check({ readDataPercent: 100 })).details as CheckDetails
    expect(details.damages.map(({ problem }) => problem)).toContain('contradicts')
    await healthyRestores()
  })

  test('two blobs said to be in one place do not stand for each other', async () => {
    const one = forger.data(Buffer.alloc(5000, 'one!'))
    const two = forger.idOf(Buffer.alloc(5000, 'two!'))
    const root = forger.folder([forger.file('1', { depth: 0, ids: [one] }, 5000), forger.file('2', { depth: 0, ids: [two] }, 5000)])
    const packs = await forger.store()
    await forger.index(packs.filter(({ contents }) => contents.kind === 'data').map((pack) => ({
      ...pack,
      name: pack.name,
      contents: { ...pack.contents, segments: pack.contents.segments.map((segment) => ({ ...segment, blobs: segment.blobs.map((blob) => ({ ...blob, id: two })) })) },
    })))
    const snapshot = await forger.snapshot(root)
    const { target } = await restored(snapshot)
    if (existsSync(join(target, '2'))) expect(readFileSync(join(target, '2')).subarray(0, 4).toString()).not.toBe('one!')
    await healthyRestores()
  })
})

describe('manifests and records', () => {
  const absurd: readonly (readonly [string, Record<string, unknown>])[] = [
    ['negative counters', { counters: { files: -1, directories: 0, others: 0, bytes: 0, uploadedBytes: 0 } }],
    ['counters beyond numbers', { counters: { files: 1e300, directories: 0, others: 0, bytes: 0, uploadedBytes: 0 } }],
    ['a root that is none', { root: 'ff' }],
    ['a job name with control characters and 10 kB', { job: `\u001b[2J${'x'.repeat(10_000)}` }],
    ['a million sources', { sources: new Array<unknown>(20_000).fill({ name: 'eA==', path: 'eA==' }) }],
    ['a field more', { extra: true }],
    ['no times', { startedMs: 'now', finishedMs: null }],
  ]
  test.each(absurd)('a manifest with %s is damaged, and hides no other snapshot', async (_, more) => {
    const root = forger.folder([])
    await forger.store()
    const snapshot = await forger.snapshot(root, more)
    expect((await restored(snapshot)).ending).toBe('damaged')
    expect((await checkTells()).length).toBe(1)
    expect((await ending(() => world.run({ ...world.common, type: 'forget', snapshots: [], policy: { last: 1 }, dryRun: true }))).ending).toBe('unchanged')
    expect((await ending(() => world.run({ ...world.common, type: 'prune', dryRun: false }))).ending).toBe('damaged')
    expect((await world.backup()).outcome).toBe('unchanged')
    await healthyRestores()
  })

  test('a manifest of a later version is called that', async () => {
    const root = forger.folder([])
    await forger.store()
    const snapshot = await forger.snapshot(root, { version: 3 })
    expect((await restored(snapshot)).ending).toBe('version')
    expect((await ending(() => world.run({ ...world.common, type: 'prune', dryRun: false }))).ending).toBe('version')
    await healthyRestores()
  })

  test('escape sequences in job names and paths do not reach a terminal', async () => {
    const root = forger.folder([forger.directory('\u001b[31m', forger.folder([forger.text('..', 'x')]))])
    await forger.store()
    const attempt = await restored(await forger.snapshot(root))
    expect(attempt.problems.join()).not.toContain('\u001b')
    rmSync(attempt.target, { recursive: true })
  })
})
