import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromText } from '../../../engine/base/byte-string.ts'
import type { HoldfastError } from '../../../engine/base/errors.ts'
import type { ExcludeRules } from '../../../engine/protocol/job.ts'
import { FolderWatch } from '../../../engine/source/folder-watch.ts'

let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-')) })
afterEach(() => { rmSync(folder, { recursive: true, force: true }) })

function make(...names: readonly string[]): void {
  for (const name of names) mkdirSync(join(folder, name), { recursive: true })
}

const write = (name: string): void => { writeFileSync(join(folder, name), 'x') }

interface Options {
  readonly rules?: Partial<ExcludeRules>
  readonly never?: readonly string[]
  readonly mostFolders?: number
  readonly sources?: readonly string[]
}

/** A watch of the folder that counts what it tells. */
async function open({ rules = {}, never = [], mostFolders = 1000, sources = [folder] }: Options = {}) {
  let changes = 0
  const failures: HoldfastError[] = []
  const watch = new FolderWatch({ sources: sources.map(fromText), rules: { patterns: [], presets: [], oneFileSystem: false, ...rules }, never: never.map(fromText) }, {
    mostFolders,
    onChange: () => { changes += 1 },
    onFailure: (error) => { failures.push(error) },
  })
  await watch.open()
  return { watch, failures, changes: () => changes, reset: () => { changes = 0 } }
}

/** Waits until what `work` does is told. */
async function heard(world: Awaited<ReturnType<typeof open>>, work: () => void): Promise<void> {
  world.reset()
  work()
  await expect.poll(() => world.changes()).toBeGreaterThan(0)
}

test('tells what is made, changed, renamed and removed, at any depth, and in folders that came meanwhile', async () => {
  make('a/b/c', 'd')
  write('a/b/c/file')
  const world = await open()
  using watch = world.watch
  expect(watch.folders).toBe(5)
  for (const work of [
    () => { appendFileSync(join(folder, 'a/b/c/file'), 'more') },
    () => { write('d/new') },
    () => { renameSync(join(folder, 'd/new'), join(folder, 'd/other')) },
    () => { rmSync(join(folder, 'd/other')) },
    () => { make('e/f') },
  ]) await heard(world, work)
  await expect.poll(() => watch.folders).toBe(7)
  await heard(world, () => { write('e/f/deep') })
  await heard(world, () => { renameSync(join(folder, 'e'), join(folder, 'a/moved')) })
  await expect.poll(() => watch.folders).toBe(7)
  await heard(world, () => { appendFileSync(join(folder, 'a/moved/f/deep'), 'more') })
  await heard(world, () => { rmSync(join(folder, 'a'), { recursive: true }) })
  await expect.poll(() => watch.folders).toBe(2)
})

test('does not tell what is left out, and does not watch it', async () => {
  make('node_modules/one/two', 'src/.cache/x', 'kept', 'home/catalogs', 'marked/deep')
  write('marked/.nobackup')
  write('kept/big')
  const world = await open({ rules: { patterns: ['*.tmp'], presets: ['node_modules', 'caches', 'nobackup'], largerThanBytes: 10 }, never: [join(folder, 'home')] })
  using watch = world.watch
  // The source, src, kept, and the marked one, for its marker.
  expect(watch.folders).toBe(4)
  world.reset()
  write('node_modules/one/two/file')
  write('src/.cache/x/file')
  write('home/catalogs/file')
  write('kept/draft.tmp')
  writeFileSync(join(folder, 'kept/huge'), 'x'.repeat(11))
  make('node_modules/three', 'marked/more')
  write('kept/last')
  make('end')
  // The system tells in order: when the last is known, all is. A file that is made and written is told twice.
  await expect.poll(() => watch.folders).toBe(5)
  expect(world.changes()).toBe(3)
  await heard(world, () => { rmSync(join(folder, 'marked/.nobackup')) })
  await expect.poll(() => watch.folders).toBe(7)
  await heard(world, () => { write('marked/.nobackup') })
  await expect.poll(() => watch.folders).toBe(5)
})

test('more folders than may be watched end the watch at once, and say how many could be', async () => {
  for (let at = 0; at < 20; at++) make(`folder-${at}`)
  const { watch, failures } = await open({ mostFolders: 10 })
  expect([watch.folders, failures.length]).toEqual([0, 1])
  expect(failures[0]).toMatchObject({ code: 'full', data: { place: 'watches', folders: 10 } })
  const small = await open({ mostFolders: 21 })
  using later = small.watch
  expect(small.failures).toEqual([])
  make('one-more')
  await expect.poll(() => small.failures.length).toBe(1)
  expect(later.folders).toBe(0)
})

test('names are exact bytes, a link as a source stands for its target, and links below are not followed', async () => {
  make('real/inner', 'outside')
  mkdirSync(Buffer.from(`${join(folder, 'real')}/caf\xe9`, 'latin1'))
  symlinkSync(join(folder, 'outside'), join(folder, 'real/link'))
  symlinkSync('real', join(folder, 'source'))
  const world = await open({ sources: [join(folder, 'source')] })
  using watch = world.watch
  expect(watch.folders).toBe(3)
  await heard(world, () => { writeFileSync(Buffer.from(`${join(folder, 'real')}/caf\xe9/na\xefve`, 'latin1'), 'x') })
})

test('a source on a disk that goes is away, which is no change; its return is one, and so is what is mounted in it', async () => {
  make('disk', 'home/inner')
  const mount = (name: string): void => { execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, name)]) }
  const unmount = (name: string): void => { execFileSync('umount', ['-l', join(folder, name)]) }
  mount('disk')
  try {
    make('disk/data')
    const world = await open({ sources: [join(folder, 'disk/data'), join(folder, 'home')] })
    using watch = world.watch
    expect([watch.folders, watch.away]).toEqual([3, 0])
    unmount('disk')
    // The system tells the end of each folder.
    await expect.poll(() => watch.away).toBe(1)
    watch.check()
    expect([watch.away, watch.folders, world.changes()]).toEqual([1, 2, 0])
    mount('disk')
    make('disk/data/more')
    watch.check()
    await expect.poll(() => watch.folders).toBe(4)
    expect([watch.away, world.changes()]).toEqual([0, 1])
    mount('home/inner')
    make('home/inner/new')
    watch.remount(fromText(join(folder, 'home/inner')))
    await expect.poll(() => watch.folders).toBe(5)
    await heard(world, () => { write('home/inner/new/file') })
  } finally {
    for (const name of ['disk', 'home/inner']) try { unmount(name) } catch { /* It is not mounted. */ }
  }
})
