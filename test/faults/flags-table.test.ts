import { afterAll, beforeAll, expect, test } from 'vitest'
import { good } from './plans.ts'
import { checked, found, foundAfterPrune, jobSubject } from './subjects.ts'
import { runTable } from './table.ts'
import { Template } from './template.ts'

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template

beforeAll(async () => { template = await Template.make('flags') })
afterAll(() => { template[Symbol.dispose]() })

test('backup, in a repository on a storage without exclusive creation: every operation × every fault', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'backup', {
    name: 'backup (flags)', readsOnly: false, usesUp: ({ prefix }) => prefix === 'probe/', found,
    others: { 'denied remove intents/': good, 'denied remove probe/': good, 'late list probe/': ['unsupported'] },
  }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(14)
}, tableTimeoutMs)

test('forget and prune there: every operation × every fault', async () => {
  const forget = await runTable(jobSubject(template, 'forget', {
    name: 'forget (flags)', readsOnly: false, usesUp: true, checked, found,
    // The flag is what forgets; rights may forbid to remove what it forgot.
    others: { 'denied remove snapshots/': ['success'] },
  }))
  const prune = await runTable(jobSubject(template, 'prune', {
    name: 'prune (flags)', readsOnly: false, usesUp: true, checked, found: foundAfterPrune,
    others: { 'denied remove probe/': ['success'], 'late list probe/': ['unsupported'] },
  }))
  expect([...forget.wrong, ...prune.wrong]).toEqual([])
  expect(prune.rows).toBeGreaterThan(20)
}, tableTimeoutMs)
