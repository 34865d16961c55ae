import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { besideLabel } from '../../../../engine/commands/restore/beside.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { RestoreJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { testFolder, type TestFolder } from '../../small-repository.ts'
import { backUp, restoreJob, testContext } from '../run-support.ts'

let folder: TestFolder
let source: string
let target: string
let second: string

const path = (name: string): Uint8Array => Buffer.from(`source/${name}`)

beforeEach(async () => {
  folder = await testFolder()
  source = join(folder.path, 'source')
  target = join(folder.path, 'target', 'source')
  mkdirSync(join(source, 'deep', 'er'), { recursive: true })
  for (const name of ['a.txt', 'same é', 'deep/er/b', 'deep/only old']) put(name, `first ${name}`)
  put('file then folder', 'a file')
  put('shared', 'shared, first')
  linkSync(join(source, 'shared'), join(source, 'shared too'))
  symlinkSync('first', join(source, 'link'))
  await backUp(folder, source)
  for (const name of ['a.txt', 'deep/er/b']) put(name, `second ${name}`)
  rmSync(join(source, 'deep', 'only old'))
  rmSync(join(source, 'file then folder'))
  mkdirSync(join(source, 'file then folder'))
  put('file then folder/inside', 'inside')
  put('shared', 'shared, second')
  rmSync(join(source, 'link'))
  symlinkSync('second', join(source, 'link'))
  second = besideLabel((await backUp(folder, source)).finishedMs)
})

afterEach(() => folder[Symbol.asyncDispose]())

function put(name: string, text: string): void {
  writeFileSync(join(source, name), text)
  utimesSync(join(source, name), 1_700_000_000, 1_700_000_000 + text.length)
}

function restore(options: Partial<RestoreJob>): Promise<RunSummary> {
  return runJob(restoreJob(folder, join(folder.path, 'target'), { snapshot: 'job@1', ...options }), testContext())
}

function text(...names: readonly string[]): string {
  return readFileSync(join(target, ...names), 'utf8')
}

const both: Partial<RestoreJob> = { more: [{ snapshot: 'job@2', paths: [] }] }

// Both backups may be of one minute: then the second label says the second too, and of one second a number.
const dated = (name: string, ending = ''): string => {
  const names = readdirSync(join(target, ...name.split('/').slice(0, -1))).filter((one) => one.startsWith(`${name.split('/').at(-1) ?? ''} (${second}`) && one.endsWith(ending))
  expect(names).toHaveLength(1)
  return join(target, ...name.split('/').slice(0, -1), names[0] ?? '')
}

describe('parts of several snapshots, restored in one go', () => {
  it('come together in one place, and of two versions of a path the second is named with its date', async () => {
    const summary = await restore(both)
    expect(summary).toMatchObject({ outcome: 'success', problems: 0, snapshot: 'job@1' })
    expect([text('a.txt'), text('deep/er/b'), text('deep/only old'), text('same é'), text('file then folder')]).toEqual(
      ['first a.txt', 'first deep/er/b', 'first deep/only old', 'first same é', 'a file'])
    expect(readFileSync(dated('a', '.txt'), 'utf8')).toBe('second a.txt')
    expect(readFileSync(dated('deep/er/b'), 'utf8')).toBe('second deep/er/b')
    expect(readFileSync(join(dated('file then folder'), 'inside'), 'utf8')).toBe('inside')
    expect(readlinkSync(dated('link'))).toBe('second')
    expect(readFileSync(dated('shared'), 'utf8')).toBe('shared, second')
    expect(lstatSync(dated('shared too')).ino).toBe(lstatSync(dated('shared')).ino)
    expect(readdirSync(target).filter((name) => name.startsWith('same'))).toEqual(['same é'])
    expect(summary.files).toMatchObject({ found: 13, unchanged: 1, uploaded: 12 })
  })

  it('make no more copies when they are restored again', async () => {
    await restore(both)
    const names = readdirSync(target, { recursive: true }).sort()
    expect(await restore(both)).toMatchObject({ outcome: 'success', files: { uploaded: 0 } })
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(names)
  })

  it('are only what was chosen of each: what an earlier part leaves out is in nobody’s way', async () => {
    await restore({ paths: [path('a.txt')], more: [{ snapshot: 'job@2', paths: [path('deep')] }] })
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(['a.txt', 'deep', 'deep/er', 'deep/er/b'])
    expect(text('deep/er/b')).toBe('second deep/er/b')
  })

  it('of which only some are tried again get the names that they had', async () => {
    await restore(both)
    const name = dated('a', '.txt')
    rmSync(name)
    expect(await restore({ only: [], more: [{ snapshot: 'job@2', paths: [], only: [path('a.txt')] }] })).toMatchObject({ outcome: 'success', files: { found: 1, uploaded: 1 } })
    expect(readFileSync(name, 'utf8')).toBe('second a.txt')
    expect(text('a.txt')).toBe('first a.txt')
  })

  it('say of what could not be restored which version of what it was', async () => {
    mkdirSync(join(target, 'a.txt', 'in the way'), { recursive: true })
    const { firstProblems } = await restore(both)
    expect(firstProblems).toEqual([{ code: 'not-restored', path: 'source/a.txt', message: expect.stringContaining('folder') as string, from: { snapshot: 'job@1', pathBytes: Buffer.from('source/a.txt').toString('base64') } }])
    expect(readFileSync(dated('a', '.txt'), 'utf8')).toBe('second a.txt')
  })
})

describe('a restore to where the files were', () => {
  it('goes back into each folder that it is allowed to, and nowhere else', async () => {
    const other = join(folder.path, 'other')
    mkdirSync(other)
    writeFileSync(join(other, 'x'), 'x')
    const file = join(folder.path, 'single.txt')
    writeFileSync(file, 'single')
    await runJob({
      type: 'backup', repository: folder.repository, home: folder.home, concurrency: 2, name: 'three', sources: [source, other, file],
      excludes: { patterns: [], presets: [], oneFileSystem: false }, dryRun: false, onFailure: 'drain', verify: false,
    }, testContext())
    for (const gone of [source, other, file]) rmSync(gone, { recursive: true })
    const summary = await runJob(restoreJob(folder, '', { snapshot: 'three@1', target: { origins: [source, file] } }), testContext())
    expect(readFileSync(join(source, 'a.txt'), 'utf8')).toBe('second a.txt')
    expect(readFileSync(file, 'utf8')).toBe('single')
    expect(readdirSync(folder.path).sort()).toEqual(['home', 'repository', 'single.txt', 'source'])
    expect(summary.firstProblems).toMatchObject([{ code: 'not-restored', path: 'other', from: { snapshot: 'three@1' } }])
  })

  it('puts a second version beside the first there too', async () => {
    rmSync(source, { recursive: true })
    expect(await restore({ ...both, paths: [path('a.txt')], target: { origins: [source] } })).toMatchObject({ outcome: 'success' })
    target = source
    expect(text('a.txt')).toBe('first a.txt')
    expect(readFileSync(dated('a', '.txt'), 'utf8')).toBe('second a.txt')
    expect(text('deep/er/b')).toBe('second deep/er/b')
  })

  it('has failed where nothing has a place', async () => {
    await expect(restore({ target: { origins: [join(folder.path, 'elsewhere')] } })).rejects.toMatchObject({ code: 'not-found', data: { reason: 'no-origin' } })
  })
})
