import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../../engine/base/errors.ts'
import { makePrivateFile, makePrivateFolder, prepareHome } from '../../../engine/base/private-folder.ts'

let folder: string
let umask: number
const notes: string[] = []
const note = (words: string): void => { notes.push(words) }
const mode = (path: string): number => lstatSync(path).mode & 0o7777

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-private-'))
  umask = process.umask()
  notes.length = 0
})
afterEach(() => {
  process.umask(umask)
  rmSync(folder, { recursive: true })
})

function failure(work: () => void): HoldfastError {
  try {
    work()
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('folders and files of Holdfast', () => {
  test.each([0, 0o077, 0o777])('are closed to others under umask %i', (mask) => {
    process.umask(mask)
    makePrivateFolder(join(folder, 'a/b/c'))
    makePrivateFile(join(folder, 'a/b/c/file'))
    for (const path of ['a', 'a/b', 'a/b/c']) expect(mode(join(folder, path))).toBe(0o700)
    expect(mode(join(folder, 'a/b/c/file'))).toBe(0o600)
  })

  test('are closed when they are found open, and keep what is in them', () => {
    mkdirSync(join(folder, 'open'))
    chmodSync(join(folder, 'open'), 0o755)
    writeFileSync(join(folder, 'open/file'), 'text')
    chmodSync(join(folder, 'open/file'), 0o666)
    makePrivateFolder(join(folder, 'open'), note)
    makePrivateFile(join(folder, 'open/file'))
    expect([mode(join(folder, 'open')), mode(join(folder, 'open/file')), readFileSync(join(folder, 'open/file'), 'utf8')]).toEqual([0o700, 0o600, 'text'])
    expect(notes).toEqual([expect.stringContaining(join(folder, 'open'))])
  })

  test.each([
    ['a file in the way', () => { writeFileSync(join(folder, 'x'), '') }, 'x', 'A file is where a folder belongs'],
    ['a file among the parents', () => { writeFileSync(join(folder, 'x'), '') }, 'x/y/z', 'A file is where a folder belongs'],
    ['a link that leads nowhere', () => { symlinkSync('/nowhere/at/all', join(folder, 'x')) }, 'x', 'a link leads nowhere'],
    ['a link that leads nowhere among the parents', () => { symlinkSync('/nowhere/at/all', join(folder, 'x')) }, 'x/y', 'a link leads nowhere'],
    ['links in a circle', () => { symlinkSync('x', join(folder, 'x')) }, 'x/y', 'in a circle'],
    ['a name that is too long', () => undefined, 'n'.repeat(256), 'too long'],
  ])('%s is told', (_what, prepare, path, words) => {
    prepare()
    const error = failure(() => { makePrivateFolder(join(folder, path)) })
    expect([error.message, error.data['place'], error.code === 'internal']).toEqual([expect.stringContaining(words), 'home', false])
  })

  test('that the system does not bear are told at once', () => {
    expect(failure(() => { makePrivateFolder('/proc/x/y') }).message).toContain('the system has no folders there')
  })

  test('a folder or a link in the place of a file is told', () => {
    mkdirSync(join(folder, 'd'))
    symlinkSync('d', join(folder, 'l'))
    expect(failure(() => { makePrivateFile(join(folder, 'd')) })).toMatchObject({ code: 'arguments', message: expect.stringContaining('A folder is where a file belongs') as string })
    expect(failure(() => { makePrivateFile(join(folder, 'l')) }).code).toBe('arguments')
  })
})

describe('HOLDFAST_HOME', () => {
  test('of its own is closed, and that is told', () => {
    for (const name of ['catalogs', 'spool', 'restores', 'logs', 'history', 'window']) mkdirSync(join(folder, name))
    for (const name of ['concurrency.json', 'jobs.json', 'settings.json', 'secrets.json', 'secrets.key', 'marks.db', 'marks.db-wal']) writeFileSync(join(folder, name), '')
    chmodSync(folder, 0o775)
    prepareHome(folder, note)
    expect([mode(folder), notes.length]).toEqual([0o700, 1])
    prepareHome(folder, note)
    expect(notes).toHaveLength(1)
  })

  test('that holds other things stays as it is', () => {
    writeFileSync(join(folder, '.bashrc'), '')
    chmodSync(folder, 0o755)
    prepareHome(folder, note)
    expect([mode(folder), notes]).toEqual([0o755, []])
  })

  test.each([['other things', '.bashrc', 0o775], ['other things', '.bashrc', 0o1777], ['what may be planted', 'catalogs', 0o777]])('with %s where others can write is refused', (_what, name, open) => {
    writeFileSync(join(folder, name), '')
    chmodSync(folder, open)
    expect(failure(() => { prepareHome(folder, note) })).toMatchObject({ code: 'denied', message: expect.stringContaining('chmod 700') as string })
    expect(mode(folder)).toBe(open)
  })

  test('of another user is refused, for root too', () => {
    chownSync(folder, 65534, 65534)
    expect(failure(() => { prepareHome(folder, note) })).toMatchObject({ code: 'denied', message: expect.stringContaining('belongs to another user (number 65534)') as string })
    expect(statSync(folder).uid).toBe(65534)
  })
})
