import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { besideLabel, besideName } from '../../../../engine/commands/restore/beside.ts'
import type { RestoreJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import { testFolder, type TestFolder } from '../../small-repository.ts'
import { backUp, restoreJob, testContext } from '../run-support.ts'

let folder: TestFolder
let target: string
let label: string

const backedUpAt = new Date('2026-03-01T12:00:00Z')
const before = new Date('2025-01-01T00:00:00Z')
const after = new Date('2026-06-01T00:00:00Z')

beforeEach(async () => {
  folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(join(source, 'deep'), { recursive: true })
  for (const name of ['older.txt', 'newer é.txt', 'same', 'deep/résumé.tar.gz', 'missing']) put(join(source, name), `from the backup: ${name}`, backedUpAt)
  put(join(source, 'shared'), 'two names', backedUpAt)
  linkSync(join(source, 'shared'), join(source, 'shared too'))
  symlinkSync('nowhere', join(source, 'link'))
  const summary = await backUp(folder, source)
  label = besideLabel(summary.finishedMs)
  target = join(folder.path, 'target', 'source')
  mkdirSync(join(target, 'deep'), { recursive: true })
  put(join(target, 'older.txt'), 'mine', before)
  put(join(target, 'newer é.txt'), 'mine', after)
  put(join(target, 'same'), 'from the backup: same', backedUpAt)
  put(join(target, 'deep', 'résumé.tar.gz'), 'mine', after)
  put(join(target, 'shared too'), 'mine', after)
  symlinkSync('my own', join(target, 'link'))
})

afterEach(() => folder[Symbol.asyncDispose]())

function put(path: string, text: string, at: Date): void {
  writeFileSync(path, text)
  utimesSync(path, at, at)
}

function restore(overwrite: RestoreJob['overwrite']): Promise<RunSummary> {
  return runJob(restoreJob(folder, join(folder.path, 'target'), { overwrite }), testContext())
}

function text(...names: readonly string[]): string {
  return readFileSync(join(target, ...names), 'utf8')
}

describe('the rule `beside`', () => {
  it('leaves all that is there as it is, and restores what differs under a name with the date of the snapshot', async () => {
    const times = statSync(join(target, 'newer é.txt')).mtimeMs
    const folderTime = statSync(join(target, 'deep')).mode
    expect(await restore('beside')).toMatchObject({ outcome: 'success', problems: 0 })
    for (const name of ['older.txt', 'newer é.txt', 'deep/résumé.tar.gz', 'shared too']) expect(text(name)).toBe('mine')
    expect(statSync(join(target, 'newer é.txt')).mtimeMs).toBe(times)
    expect(statSync(join(target, 'deep')).mode).toBe(folderTime)
    expect(readlinkSync(join(target, 'link'))).toBe('my own')
    expect(text(`older (${label}).txt`)).toBe('from the backup: older.txt')
    expect(text(`newer é (${label}).txt`)).toBe('from the backup: newer é.txt')
    expect(text('deep', `résumé (${label}).tar.gz`)).toBe('from the backup: deep/résumé.tar.gz')
    expect(statSync(join(target, `older (${label}).txt`)).mtimeMs).toBe(backedUpAt.getTime())
    expect(readlinkSync(join(target, `link (${label})`))).toBe('nowhere')
    expect(text('missing')).toBe('from the backup: missing')
    expect(lstatSync(join(target, `shared too (${label})`)).ino).toBe(lstatSync(join(target, 'shared')).ino)
  })

  it('makes no second copy when it is done again, and a third name where the second is taken', async () => {
    await restore('beside')
    const names = readdirSync(target, { recursive: true }).sort()
    await restore('beside')
    expect(readdirSync(target, { recursive: true }).sort()).toEqual(names)
    put(join(target, `older (${label}).txt`), 'mine too', after)
    await restore('beside')
    expect(text(`older (${label}).txt`)).toBe('mine too')
    expect(text(`older (${label}) 2.txt`)).toBe('from the backup: older.txt')
  })
})

describe('the rule `older`', () => {
  it('replaces what is older, and keeps what is newer or no file', async () => {
    expect(await restore('older')).toMatchObject({ outcome: 'success', problems: 0 })
    expect(text('older.txt')).toBe('from the backup: older.txt')
    for (const name of ['newer é.txt', 'deep/résumé.tar.gz', 'shared too']) expect(text(name)).toBe('mine')
    expect(text('missing')).toBe('from the backup: missing')
    expect(readdirSync(target).sort()).toEqual(['deep', 'link', 'missing', 'newer é.txt', 'older.txt', 'same', 'shared', 'shared too'])
  })

  it('keeps a file that stands where a folder belongs, and says so', async () => {
    const other = join(folder.path, 'target')
    for (const overwrite of ['older', 'beside'] as const) {
      const place = join(other, overwrite)
      mkdirSync(place)
      writeFileSync(join(place, 'source'), 'no folder')
      expect((await runJob(restoreJob(folder, place, { overwrite }), testContext())).firstProblems).toMatchObject([{ code: 'not-restored', path: 'source' }])
      expect(readFileSync(join(place, 'source'), 'utf8')).toBe('no folder')
    }
  })
})

describe('names beside', () => {
  it.each([
    ['a.txt', 'a (D).txt'], ['a', 'a (D)'], ['.profile', '.profile (D)'], ['..txt', '..txt (D)'], ['a.tar.gz', 'a (D).tar.gz'], ['.tar.gz', '.tar.gz (D)'],
    ['Plan v1. final', 'Plan v1. final (D)'], ['a.b.c', 'a.b (D).c'],
  ])('%s', (name, beside) => { expect(besideName(name, 'D', 1)).toBe(beside) })

  it('are numbered behind the date', () => { expect(besideName('a.txt', 'D', 3)).toBe('a (D) 3.txt') })
})
