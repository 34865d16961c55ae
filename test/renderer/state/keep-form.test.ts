import { describe, expect, test } from 'vitest'
import { defaultRetention } from '../../../main/api/retention.ts'
import type { Retention } from '../../../main/api/contract.ts'
import { configOf, newFields } from '../../../renderer/state/job-form.ts'
import { keepFieldsOf, retentionOf, validateKeep, type KeepFields } from '../../../renderer/state/keep-form.ts'
import { settings } from '../fixtures.ts'

const dayMs = 86_400_000
const own: KeepFields = { keep: 'own', last: '', hourly: '', daily: '7', weekly: '', monthly: '', yearly: '', within: '', budget: '' }

test.each<[KeepFields['keep'], Retention | undefined]>([
  ['none', undefined],
  ['all', {}],
  ['default', defaultRetention],
  ['own', { last: 2 }],
  ['own', { last: 1, hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 9999, withinMs: 1.5 * dayMs, budgetBytes: 2_500_000_000 }],
  ['own', { budgetBytes: 1 }],
  ['own', { ...defaultRetention, budgetBytes: 5e12 }],
])('%s: what is kept becomes fields and comes back from them', (choice, retention) => {
  const fields = keepFieldsOf(retention)
  expect(fields.keep).toBe(choice)
  expect(validateKeep(fields)).toEqual({})
  expect(retentionOf(fields)).toEqual(retention)
})

test('a new job keeps what is usual, and own numbers begin with that', () => {
  const fields = newFields(settings)
  expect(configOf({ ...fields, folder: { id: 'x', path: '/x' } }).retention).toEqual(defaultRetention)
  expect(retentionOf({ ...fields, keep: 'own' })).toEqual(defaultRetention)
  expect(fields).toMatchObject({ within: '2', daily: '30', last: '', budget: '' })
})

describe('what is wrong with own numbers', () => {
  test.each<[string, Partial<KeepFields>, object]>([
    ['nothing', {}, {}],
    ['no number at all', { daily: ' ' }, { last: 'keepSomething' }],
    ['none of something', { daily: '0' }, { daily: 'keptRange' }],
    ['half a snapshot', { last: '1,5' }, { last: 'keptRange' }],
    ['too many', { yearly: '10000' }, { yearly: 'keptRange' }],
    ['words', { weekly: 'all', within: 'long', budget: 'much' }, { weekly: 'keptRange', within: 'daysRange', budget: 'positiveNumber' }],
    ['more days than a century', { within: '36501' }, { within: 'daysRange' }],
    ['less than nothing', { within: '-1', budget: '0' }, { within: 'daysRange', budget: 'positiveNumber' }],
    ['a decimal comma is fine', { within: '1,5', budget: '0,5' }, {}],
    ['a size alone is fine', { daily: '', budget: '100' }, {}],
  ])('%s', (_name, change, expected) => {
    expect(validateKeep({ ...own, ...change })).toEqual(expected)
  })

  test('does not matter where another choice counts', () => {
    for (const keep of ['none', 'all', 'default'] as const) expect(validateKeep({ ...own, daily: 'x', keep })).toEqual({})
  })
})
