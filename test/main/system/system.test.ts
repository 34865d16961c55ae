import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RestoreView, RunView } from '../../../main/api/contract.ts'
import { announceLate, announceRestore, announceRun } from '../../../main/system/announcements.ts'
import { fileOf, serveRenderer } from '../../../main/system/app-protocol.ts'
import { autostartFile } from '../../../main/system/login-item.ts'
import { LogFiles } from '../../../main/system/logs.ts'
import { appPaths, programPaths } from '../../../main/system/paths.ts'
import { noCounters } from '../fakes.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'holdfast-system-'))

function run(outcome: RunView['outcome'], changes: Partial<RunView> = {}): RunView {
  return { id: 'run', jobId: 'job', operation: 'backup', trigger: 'manual', outcome, startedMs: 1, finishedMs: 2, files: noCounters, bytes: noCounters, uploadedBytes: 0, downloadedBytes: 0, adoptedPacks: 0, problems: 0, restarts: 0, ...changes }
}

describe('announcements', () => {
  it('tell failures, warnings and the first success, and lead to the run', () => {
    expect(announceRun(run('success'), 'docs', 'all', false)?.title).toBe('Your first backup is complete')
    expect(announceRun(run('success'), 'docs', 'all', true)).toBeUndefined()
    expect(announceRun(run('success'), 'docs', 'failures', false)).toBeUndefined()
    expect(announceRun(run('warnings', { problems: 1 }), 'docs', 'failures', true)?.title).toBe('docs: backed up with 1 warning')
    for (const [code, body] of [['scrambled', 'look encrypted'], ['removed', 'gone or different'], ['source-changed', 'suddenly empty']] as const) {
      const unusual = announceRun(run('warnings', { problems: 1, unusual: [{ code, files: 9, bytes: 9, of: 10 }] }), 'docs', 'failures', true)
      expect(unusual).toMatchObject({ title: 'docs: an unusual change', body: expect.stringContaining(body) as string, urgent: true })
    }
    const short = announceRun(run('failed', { error: { code: 'full', message: 'x', retryable: false, data: { missingBytes: 14.2e9 } } }), 'docs', 'failures', true)
    expect(short?.body).toBe('There is too little space: about 14 GB more are needed.')
    const failed = announceRun(run('failed', { error: { code: 'full', message: 'x', retryable: false } }), 'docs', 'failures', true)
    expect(failed).toMatchObject({ title: 'docs: backup failed', body: 'There is no space left.', urgent: true, route: { page: 'job', jobId: 'job', runId: 'run' } })
    expect(announceRun(run('stopped'), 'docs', 'all', true)).toBeUndefined()
    for (const outcome of ['failed', 'partial', 'warnings', 'success'] as const) expect(announceRun(run(outcome), 'docs', 'none', false)).toBeUndefined()
  })

  it('tell that somebody has to sign in, and lead to the job that waits for it', () => {
    const error = { code: 'credentials', message: 'x', retryable: false, data: { signIn: true, service: 'dropbox', account: 'anna' } } as const
    expect(announceRun(run('failed', { error }), 'docs', 'failures', true)).toMatchObject({ title: 'Sign in to Dropbox again', body: 'docs waits until you have. Click to do that.', route: { page: 'job', jobId: 'job' } })
    expect(announceRun(run('partial', { error: { ...error, data: { signIn: true, service: 'nonsense' } } }), 'docs', 'all', true)?.title).toBe('Sign in again')
    expect(announceRun(run('failed', { error }), 'docs', 'none', true)).toBeUndefined()
  })

  it('tell which backups have not come for long, in one', () => {
    const late = [{ job: 'docs', days: 9 }, { job: 'photos', host: 'laptop', days: 20 }]
    expect(announceLate(late.slice(0, 1), 'failures')).toMatchObject({ title: 'docs: no backup for 9 days', urgent: true, route: { page: 'jobs' } })
    expect(announceLate(late, 'all')).toMatchObject({ title: '2 backups have not come for long', body: 'docs: 9 days, photos on laptop: 20 days.' })
    expect(announceLate([...late, ...late], 'all')?.body).toMatch(/, and 1 more\.$/)
    expect(announceLate(late, 'none')).toBeUndefined()
    expect(announceLate([], 'all')).toBeUndefined()
  })

  it('show what a name or path hides', () => {
    const odd = 'docs\u202egnp\u001b[31m\n'
    const restore: RestoreView = { id: 'r1', place: { jobId: 'job' }, from: odd, more: 0, canRetry: false, snapshot: 'docs@1', target: `/out/${odd}`, paths: 0, except: 0, state: 'idle', runId: 'run', result: run('success') }
    const texts = [announceRun(run('failed'), odd, 'all', true), announceRun(run('success'), odd, 'all', false), announceRestore(restore, 'all')].flatMap((one) => [one?.title, one?.body])
    expect(texts.join('')).not.toMatch(/[\p{Cc}\u202e]/u)
    expect(texts).toContain('docs\\u202egnp\\x1b[31m\\x0a: backup failed')
  })

  it('tell of a restore, and lead to it', () => {
    const restore = (result: RunView): RestoreView => ({ id: 'r1', place: { jobId: 'job' }, from: 'docs', more: 0, canRetry: false, snapshot: 'docs@1', target: '/out', paths: 0, except: 0, state: 'idle', runId: 'run', result })
    expect(announceRestore(restore(run('success')), 'failures')).toMatchObject({ title: 'Restore complete', body: 'The files are in /out.', route: { page: 'restore', restoreId: 'r1' } })
    const { target: _folder, ...original } = restore(run('success'))
    expect(announceRestore(original, 'all')?.body).toBe('The files are where they were.')
    expect(announceRestore(restore(run('warnings', { problems: 2 })), 'all')?.title).toBe('Restore complete with 2 warnings')
    expect(announceRestore(restore(run('failed')), 'all')?.urgent).toBe(true)
    expect(announceRestore(restore(run('stopped')), 'all')).toBeUndefined()
    expect(announceRestore(restore(run('failed')), 'none')).toBeUndefined()
  })
})

describe('start on login', () => {
  it('is a file that is written and removed', async () => {
    const configFolder = join(folder(), 'config')
    const item = autostartFile({ configFolder, command: ['/opt/Hold fast/holdfast', '--hidden'] })
    expect(item.isOn()).toBe(false)
    await item.set(true)
    expect(item.isOn()).toBe(true)
    const text = readFileSync(join(configFolder, 'autostart/holdfast.desktop'), 'utf8')
    expect(text).toMatch(/^\[Desktop Entry\]\nType=Application\n/)
    expect(text).toContain('\nExec="/opt/Hold fast/holdfast" --hidden\n')
    await item.set(false)
    await item.set(false)
    expect(item.isOn()).toBe(false)
  })
})

describe('the window’s files', () => {
  const root = folder()
  const site = join(root, 'renderer')
  mkdirSync(join(site, 'assets'), { recursive: true })
  writeFileSync(join(site, 'index.html'), '<html>')
  writeFileSync(join(site, 'assets/app.js'), 'js')
  writeFileSync(join(site, 'assets/data.bin'), 'x')
  writeFileSync(join(root, 'secret.html'), 'secret')
  const serve = serveRenderer(site)

  it('come with their type and the policy', async () => {
    const page = await serve({ url: 'app://holdfast/' })
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([200, 'text/html; charset=utf-8', '<html>'])
    for (const url of ['app://holdfast/', 'app://holdfast/assets/app.js', 'app://holdfast/none.js']) {
      const policy = (await serve({ url })).headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).not.toMatch(/unsafe|\*/)
    }
  })

  it.each([
    'app://holdfast/../secret.html', 'app://holdfast/..%2fsecret.html', 'app://holdfast/%2e%2e/secret.html', 'app://holdfast/..%5csecret.html',
    'app://other/index.html', 'https://holdfast/index.html', 'app://holdfast/%00', 'app://holdfast/%', 'app://holdfast/assets/data.bin', 'app://holdfast/assets',
  ])('do not include %s', async (url) => {
    expect((await serve({ url })).status).toBe(404)
  })

  it('name no file outside the folder', () => {
    symlinkSync(root, join(site, 'link'))
    expect(fileOf(site, 'app://holdfast/a/../index.html')).toBe(join(site, 'index.html'))
    expect(fileOf(site, 'app://holdfast/..%2f..%2fetc/passwd')).toBeUndefined()
    expect(fileOf(site, 'app://holdfast/..%2frenderer-other/x.html')).toBeUndefined()
  })
})

describe('the log', () => {
  it('keeps the context of a line, and finds the lines of a run', async () => {
    const logs = new LogFiles(join(folder(), 'logs'))
    logs.write({ time: 0, level: 'info', message: 'other run', context: { run: 'r2' } })
    logs.write({ time: 0, level: 'warning', message: 'slow\nhere', context: { job: 'docs', run: 'r1', operation: 'backup', pack: 'ab', attempt: 2 } })
    expect(await logs.linesOf('r1')).toEqual(['1970-01-01T00:00:00.000Z warning docs › backup › ab › 2: slow\\x0ahere'])
    expect(await logs.linesOf('r3')).toEqual([])
    await logs.close()
    const lines = readFileSync(join(logs.folder, 'holdfast.jsonl'), 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toHaveLength(2)
  })

  it('rotates, and still finds what is in older files', async () => {
    const logs = new LogFiles(join(folder(), 'logs'))
    logs.write({ time: 0, level: 'info', message: 'first', context: { run: 'r1' } })
    for (let line = 0; line < 60; line++) logs.write({ time: 0, level: 'info', message: 'x'.repeat(100_000), context: { run: 'r2' } })
    logs.write({ time: 0, level: 'info', message: 'last', context: { run: 'r1' } })
    expect((await logs.linesOf('r1')).map((line) => line.split(': ')[1])).toEqual(['first', 'last'])
    await logs.close()
  })
})

describe('paths', () => {
  it('follow HOLDFAST_HOME, as the command line does', () => {
    expect(appPaths({ HOLDFAST_HOME: '/state' })).toMatchObject({ home: '/state', settings: '/state/settings.json', logs: '/state/logs' })
    expect(appPaths({ HOLDFAST_HOME: '' }).home).toMatch(/holdfast$/)
  })

  it('find the engine beside an archive', () => {
    expect(programPaths('/opt/holdfast/resources/app.asar').engine).toBe('/opt/holdfast/resources/app.asar.unpacked/dist/engine/engine.js')
    expect(programPaths('/work/main').engine).toBe('/work/main/dist/engine/engine.js')
  })
})
