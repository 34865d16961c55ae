import { afterEach, beforeEach, expect, test } from 'vitest'
import Database from 'better-sqlite3'
import { CareLedger } from '../../../engine/catalog/care-ledger.ts'
import { dailyBudget, whatIsDue } from '../../../engine/commands/care/budget.ts'

let database: Database.Database
let ledger: CareLedger
const hour = 60 * 60_000
const day = 24 * hour
const noon = Date.UTC(2026, 10, 25, 12)
const budget = { bytes: 100, ms: 1000 }

beforeEach(() => {
  database = new Database(':memory:')
  database.exec('CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  ledger = new CareLedger(database)
})

afterEach(() => { database.close() })

test('a day has its budget, which is whole again 24 hours after its first work', () => {
  expect(ledger.left(budget, noon)).toEqual({ bytes: 100, ms: 1000 })
  ledger.spend({ bytes: 60, ms: 10 }, budget, noon)
  ledger.spend({ bytes: 30, ms: 990 }, budget, noon + 23 * hour)
  expect(ledger.left(budget, noon + day - 1)).toEqual({ bytes: 10, ms: 0 })
  expect(ledger.left(budget, noon + day)).toEqual({ bytes: 100, ms: 1000 })
})

test('what goes beyond a day is taken from the next days, and what was left is not added', () => {
  ledger.spend({ bytes: 250, ms: 0 }, budget, noon)
  expect(ledger.left(budget, noon + 1).bytes).toBe(-150)
  expect(ledger.left(budget, noon + day).bytes).toBe(-50)
  ledger.spend({ bytes: 0, ms: 0 }, budget, noon + day)
  expect(ledger.left(budget, noon + 2 * day).bytes).toBe(50)
  expect(ledger.left(budget, noon + 3 * day).bytes).toBe(100)
  ledger.spend({ bytes: 0, ms: 0 }, budget, noon + 9 * day)
  expect(ledger.left(budget, noon + 20 * day).bytes).toBe(100)
})

test('a clock that was set back neither ends care nor hides for ever when it was done last', () => {
  ledger.spend({ bytes: 100, ms: 0 }, budget, noon)
  ledger.setLast('prune', noon)
  expect(ledger.left(budget, noon - day).bytes).toBe(100)
  expect(ledger.last('prune', noon - day)).toBeUndefined()
  expect(ledger.last('prune', noon + day)).toBe(noon)
  expect(ledger.last('check', noon + day)).toBeUndefined()
})

test.each(['', 'x', '{}', '{"dayMs":"soon","bytes":1,"ms":1}', '{"dayMs":1,"bytes":-5,"ms":1}'])('a ledger that reads %j begins anew', (value) => {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run('care', value)
  expect(ledger.left(budget, noon)).toEqual(budget)
  ledger.wantsPrune = true
  expect(ledger.wantsPrune).toBe(true)
  ledger.setLast('check', noon)
  expect([ledger.wantsPrune, ledger.last('check', noon)]).toEqual([true, noon])
})

test('a prune is due a day after something was forgotten, else after a week, as the check of the structure and the drill are', () => {
  const last = (hours: number): { prune: number; check: number; drill: number } => ({ prune: noon - hours * hour, check: noon - hours * hour, drill: noon - hours * hour })
  expect(whatIsDue({ prune: undefined, check: undefined, drill: undefined }, false, noon)).toEqual({ prune: true, check: true, drill: true })
  expect(whatIsDue(last(19), true, noon)).toEqual({ prune: false, check: false, drill: false })
  expect(whatIsDue(last(20), true, noon)).toEqual({ prune: true, check: false, drill: false })
  expect(whatIsDue(last(20), false, noon)).toEqual({ prune: false, check: false, drill: false })
  expect(whatIsDue(last(7 * 24), false, noon)).toEqual({ prune: true, check: true, drill: true })
})

test('a far storage is asked for less', () => {
  expect(dailyBudget({}, 'far').bytes).toBeLessThan(dailyBudget({}, 'near').bytes)
  expect(dailyBudget({ budgetBytes: 7, budgetMs: 8 }, 'far')).toEqual({ bytes: 7, ms: 8 })
})
