import { afterEach, beforeEach, expect, test } from 'vitest'
import Database from 'better-sqlite3'
import { VerificationLedger } from '../../../engine/catalog/verification.ts'

let database: Database.Database
let ledger: VerificationLedger
const hour = 60 * 60_000
const day = 24 * hour
const noon = Date.UTC(2026, 10, 25, 12)

beforeEach(() => {
  database = new Database(':memory:')
  database.exec('CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  ledger = new VerificationLedger(database)
})

afterEach(() => { database.close() })

test('a day begins with the first byte and is over 24 hours later', () => {
  expect(ledger.todayBytes(noon)).toBeUndefined()
  ledger.spend(100, noon)
  ledger.spend(20, noon + 23 * hour)
  expect(ledger.todayBytes(noon + day - 1)).toBe(120)
  expect(ledger.todayBytes(noon + day)).toBeUndefined()
  ledger.spend(7, noon + day)
  expect(ledger.todayBytes(noon + day + hour)).toBe(7)
})

test('a clock that was set back does not end the verifying', () => {
  ledger.spend(100, noon)
  expect(ledger.todayBytes(noon - hour)).toBeUndefined()
  ledger.spend(5, noon - hour)
  expect(ledger.todayBytes(noon - hour)).toBe(5)
})

test('one pack is gone on with; another begins at its start, and what was reached outlives a day', () => {
  expect(ledger.reached('a')).toBe(0)
  ledger.setReached('a', 4711)
  ledger.spend(1, noon)
  expect([ledger.reached('a'), ledger.reached('b')]).toEqual([4711, 0])
  ledger.setReached('a', undefined)
  expect([ledger.reached('a'), ledger.todayBytes(noon)]).toEqual([0, 1])
})

test('what cannot be read begins anew', () => {
  for (const value of ['', '{', '{"dayMs":"x","bytes":1}', '{"dayMs":1,"bytes":-1}']) {
    database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run('verification', value)
    expect([ledger.todayBytes(noon), ledger.reached('a')]).toEqual([undefined, 0])
  }
  ledger.spend(3, noon)
  expect(ledger.todayBytes(noon)).toBe(3)
})
