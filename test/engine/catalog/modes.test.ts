import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCatalog } from '../../../engine/catalog/catalog.ts'
import { openDatabase } from '../../../engine/catalog/database.ts'
import { lockJob } from '../../../engine/catalog/lock.ts'

let home: string
let umask: number

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'holdfast-modes-'))
  umask = process.umask(0)
})
afterEach(() => {
  process.umask(umask)
  rmSync(home, { recursive: true })
})

const id = 'a'.repeat(32)
const paths = (): string[] => readdirSync(home, { recursive: true, encoding: 'utf8' }).toSorted()
const open = (): string[] => paths().filter((name) => (lstatSync(join(home, name)).mode & 0o077) !== 0)

test('catalogs, their journals and locks are closed to others, also under umask 0', () => {
  using _lock = lockJob(home, id, 'job')
  using _catalog = openCatalog(home, id, 'job').catalog
  expect(paths().map((name) => name.split('/').at(-1))).toEqual(expect.arrayContaining(['job.db', 'job.db-wal', 'job.db-shm', 'job.lock']))
  expect(open()).toEqual([])
})

test('and are closed where they were made open', () => {
  openCatalog(home, id, 'job').catalog[Symbol.dispose]()
  for (const name of paths()) chmodSync(join(home, name), 0o777)
  using _lock = lockJob(home, id, 'job')
  using _catalog = openCatalog(home, id, 'job').catalog
  expect(open()).toEqual([])
})

test('a second run of the job is busy, also after its lock was looked at', () => {
  using _lock = lockJob(home, id, 'job')
  for (let times = 0; times < 2; times++) expect(() => lockJob(home, id, 'job')).toThrow(expect.objectContaining({ code: 'busy' }) as Error)
})

test('a database in a folder with other things leaves the folder as it is', () => {
  chmodSync(home, 0o755)
  openDatabase(join(home, 'marks.db'), 'CREATE TABLE t(a)', 1).database.close()
  expect(lstatSync(home).mode & 0o777).toBe(0o755)
})

test('a catalog of a newer program is refused and stays', () => {
  const file = join(home, 'x.db')
  openDatabase(file, 'CREATE TABLE t(a)', 2).database.close()
  expect(() => openDatabase(file, 'CREATE TABLE t(a)', 1)).toThrow(expect.objectContaining({ code: 'version', message: expect.stringContaining('newer') as string }) as Error)
  expect(readdirSync(home)).not.toContain('x.db.damaged')
  openDatabase(file, 'CREATE TABLE t(a)', 2).database.close()
})

test.each(['catalog', 'lock'])('a folder in the place of a %s is told', (what) => {
  const name = what === 'catalog' ? 'job.db' : 'job.lock'
  mkdirSync(join(home, 'catalogs', id, name), { recursive: true })
  writeFileSync(join(home, 'catalogs', id, name, 'x'), '')
  const work = (): void => { (what === 'catalog' ? openCatalog(home, id, 'job').catalog : lockJob(home, id, 'job'))[Symbol.dispose]() }
  expect(work).toThrow(expect.objectContaining({ code: 'arguments', data: { place: 'home', reason: 'EISDIR' } }) as Error)
})
