import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findSources, nameSources } from '../../../../engine/commands/backup/sources.ts'
import { openBrowser } from '../../../../engine/commands/browse.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import { systemDisk } from '../../../../engine/source/disk.ts'
import type { World } from '../../../fixtures/world.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

let world: World
let notes: string[]

beforeEach(async () => {
  world = await quickWorld()
  notes = []
})
afterEach(() => { world[Symbol.dispose]() })

const at = (name: string): string => join(world.folder, name)

function folder(name: string, ...files: string[]): string {
  mkdirSync(at(name), { recursive: true })
  for (const file of files) writeFileSync(join(at(name), file), file)
  return at(name)
}

const backup = (sources: BackupJob['sources'], more: Partial<BackupJob> = {}) => world.backup({ sources, ...more })

/** Paths of the newest snapshot, two levels deep. */
async function stored(): Promise<string[]> {
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  const list = async (path: string): Promise<string[]> => {
    const { entries } = await browser.list({ type: 'list', snapshot: 'latest:photos', path: Buffer.from(path), limit: 1000 })
    return entries.map((entry) => entry.shown)
  }
  const paths: string[] = []
  for (const name of await list('')) {
    paths.push(name, ...(await list(name).catch(() => [])).map((file) => `${name}/${file}`))
  }
  return paths
}

const found = (...paths: BackupJob['sources'][number][]) => findSources(paths, systemDisk, (words) => { notes.push(words) })
const names = (paths: readonly string[], known: ReadonlyMap<string, string> = new Map()): Record<string, string> =>
  Object.fromEntries(nameSources(paths.map((given) => ({ given, path: given })), known).map(({ given, name }) => [given, name]))

describe('a source that is a symbolic link', () => {
  test('stands for its target, with or without a slash behind, under its own name', async () => {
    folder('real', 'a', 'b')
    symlinkSync('real', at('link'))
    for (const typed of [at('link'), `${at('link')}/`]) {
      await backup([typed])
      expect(await stored()).toEqual(['link', 'link/a', 'link/b'])
    }
    expect((await backup([at('link')])).outcome).toBe('unchanged')
  })

  test('to a file stores that file', async () => {
    folder('real', 'a')
    symlinkSync('real/a', at('link'))
    await backup([at('link')])
    await world.restore(at('out'))
    expect(readFileSync(at('out/link'), 'utf8')).toBe('a')
  })

  test('that leads nowhere is missing', async () => {
    symlinkSync('nowhere', at('link'))
    await expect(backup([at('link')])).rejects.toMatchObject({ code: 'source-missing' })
  })

  test('on the way is followed as ever', async () => {
    folder('real/deep', 'a')
    symlinkSync('real', at('link'))
    await backup([at('link/deep')])
    expect(await stored()).toEqual(['deep', 'deep/a'])
  })

  test('to another source is stored once, as that, whatever the order', () => {
    folder('real', 'a')
    symlinkSync('real', at('link'))
    for (const paths of [[at('link'), at('real')], [at('real'), at('link')]]) expect(found(...paths).map(({ given }) => given)).toEqual([at('real')])
    expect(notes).toEqual(Array(2).fill(expect.stringContaining('is the same folder as')))
  })
})

describe('names in the snapshot', () => {
  test('are the last parts of the paths, and told apart by the folder above', () => {
    expect(names(['/x/a', '/x/b'])).toEqual({ '/x/a': 'a', '/x/b': 'b' })
    expect(names(['/anna/docs', '/ben/docs', '/x'])).toEqual({ '/anna/docs': 'docs (anna)', '/ben/docs': 'docs (ben)', '/x': 'x' })
    expect(names(['/', '/root'])).toEqual({ '/': 'root-2', '/root': 'root-3' })
  })

  test('do not depend on the order, and no two are the same', () => {
    const paths = ['/anna/docs', '/ben/docs', '/x/anna/docs', '/docs', '/y/docs (ben)', '/', '/root', `/p/${'ü'.repeat(120)}`, `/q/${'ü'.repeat(120)}`]
    const forward = names(paths)
    expect(names(paths.toReversed())).toEqual(forward)
    expect(new Set(Object.values(forward)).size).toBe(paths.length)
    for (const name of Object.values(forward)) expect(name.length).toBeLessThanOrEqual(255)
  })

  test('stay when a third comes, and when one goes', () => {
    const two = names(['/anna/docs', '/ben/docs'])
    expect(names(['/cleo/docs', '/ben/docs', '/anna/docs'])).toMatchObject(two)
    const one = names(['/anna/docs'])
    expect(names(['/anna/docs', '/ben/docs'], new Map(Object.entries(one)))).toEqual({ '/anna/docs': 'docs', '/ben/docs': 'docs (ben)' })
  })

  test('stay from run to run', async () => {
    const [one, two] = [folder('one/docs', 'a'), folder('two/docs', 'b')]
    await backup([two])
    await backup([one, two])
    expect(await stored()).toEqual(['docs', 'docs/b', 'docs (one)', 'docs (one)/a'])
  })
})

test('the same source twice is one; of no path, of /proc and of too many nothing is made', () => {
  folder('a', 'x')
  expect(found(at('a'), `${at('a')}/`, `${at('a')}/.`)).toHaveLength(1)
  for (const paths of [[], [''], ['relative'], ['/proc'], ['/proc/self'], ['/sys/kernel'], Array.from({ length: 10_001 }, (_, index) => `/x${index}`)]) {
    expect(() => found(...paths)).toThrow(expect.objectContaining({ code: 'arguments' }) as Error)
  }
})

test('a source whose path is no text is stored by its bytes', async () => {
  const path = Buffer.concat([Buffer.from(`${world.folder}/caf`), Buffer.from([0xe9])])
  mkdirSync(path)
  writeFileSync(Buffer.concat([path, Buffer.from('/a')]), 'x')
  await backup([path])
  expect((await stored())[0]).toBe('caf\\xe9')
})

test('what the kernel makes up is left out of a source that holds it, and that is told', async () => {
  folder('one/proc')
  folder('one/tmpfs')
  const mounted = [['proc', 'proc'], ['tmpfs', 'tmpfs']].map(([type = '', name = '']) => spawnSync('mount', ['-t', type, type, at(`one/${name}`)]).status)
  try {
    if (mounted[1] === 0) writeFileSync(at('one/tmpfs/kept'), 'x')
    await backup([at('one')])
    expect(await stored()).toEqual(['one', 'one/proc', 'one/tmpfs'])
    await world.restore(at('out'))
    expect([readdirSync(at('out/one/proc')), readdirSync(at('out/one/tmpfs'))]).toEqual([[], mounted[1] === 0 ? ['kept'] : []])
    expect(world.lines.filter(({ message }) => message.includes('kernel makes up')).length).toBe(mounted[0] === 0 ? 1 : 0)
  } finally {
    spawnSync('umount', [at('one/proc'), at('one/tmpfs')])
  }
})

test('a source inside another is stored as both', async () => {
  folder('a/b', 'x')
  await backup([at('a'), at('a/b')])
  expect(await stored()).toEqual(['a', 'a/b', 'b', 'b/x'])
})

describe('a source that is not what it was', () => {
  test('and is missing keeps what was stored, the others are stored', async () => {
    const [one, two] = [folder('one', 'a'), folder('two', 'b')]
    await backup([one, two])
    renameSync(one, at('away'))
    folder('two', 'c')
    const summary = await backup([one, two])
    expect([summary.outcome, world.problems]).toEqual(['warnings', [expect.objectContaining({ code: 'source-missing', path: one, message: expect.stringContaining('keeps its last stored version') as string })]])
    expect(await stored()).toEqual(['one', 'one/a', 'two', 'two/b', 'two/c'])
    renameSync(at('away'), one)
    expect((await backup([one, two])).outcome).not.toBe('warnings')
  })

  test('and was never there is told, and left out', async () => {
    const summary = await backup([folder('one', 'a'), at('never')])
    expect([summary.outcome, world.problems]).toEqual(['warnings', [expect.objectContaining({ code: 'source-missing', path: at('never'), message: expect.stringContaining('not in the snapshot') as string })]])
  })

  test.each([['', []], ['but for what a disk brings', ['lost+found', '.Trashes']]])('and is suddenly empty %s keeps what was stored, until that is accepted', async (_what, left) => {
    const one = folder('one', 'a')
    await backup([one])
    rmSync(one, { recursive: true })
    folder('one', ...left)
    const summary = await backup([one])
    expect([summary.outcome, world.problems]).toEqual(['warnings', [expect.objectContaining({ code: 'source-changed', path: one, message: expect.stringContaining('--accept-changed-sources') as string })]])
    expect(await stored()).toEqual(['one', 'one/a'])
    expect((await backup([one], { acceptChangedSources: true })).outcome).toBe('success')
    expect(await stored()).toEqual(['one', ...left.toSorted().map((name) => `one/${name}`)])
    expect((await backup([one])).outcome).toBe('unchanged')
  })

  test('and is on another disk than before keeps what was stored, until that is accepted', async () => {
    const one = folder('one', 'a')
    expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', one]).status).toBe(0)
    writeFileSync(join(one, 'on the disk'), 'x')
    try {
      await backup([one])
      expect(await stored()).toEqual(['one', 'one/on the disk'])
    } finally {
      spawnSync('umount', [one])
    }
    expect((await backup([one])).outcome).toBe('warnings')
    expect(world.problems).toEqual([expect.objectContaining({ code: 'source-changed', message: expect.stringContaining('another disk') as string })])
    expect(await stored()).toEqual(['one', 'one/on the disk'])
    expect((await backup([one], { acceptChangedSources: true })).outcome).toBe('success')
    expect(await stored()).toEqual(['one', 'one/a'])
  })

  test('is held by a machine that has lost its catalog too', async () => {
    const one = folder('one', 'a')
    await backup([one])
    rmSync(world.home, { recursive: true })
    rmSync(one, { recursive: true })
    folder('one')
    expect((await backup([one])).outcome).toBe('warnings')
    expect(await stored()).toEqual(['one', 'one/a'])
  })

  test('but another folder of the same name is stored as it is', async () => {
    await backup([folder('x/docs', 'a')])
    const summary = await backup([folder('y/docs')])
    expect([summary.outcome, await stored()]).toEqual(['success', ['docs']])
  })

  test('and was empty before, or whose files are all left out, is no question', async () => {
    const one = folder('one')
    await backup([one])
    expect((await backup([one])).outcome).toBe('unchanged')
    folder('one', 'a')
    await backup([one])
    expect((await backup([one], { excludes: { patterns: ['*'], presets: [], oneFileSystem: false } })).outcome).toBe('success')
  })
})
