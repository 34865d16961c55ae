import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AppStatus, JobStatus, RunStatus } from '../../../engine/protocol/app-status.ts'
import { runCli, type CliResult } from './run-cli.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const now = Date.now()

const run: RunStatus = { outcome: 'success', startedMs: now - 62 * minuteMs, finishedMs: now - hourMs, files: 1203, bytes: 5 * 2 ** 30, uploadedBytes: 1024, problems: 0, snapshot: 'docs@12' }
const failed: RunStatus = { ...run, outcome: 'failed', startedMs: now - 2 * minuteMs, finishedMs: now - minuteMs, problems: 2, error: { code: 'offline', message: 'The server cannot be reached.' } }
const job: JobStatus = {
  id: 'id', name: 'docs', destination: 'file:///mnt/disk/caf%C3%A9', schedule: 'daily at 20:00', state: 'idle', lastRun: run, lastSuccess: run,
  waits: { reason: 'schedule', untilMs: now + hourMs }, lateFromMs: now + 7 * dayMs, password: true, copies: [],
}
/** This process stands in for the app. */
const status: AppStatus = { version: 1, app: '0.1.0', pid: process.pid, running: true, writtenMs: now, pausedAll: false, jobs: [job], othersLate: [], damaged: [] }

const bare = (): string => mkdtempSync(join(tmpdir(), 'holdfast-status-'))

async function tell(written: unknown, ...args: readonly string[]): Promise<CliResult> {
  const home = bare()
  writeFileSync(join(home, 'status.json'), typeof written === 'string' ? written : JSON.stringify(written), { mode: 0o600 })
  return runCli(['status', ...args], { environment: { HOLDFAST_HOME: home } })
}

it('tells a person what there is, and that all is well', async () => {
  const { code, stdout, stderr } = await tell(status)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')).toBe(`Holdfast 0.1.0 is running.

docs, daily at 20:00, to file:///mnt/disk/caf%C3%A9
  last backup  TIME (docs@12): 1,203 files, 5.0 GiB, 1.0 KiB sent in 2 min 00 s
  now          next backup TIME

All is well.
`)
})

it.each<[string, Partial<AppStatus>, Partial<JobStatus>, readonly string[]]>([
  ['a failed run', {}, { lastRun: failed }, ['failed']],
  ['warnings', {}, { lastRun: { ...run, outcome: 'warnings' } }, ['warnings']],
  ['a run that somebody stopped', {}, { lastRun: { ...run, outcome: 'stopped' } }, []],
  ['a missing sign-in', {}, { waits: { reason: 'sign-in' } }, ['sign-in']],
  ['a hold', {}, { heldSince: 'docs@9' }, ['held docs@9']],
  ['a late job', {}, { lateFromMs: now - 1 }, ['late']],
  ['a password that is gone', {}, { password: false }, ['password']],
  ['care that failed, a copy that did not finish', {}, { care: failed, copies: [{ destination: 's3://b', state: 'idle', lastRun: { ...run, outcome: 'partial' } }] }, ['care', 'copy s3://b']],
  ['a pause of everything', { pausedAll: true }, { waits: { reason: 'paused' } }, []],
  ['another machine that is late', { othersLate: [{ job: 'mail', host: 'attic', days: 20 }] }, {}, ['other-late attic/mail']],
  ['a damaged file of jobs', { jobs: [], damaged: ['jobs'] }, {}, ['damaged jobs']],
  ['an app that was ended', { running: false }, {}, []],
  ['an app that was ended, and a run that was due since', { running: false }, { waits: { reason: 'schedule', untilMs: now - 2 * hourMs } }, ['missed']],
  ['an app that was killed, and a run that was due since', { pid: 2 ** 22 + 1 }, { waits: { reason: 'schedule', untilMs: now - 2 * hourMs } }, ['missed']],
  ['an app that hangs, and a run that was due since', { writtenMs: now - hourMs }, { waits: { reason: 'schedule', untilMs: now - 2 * hourMs } }, ['missed']],
  ['a wait of a later version', {}, { waits: { reason: 'battery' } }, []],
])('%s', async (_name, changes, jobChanges, expected) => {
  const { code, events } = await tell({ ...status, jobs: [{ ...job, ...jobChanges }], ...changes }, '--json')
  const { attention, outcome } = events.at(-1) as unknown as { attention: readonly { reason: string; detail?: string }[]; outcome: string }
  expect(attention.map(({ reason, detail }) => (detail === undefined ? reason : `${reason} ${detail}`))).toEqual(expected)
  expect([code, outcome]).toEqual(expected.length > 0 ? [2, 'warnings'] : [0, 'success'])
})

it('has an event for each job, and a summary, for scripts', async () => {
  const { events, stderr } = await tell({ ...status, running: false, jobs: [job, { ...job, id: 'other', name: 'mail', lateFromMs: 1 }] }, '--json')
  expect(stderr).toBe('')
  expect(events).toEqual([
    { type: 'job', ...job, attention: [] },
    { type: 'job', ...job, id: 'other', name: 'mail', lateFromMs: 1, attention: ['late'] },
    { type: 'summary', operation: 'status', outcome: 'warnings', version: 1, app: '0.1.0', presence: 'ended', writtenMs: now, pausedAll: false, othersLate: [], attention: [{ job: 'mail', reason: 'late' }] },
  ])
})

it('shows what names and errors hide, and each reason in words', async () => {
  const { code, stdout } = await tell({ ...status, jobs: [{ ...job, lastRun: { ...failed, error: { code: 'denied', message: 'no\u001b[2J\nway' } } }] })
  expect(code).toBe(2)
  expect(stdout).toContain('failed, denied: no\\x1b[2J\\x0away')
  expect(stdout).toMatch(/^! docs: the last backup failed$/m)
})

it.each<[string, string, string, string]>([
  ['nothing was written', '', 'damaged', 'is not what the app writes'],
  ['it is no JSON', '{"version":1', 'damaged', 'is not what the app writes'],
  ['it lacks its jobs', JSON.stringify({ ...status, jobs: undefined }), 'damaged', 'is not what the app writes'],
  ['a later version wrote it', JSON.stringify({ version: 2, news: true }), 'version', 'later version'],
])('ends with 100 where %s', async (_name, written, code, words) => {
  const told = await tell(written, '--json')
  expect([told.code, told.events.at(-1)]).toEqual([100, expect.objectContaining({ type: 'error', code })])
  expect(JSON.stringify(told.events)).toContain(words)
})

it('ends with 100 where the app has never run, and says what to do', async () => {
  const home = bare()
  const { code, stdout, stderr } = await runCli(['status', '--prometheus'], { environment: { HOLDFAST_HOME: home } })
  expect({ code, stdout, files: readdirSync(home) }).toEqual({ code: 100, stdout: '', files: [] })
  expect(stderr).toMatch(/status\.json: the app has not run here yet\.\n {2}Start the app once/)
})

it('has metrics for Prometheus, whatever a label holds', async () => {
  const copies = [{ destination: 'file:///a"b\\c\n', state: 'idle', completeMs: 2_500, snapshots: 3 }]
  const { code, stdout, stderr } = await tell({ ...status, jobs: [{ ...job, lastRun: failed, copies }, { ...job, name: 'new one', lastRun: undefined, lastSuccess: undefined }] }, '--prometheus')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2])
  expect(new Set(names).size).toBe(names.length)
  for (const line of lines) expect(line).toMatch(/^(# HELP holdfast_[a-z_]+ \S.*\.|# TYPE holdfast_[a-z_]+ gauge|holdfast_[a-z_]+(\{[a-z]+="([^"\\]|\\["\\])*"(,[a-z]+="([^"\\]|\\["\\])*")*\})? -?[\d.]+)$/)
  expect(lines).toEqual(expect.arrayContaining([
    'holdfast_up 1',
    'holdfast_attention 1',
    'holdfast_job_attention{job="docs"} 1',
    'holdfast_job_attention{job="new one"} 0',
    `holdfast_job_last_success_timestamp_seconds{job="docs"} ${run.finishedMs / 1000}`,
    'holdfast_job_last_run_success{job="docs"} 0',
    'holdfast_job_last_run_duration_seconds{job="docs"} 60',
    'holdfast_job_last_run_problems{job="docs"} 2',
    'holdfast_job_revision{job="docs"} 12',
    'holdfast_copy_complete_timestamp_seconds{job="docs",destination="file:///a\\"b\\\\c\\\\x0a"} 2.5',
    'holdfast_copy_snapshots{job="docs",destination="file:///a\\"b\\\\c\\\\x0a"} 3',
  ]))
  expect(stdout).not.toContain('last_success_timestamp_seconds{job="new one"}')
})

it('refuses two formats at once', async () => {
  expect((await tell(status, '--json', '--prometheus')).code).toBe(200)
})
