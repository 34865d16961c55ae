import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { good } from './plans.ts'
import { checked, isMade, isRefused, isToldAndRepaired, jobSubject, opens, runAnnotate, runInit, runKeyAdd, runKeyList, runKeyRemove, runList, runSnapshots, smallSubject } from './subjects.ts'
import { runTable, type Subject } from './table.ts'
import { Template, type TemplateCopy } from './template.ts'

// Keys made here cost little to open.
vi.mock(import('../../engine/repository/crypto.ts'), async (original) => ({ ...await original(), standardCost: { N: 1024, r: 8, p: 1 } }))

/** Hundreds of runs, on a machine that may be busy. */
const tableTimeoutMs = 300_000

let template: Template

beforeAll(async () => { template = await Template.make() })
afterAll(() => { template[Symbol.dispose]() })

async function twoKeys(): Promise<TemplateCopy> {
  const copy = await template.copy()
  await runKeyAdd(copy, { repository: copy.url, home: copy.world.home, concurrency: 1 }, new AbortController().signal)
  return copy
}

const probes = { 'denied remove probe/': ['success'], 'late list probe/': ['unsupported'] }

const tables: readonly { readonly name: string; readonly least: number; readonly subject: () => Subject }[] = [
  {
    name: 'init', least: 6,
    subject: () => smallSubject(template, 'init', runInit, {
      prepare: async () => template.empty(), usesUp: true, readsOnly: false, checked: isMade, prove: (copy) => copy.prove(),
      found: async (copy, { prefix }) => (prefix === 'probe/' ? opens(copy) : isRefused(copy, 'damaged')),
      others: probes,
    }),
  },
  {
    name: 'key add', least: 5,
    subject: () => smallSubject(template, 'key add', runKeyAdd, {
      readsOnly: false, prove: checked,
      checked: async (copy, { word }) => [...await opens(copy), ...(word === 'success' ? await opens(copy, 'second') : [])],
      found: async (copy) => [...await opens(copy), ...await isRefused(copy, 'password', 'second')],
    }),
  },
  {
    name: 'key remove', least: 5,
    subject: () => smallSubject(template, 'key remove', runKeyRemove, {
      prepare: twoKeys, usesUp: true, readsOnly: false, prove: checked,
      // The other key can be read, and is another password's; the error tells that one could not be read.
      others: { 'truncate get keys/': ['password', ...good] },
      checked: async (copy, { word }) => [...await opens(copy), ...(word === 'success' && (await opens(copy, 'second')).length === 0 ? ['the removed password still opens it'] : [])],
    }),
  },
  { name: 'key list', least: 4, subject: () => smallSubject(template, 'key list', runKeyList) },
  { name: 'snapshots', least: 6, subject: () => smallSubject(template, 'snapshots', runSnapshots) },
  {
    name: 'annotate', least: 12,
    subject: () => smallSubject(template, 'annotate', runAnnotate, {
      prepare: async () => {
        const copy = await template.copy()
        await runAnnotate(copy, { repository: copy.url, home: copy.world.home, concurrency: 4 }, new AbortController().signal)
        return copy
      },
      readsOnly: false, prove: checked, found: isToldAndRepaired,
      others: { 'denied remove notes/': ['success'], 'stored truncated put notes/': ['unavailable'], 'stored flipped put notes/': ['unavailable'] },
    }),
  },
  { name: 'ls', least: 6, subject: () => smallSubject(template, 'ls', runList) },
  { name: 'test', least: 7, subject: () => jobSubject(template, 'test', { readsOnly: true, usesUp: false, others: probes, prove: opens }) },
]

test.each(tables)('$name: every operation × every fault', async ({ least, subject }) => {
  const { rows, wrong } = await runTable(subject())
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThanOrEqual(least)
}, tableTimeoutMs)
