import { afterAll, beforeAll, expect, test } from 'vitest'
import { checked, foundAfterPrune, jobSubject } from './subjects.ts'
import { runTable } from './table.ts'
import { Template } from './template.ts'

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template

beforeAll(async () => { template = await Template.make() })
afterAll(() => { template[Symbol.dispose]() })

test('prune: every operation × every fault: nothing needed is ever deleted, and the next prune goes on', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'prune', {
    readsOnly: false, usesUp: true, checked, found: foundAfterPrune,
    others: { 'denied remove probe/': ['success'], 'late list probe/': ['unsupported'] },
  }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(20)
}, tableTimeoutMs)
