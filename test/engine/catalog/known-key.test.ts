import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KnownKey } from '../../../engine/catalog/known-key.ts'

const id = 'ab'.repeat(16)
const key = 'cd'.repeat(16)
let home: string

beforeEach(() => { home = mkdtempSync(join(tmpdir(), 'holdfast-known-key-')) })

afterEach(() => { rmSync(home, { recursive: true, force: true }) })

test('what opened last is known to the next process, for its repository alone', async () => {
  await new KnownKey(home).remember(id, key)
  expect(new KnownKey(home).of(id)).toBe(key)
  expect(new KnownKey(home).of('00'.repeat(16))).toBeUndefined()
})

test('nobody else reads it, whatever the umask', async () => {
  const before = process.umask(0)
  try {
    await new KnownKey(home).remember(id, key)
  } finally {
    process.umask(before)
  }
  expect(statSync(join(home, 'catalogs', id, 'key')).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, 'catalogs', id)).mode & 0o777).toBe(0o700)
})

test('a file that makes no sense counts as none, and is written anew', async () => {
  const known = new KnownKey(home)
  await known.remember(id, key)
  writeFileSync(join(home, 'catalogs', id, 'key'), '\u0000nonsense')
  expect(known.of(id)).toBeUndefined()
  await known.remember(id, key)
  expect(known.of(id)).toBe(key)
})

test('nothing is written when nothing is new', async () => {
  const known = new KnownKey(home)
  await known.remember(id, key)
  const path = join(home, 'catalogs', id, 'key')
  chmodSync(path, 0o400)
  const { ino } = statSync(path)
  await known.remember(id, key)
  expect(statSync(path).ino).toBe(ino)
})
