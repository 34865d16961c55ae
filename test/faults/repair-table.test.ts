import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckJob } from '../../engine/protocol/job.ts'
import { damagedCopy, foundAfterRepair, isRepaired, jobSubject } from './subjects.ts'
import { runTable } from './table.ts'
import { Template, type TemplateCopy } from './template.ts'

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template
let damaged: TemplateCopy

beforeAll(async () => {
  template = await Template.make()
  damaged = await damagedCopy(template)
})

afterAll(async () => {
  await damaged[Symbol.asyncDispose]()
  template[Symbol.dispose]()
})

test('check --repair: every operation × every fault, and a repair in peace goes on where it broke off', async () => {
  const { rows, wrong } = await runTable(jobSubject(template, 'check', {
    name: 'check --repair',
    prepare: () => template.copy(damaged.url),
    run: (copy, url, patienceMs, signal) => copy.run({ ...copy.job('check', url) as CheckJob, repair: true, patienceMs }, signal),
    readsOnly: false, usesUp: true, prove: isRepaired, found: foundAfterRepair,
    // Bytes that came wrong are what a check is to tell.
    others: { 'truncate get snapshots/': ['failed', 'warnings'], 'flip get snapshots/': ['failed', 'warnings'], 'truncate get packs/': ['failed', 'warnings'], 'flip get packs/': ['failed', 'warnings'] },
  }))
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(11)
}, tableTimeoutMs)
