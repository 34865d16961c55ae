import { afterAll, beforeAll, expect, test } from 'vitest'
import { good } from './plans.ts'
import { checked, found, jobSubject } from './subjects.ts'
import { runTable } from './table.ts'
import { Template } from './template.ts'

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template

beforeAll(async () => { template = await Template.make() })
afterAll(() => { template[Symbol.dispose]() })

test('backup: every operation × every fault ends in success or a clear error, and the next run understands what is there', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'backup', {
    readsOnly: false,
    // Once it was seen to bear the repository, a storage is not probed again for a week.
    usesUp: ({ prefix }) => prefix === 'probe/',
    found,
    // An intent that stays is a prune's to remove; rights may forbid to remove it.
    others: { 'denied remove intents/': good, 'denied remove probe/': good, 'late list probe/': ['unsupported'] },
  }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(14)
}, tableTimeoutMs)

test('forget: every operation × every fault', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'forget', { readsOnly: false, usesUp: true, checked, found }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(6)
}, tableTimeoutMs)
