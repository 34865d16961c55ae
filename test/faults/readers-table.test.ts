import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobSubject } from './subjects.ts'
import { runTable } from './table.ts'
import { Template } from './template.ts'

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template

beforeAll(async () => { template = await Template.make() })
afterAll(() => { template[Symbol.dispose]() })

test('restore: every operation × every fault, and the repository stays as it is', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'restore', { readsOnly: true, usesUp: false }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(8)
}, tableTimeoutMs)

test('check: every operation × every fault', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'check', {
    readsOnly: true, usesUp: false,
    // A snapshot whose bytes came wrong is what a check is to tell; one that is known was asked for before, and then comes right. What comes damaged once is fetched again.
    others: { 'truncate get snapshots/': ['failed', 'success'], 'flip get snapshots/': ['failed', 'success'], 'truncate get packs/': ['failed', 'warnings', 'success'], 'flip get packs/': ['failed', 'warnings', 'success'] },
  }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(9)
}, tableTimeoutMs)

test('rebuild: every operation × every fault', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'rebuild', { readsOnly: true, usesUp: false }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(6)
}, tableTimeoutMs)
