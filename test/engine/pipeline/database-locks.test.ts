import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatabaseLocks } from '../../../engine/pipeline/database-locks.ts'

let folder: string
let path: string
let database: Database.Database
let descriptors: number[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-locks-'))
  path = join(folder, 'a.db')
  database = new Database(path, { timeout: 0 })
  database.exec('CREATE TABLE words(word TEXT)')
  descriptors = []
})
afterEach(() => {
  database.close()
  for (const descriptor of descriptors) closeSync(descriptor)
  rmSync(folder, { recursive: true })
})

function opened(name = path): number {
  const descriptor = openSync(name, 'r')
  descriptors.push(descriptor)
  return descriptor
}

const write = (): unknown => database.exec("INSERT INTO words VALUES ('one')")

test('a database that is held is not written to, though this process reads and closes the file meanwhile', () => {
  const locks = new DatabaseLocks(opened())
  expect(locks.hold()).toBe(true)
  readFileSync(path)
  expect(write).toThrow('database is locked')
  expect(locks.isHeld).toBe(true)
  locks.release()
  expect(locks.isHeld).toBe(false)
  write()
})

test('one that is being written to cannot be held, nor one whose writer waits for its readers', () => {
  const descriptor = opened()
  database.exec('BEGIN EXCLUSIVE')
  expect(new DatabaseLocks(descriptor).hold()).toBe(false)
  database.exec('COMMIT')
  const reader = new DatabaseLocks(opened())
  expect(reader.hold()).toBe(true)
  database.exec("BEGIN; INSERT INTO words VALUES ('one')")
  expect(() => database.exec('COMMIT')).toThrow('database is locked')
  expect(new DatabaseLocks(descriptor).hold()).toBe(false)
  reader.release()
  database.exec('COMMIT')
  expect(new DatabaseLocks(descriptor).hold()).toBe(true)
})

test('a WAL that is held grows, and is not begun anew', () => {
  database.pragma('journal_mode = WAL')
  write()
  const locks = new DatabaseLocks(opened())
  expect(locks.hold()).toBe(true)
  locks.holdWal(opened(`${path}-shm`))
  write()
  expect(database.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 1 }])
  expect(readFileSync(`${path}-wal`).length).toBeGreaterThan(0)
  locks.release()
  expect(database.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }])
  expect(readFileSync(`${path}-wal`).length).toBe(0)
})
