import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RememberedConcurrency } from '../../../../engine/backend/flow/remembered-concurrency.ts'

let home: string
beforeEach(() => { home = join(mkdtempSync(join(tmpdir(), 'holdfast-remembered-')), 'home') })
afterEach(() => { rmSync(join(home, '..'), { recursive: true }) })

const file = (): string => join(home, 'concurrency.json')

test('each account has its own number, for the next process too, and the file names none of them', async () => {
  const mine = new RememberedConcurrency(home)
  expect(mine.of('s3:host:key-1')).toBeUndefined()
  await mine.remember('s3:host:key-1', 7, 1)
  await mine.remember('s3:host:key-2', 3, 2)
  await mine.remember('s3:host:key-1', 9, 3)
  const next = new RememberedConcurrency(home)
  expect([next.of('s3:host:key-1'), next.of('s3:host:key-2'), next.of('s3:host:key-3')]).toEqual([9, 3, undefined])
  expect(readFileSync(file(), 'utf8')).not.toContain('key-1')
  expect(statSync(file()).mode & 0o777).toBe(0o600)
})

test('it keeps the hundred that were used last', async () => {
  const remembered = new RememberedConcurrency(home)
  for (let index = 0; index <= 100; index++) await remembered.remember(`account ${index}`, 4, index === 0 ? 1000 : index)
  expect(Object.keys((JSON.parse(readFileSync(file(), 'utf8')) as { accounts: object }).accounts)).toHaveLength(100)
  expect([remembered.of('account 0'), remembered.of('account 1'), remembered.of('account 2')]).toEqual([4, undefined, 4])
})

test.each(['', '{"version":1,"acc', '{"version":2,"accounts":{}}', '{"version":1,"accounts":{"x":{"limit":4,"usedMs":1}}}', '[]', 'null'])('a damaged file counts as empty and is made anew: %s', async (text) => {
  mkdirSync(home)
  writeFileSync(file(), text)
  const remembered = new RememberedConcurrency(home)
  expect(remembered.of('a')).toBeUndefined()
  await remembered.remember('a', 5, 1)
  expect(remembered.of('a')).toBe(5)
})

test.each([0, -1, 1.5, 1e9])('a number that nobody could have remembered is not believed: %d', async (limit) => {
  const remembered = new RememberedConcurrency(home)
  await remembered.remember('a', 5, 1)
  writeFileSync(file(), readFileSync(file(), 'utf8').replace('"limit":5', `"limit":${limit}`))
  expect(remembered.of('a')).toBeUndefined()
})
