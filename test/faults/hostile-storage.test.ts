import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../engine/base/errors.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { SeededRandom } from '../bench/random.ts'
import { initCheaply } from '../fixtures/cheap-repository.ts'
import { describeTree } from '../fixtures/tree.ts'
import type { TreeLines } from '../fixtures/tree.ts'
import { World } from '../fixtures/world.ts'

/** A storage in the hands of somebody without the password. */
let template: World
let first: TreeLines
let world: World

beforeAll(async () => {
  template = new World()
  await initCheaply(template.repository, template.password)
  writeFileSync(join(template.source, 'early'), new SeededRandom(1).bytes(200_000))
  await template.backup()
  first = describeTree(template.source)
  writeFileSync(join(template.source, 'late'), new SeededRandom(2).bytes(150_000))
  await template.backup()
  // A session without an end: what a dead machine leaves.
  const { repository } = template
  template.repository = `faulty+file://${repository}?fault.rule=put,before,prefix=snapshots/,code=denied`
  await template.backup({ name: 'other' }).catch(() => undefined)
  template.repository = repository
})

afterAll(() => { template[Symbol.dispose]() })

beforeEach(() => {
  world = new World()
  cpSync(template.repository, world.repository, { recursive: true, preserveTimestamps: true })
})

afterEach(() => { world[Symbol.dispose]() })

const kinds = ['config', 'keys', 'packs', 'index', 'snapshots', 'intents'] as const

function objects(kind: string): string[] {
  const path = join(world.repository, kind)
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name)).filter((name) => statSync(name).isFile()).toSorted()
}

function change(path: string, edit: (bytes: Buffer) => Buffer): void {
  const bytes = edit(readFileSync(path))
  rmSync(path)
  writeFileSync(path, bytes)
}

const damages: Readonly<Record<string, (path: string, other: string | undefined) => void>> = {
  empty: (path) => { change(path, () => Buffer.alloc(0)) },
  'one byte short': (path) => { change(path, (bytes) => bytes.subarray(0, bytes.length - 1)) },
  'one byte long': (path) => { change(path, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])) },
  'a flipped bit at its start': (path) => { change(path, (bytes) => bytes.map((byte, at) => (at === 2 ? byte ^ 1 : byte)) as Buffer) },
  'a flipped bit in its middle': (path) => { change(path, (bytes) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 4 : byte)) as Buffer) },
  'a flipped bit near its end': (path) => { change(path, (bytes) => bytes.map((byte, at) => (at === bytes.length - 6 ? byte ^ 128 : byte)) as Buffer) },
  swapped: (path, other) => { if (other !== undefined) { rmSync(path); copyFileSync(other, path) } },
  // Holes: nothing on the disk, terabytes to whoever believes it.
  huge: (path) => { truncateSync(path, 3 * 2 ** 40) },
  gone: (path) => { rmSync(path) },
}

interface Ending {
  readonly word: string
  readonly summary?: RunSummary
}

async function ending(run: Promise<RunSummary>): Promise<Ending> {
  try {
    const summary = await run
    return { word: summary.outcome, summary }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return { word: error.code }
  }
}

/** A restore may fail; what it calls a success is what was stored, and it never writes beside its target. */
async function tryRestore(snapshot: string, wanted: TreeLines): Promise<string> {
  const around = mkdtempSync(join(world.folder, 'around-'))
  const { word } = await ending(world.restore(join(around, 'target'), { snapshot }))
  expect(readdirSync(around).filter((name) => name !== 'target')).toEqual([])
  if (word === 'success') {
    const [, ...lines] = describeTree(join(around, 'target', 'source'))
    expect(lines).toEqual(wanted.slice(1))
  }
  return word
}

const clear = ['damaged', 'version', 'password', 'not-a-repository', 'not-found', 'warnings', 'failed', 'success', 'unchanged']

describe.each(kinds)('%s', (kind) => {
  test.each(Object.keys(damages))('%s: a clear word from every command, nothing wrong is passed off as right, memory stays bounded', async (damage) => {
    const before = process.resourceUsage().maxRSS
    const [victim = '', other] = objects(kind)
    damages[damage]?.(victim, other)
    const words = [await tryRestore('photos@2', describeTree(template.source)), await tryRestore('photos@1', first)]
    const check = await ending(world.check({ readDataPercent: 100 }))
    const prune = await ending(world.run({ ...world.common, type: 'prune', dryRun: false }))
    for (const word of [...words, check.word, prune.word]) expect(clear, `${kind} ${damage}`).toContain(word)
    if (kind === 'packs') expect(check.word, 'a check sees it').not.toBe('success')
    if (kind === 'snapshots' && !(damage === 'swapped' && other === undefined)) expect(words, 'one of the two snapshots is untouched').toContain('success')
    if (kind === 'intents' || kind === 'index') expect(words).toEqual(['success', 'success'])
    expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(400 * 2 ** 20)
  })
})

test('junk in every folder changes nothing', async () => {
  const hex = 'ab'.repeat(16)
  const names = [
    'stranger', 'packs/stranger', 'packs/ab/stranger', `packs/cd/${hex}`, `packs/ab/${hex}`, 'index/stranger', `index/${hex}`, `keys/${hex}`, 'keys/stranger', 
    'packs/ab/Thumbs.db', 'snapshots/Thumbs.DB', 'lost+found/x', 'acks/.hidden',
  ]
  for (const name of names) {
    mkdirSync(dirname(join(world.repository, name)), { recursive: true })
    if (!existsSync(join(world.repository, name))) writeFileSync(join(world.repository, name), 'not of Holdfast')
  }
  expect(await tryRestore('photos@2', describeTree(template.source))).toBe('success')
  writeFileSync(join(world.source, 'more'), 'more')
  expect((await ending(world.backup())).word).toBe('success')
  expect((await ending(world.check({ readDataPercent: 100 }))).word).toBe('warnings')
  expect(await tryRestore('photos@2', describeTree(template.source))).toBe('success')
})

test.each([
  // A backup must know every retire record (R2): one that it cannot read could name the packs that it is about to build upon.
  { name: 'gc/desktop.ini', check: 'warnings', backup: 'version' },
  { name: 'snapshots/desktop.ini', check: 'warnings', backup: 'success' },
  { name: 'intents/desktop.ini', check: 'success', backup: 'success' },
  { name: 'acks/desktop.ini', check: 'success', backup: 'success' },
])('a stranger’s file $name: no prune deletes anything beside it, and every snapshot restores', async ({ name, check, backup }) => {
  mkdirSync(dirname(join(world.repository, name)), { recursive: true })
  writeFileSync(join(world.repository, name), 'x')
  const packs = objects('packs')
  expect((await ending(world.run({ ...world.common, type: 'prune', dryRun: false }))).word).toBe('version')
  expect(objects('packs')).toEqual(packs)
  expect(await tryRestore('photos@2', describeTree(template.source))).toBe('success')
  expect(await tryRestore('latest', describeTree(template.source))).toBe('success')
  expect((await ending(world.check())).word).toBe(check)
  writeFileSync(join(world.source, 'more'), 'more')
  expect((await ending(world.backup())).word).toBe(backup)
})
