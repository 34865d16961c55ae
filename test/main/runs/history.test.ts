import { appendFileSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { RunView } from '../../../main/api/contract.ts'
import { keptRuns, RunHistory } from '../../../main/runs/history.ts'
import { noCounters } from '../fakes.ts'

const run = (id: string, changes: Partial<RunView> = {}): RunView => ({ id, jobId: 'job', operation: 'backup', trigger: 'manual', outcome: 'success', startedMs: 1, finishedMs: 2, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0, ...changes })
const start = (id: string) => ({ id, operation: 'backup', trigger: 'schedule', startedMs: 7 }) as const
const folder = (): string => join(mkdtempSync(join(tmpdir(), 'holdfast-history-')), 'history')

async function reopened(path: string, history: RunHistory): Promise<{ history: RunHistory; cutOff: readonly string[] }> {
  await history.flush()
  const again = new RunHistory(path)
  return { cutOff: again.load(), history: again }
}

it('keeps runs and their problems over a restart, newest first, in pages', async () => {
  const path = folder()
  const before = new RunHistory(path)
  expect(before.load()).toEqual([])
  for (const id of ['a', 'b', 'c']) {
    before.started('job', start(id))
    before.ended(run(id, { problems: 1, error: { code: 'offline', message: 'm', retryable: true, cause: { code: 'denied', message: 'n', retryable: false } } }), [{ code: 'unreadable', path: `/x/${id}`, message: 'no' }])
  }
  const { history, cutOff } = await reopened(path, before)
  expect(cutOff).toEqual([])
  expect(history.last('job')).toEqual(before.last('job'))
  const first = history.page('job', 2)
  expect([first.runs.map((one) => one.id), first.more]).toEqual([['c', 'b'], true])
  expect(history.page('job', 2, 'b')).toMatchObject({ runs: [{ id: 'a' }], more: false })
  expect(await history.problems('job', 'b')).toEqual([{ code: 'unreadable', path: '/x/b', message: 'no' }])
  expect(await history.problems('job', 'none')).toEqual([])
})

it('finds the run that was cut off with the app, once', async () => {
  const path = folder()
  const before = new RunHistory(path)
  before.started('job', start('a'))
  before.ended(run('a'), [])
  before.started('job', start('b'))
  const first = await reopened(path, before)
  expect(first.cutOff).toEqual(['job'])
  expect(first.history.last('job')).toMatchObject({ id: 'b', outcome: 'failed', trigger: 'schedule', error: { code: 'crashed' } })
  expect((await reopened(path, first.history)).cutOff).toEqual([])
})

it('passes over lines that it cannot read', async () => {
  const path = folder()
  const before = new RunHistory(path)
  before.ended(run('a'), [])
  await before.flush()
  appendFileSync(join(path, 'job/runs.jsonl'), '{"type":"ended","run":{"id":"half\n{}\nnonsense')
  const { history } = await reopened(path, before)
  expect(history.page('job', 10).runs.map((one) => one.id)).toEqual(['a'])
})

it('keeps the last runs and throws the files of the others away', async () => {
  const path = folder()
  const before = new RunHistory(path)
  const total = keptRuns * 4 + 10
  for (let at = 0; at < total; at++) before.ended(run(`r${at}`), at % 50 === 0 ? [{ code: 'changed', path: '/x', message: '' }] : [])
  const { history } = await reopened(path, before)
  expect(history.page('job', 1000).runs).toHaveLength(keptRuns)
  expect(history.last('job')?.id).toBe(`r${total - 1}`)
  expect(readFileSync(join(path, 'job/runs.jsonl'), 'utf8').split('\n').length).toBeLessThan(keptRuns + 20)
  expect(readdirSync(join(path, 'job')).length).toBeLessThanOrEqual(1 + 5)
  history.remove('job')
  await history.flush()
  expect(readdirSync(path)).toEqual([])
})
