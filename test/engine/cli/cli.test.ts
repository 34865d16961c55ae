import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { version } from '../../../engine/base/version.ts'
import { testFolder } from '../small-repository.ts'
import { runCli } from './run-cli.ts'

const commands = ['init', 'backup', 'snapshots', 'annotate', 'ls', 'diff', 'restore', 'serve', 'check', 'forget', 'prune', 'care', 'key add', 'key remove', 'key list', 'key rotate', 'kit create', 'kit verify', 'machines', 'rebuild']

describe('command line', () => {
  it('explains every command, with examples', async () => {
    const helps = await Promise.all(commands.map((command) => runCli([...command.split(' '), '--help'])))
    for (const [index, { code, stdout }] of helps.entries()) {
      expect([code, commands[index]]).toEqual([0, commands[index]])
      expect(stdout).toContain('--repo <address>')
      expect(stdout).toMatch(/Examples:\n {2}\$ holdfast /)
    }
  }, 60_000)

  it('prints the version of package.json', async () => {
    expect(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).toContain(`"version": "${version}"`)
    const { code, stdout } = await runCli(['--version'])
    expect([code, stdout.trim()]).toEqual([0, version])
  })

  it.each([
    [['frobnicate'], 'unknown command'],
    [['snapshots', '--frobnicate'], 'unknown option'],
    [['restore', 'latest'], '--to'],
    [['restore', 'no snapshot/', '--to', '/tmp/x'], 'JOB@REVISION'],
    [['restore', 'latest', '--to', '/tmp/x', '--overwrite', 'perhaps'], 'never, changed, older, beside, always'],
    [['backup', '/tmp'], '--job'],
    [['backup', '/tmp', '--job', 'a/b'], 'job name'],
    [['check', '--read-data=200%'], 'percentage'],
    [['prune', '--limit-upload', 'fast'], '500K'],
    [['forget'], '--keep-'],
    [['snapshots', '--repo', 'ftp://somewhere'], 'ftp'],
    [[], 'Usage'],
  ])('wrong arguments %j end with 200', async (args, words) => {
    await using folder = await testFolder()
    const { code, stderr, stdout } = await runCli(args, { folder })
    expect(code).toBe(200)
    expect(stderr).toContain(words)
    expect(stdout).toBe('')
  })

  it('tells wrong arguments as JSON too', async () => {
    const { code, events } = await runCli(['snapshots', '--json', '--frobnicate'])
    expect(code).toBe(200)
    expect(events).toEqual([expect.objectContaining({ type: 'error', code: 'arguments' })])
  })

  it('asks for a repository and a password', async () => {
    await using folder = await testFolder()
    expect(await runCli(['snapshots'], { folder, environment: { HOLDFAST_REPO: '' } })).toMatchObject({ code: 200, stderr: expect.stringContaining('HOLDFAST_REPO') as unknown })
    expect(await runCli(['snapshots'], { folder, environment: { HOLDFAST_PASSWORD: '' } })).toMatchObject({ code: 200, stderr: expect.stringContaining('HOLDFAST_PASSWORD') as unknown })
  })

  it.each([
    ['a wrong password', { HOLDFAST_PASSWORD: 'wrong-7719' }, 'password'],
    ['a missing folder', { HOLDFAST_REPO: '/nonexistent/repository' }, 'offline'],
    ['a folder without a repository', { HOLDFAST_REPO: '/usr' }, 'not-a-repository'],
  ])('%s ends with 100, its code and advice', async (_what, environment, code) => {
    await using folder = await testFolder()
    const result = await runCli(['snapshots', '--json', '--patience', '0'], { folder, environment })
    expect(result.code).toBe(100)
    expect(result.events.at(-1)).toMatchObject({ type: 'error', code, advice: expect.any(String) as unknown })
    expect(result.stdout + result.stderr).not.toContain('wrong-7719')
  })

  it.each([
    ['backup', 'gc/notes.txt'],
    ['prune', 'acks/desktop.ini'],
    ['prune', 'intents/old/1'],
  ])('%s names a stranger’s %s, and says what to do about it', async (command, name) => {
    await using folder = await testFolder()
    mkdirSync(join(folder.repository, name, '..'), { recursive: true })
    writeFileSync(join(folder.repository, name), '')
    const { code, stderr } = await runCli(command === 'backup' ? ['backup', folder.path, '--job', 'job'] : [command], { folder })
    expect([code, stderr]).toEqual([100, expect.stringContaining(`The repository holds ${name}`)])
    expect(stderr).toContain(`somebody else put ${name} there: move it out of the repository`)
  })

  it('makes a repository once', async () => {
    await using folder = await testFolder()
    const environment = { HOLDFAST_REPO: join(folder.path, 'new') }
    const made = await runCli(['init', '--json'], { folder, environment })
    expect([made.code, made.events.at(-1)]).toEqual([0, expect.objectContaining({ type: 'summary', operation: 'init', repositoryId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown })])
    const again = await runCli(['init', '--json'], { folder, environment })
    expect([again.code, again.events.at(-1)]).toEqual([100, expect.objectContaining({ type: 'error', code: 'exists' })])
  })

  it('adds, lists and removes passwords', async () => {
    await using folder = await testFolder()
    const passwordFile = join(folder.path, 'second')
    writeFileSync(passwordFile, 'the second one\n')
    expect((await runCli(['key', 'add', '--new-password-file', passwordFile], { folder })).code).toBe(0)
    const list = await runCli(['key', 'list', '--json', '--password-file', passwordFile], { folder, environment: { HOLDFAST_PASSWORD: '' } })
    const keys = list.events.find((event) => event['type'] === 'keys')?.['keys'] as { name: string; current: boolean }[]
    expect(keys.map((key) => key.current).toSorted()).toEqual([false, true])
    const first = keys.find((key) => !key.current)?.name ?? ''
    expect((await runCli(['key', 'remove', first.slice(0, 8), '--password-file', passwordFile], { folder })).code).toBe(0)
    expect((await runCli(['key', 'list'], { folder })).code).toBe(100)
    const last = await runCli(['key', 'remove', keys.find((key) => key.current)?.name ?? '', '--password-file', passwordFile, '--json'], { folder })
    expect([last.code, last.events.at(-1)]).toEqual([200, expect.objectContaining({ code: 'arguments' })])
  })

  it('ends restore of nothing with 100', async () => {
    await using folder = await testFolder()
    const result = await runCli(['restore', 'latest', '--to', join(folder.path, 'out'), '--json'], { folder })
    expect([result.code, result.events.at(-1)]).toEqual([100, expect.objectContaining({ type: 'error', code: 'not-found' })])
  })

  it('tells each warning once, and of transfers only packs', async () => {
    await using folder = await testFolder()
    const source = join(folder.path, 'source')
    mkdirSync(source)
    writeFileSync(join(source, 'file'), 'x')
    const gone = join(folder.path, 'gone')
    const backup = (...options: string[]) => runCli(['backup', source, gone, '--job', 'job', ...options], { folder })
    const first = await backup('--json')
    expect(first.code).toBe(2)
    expect(first.events.filter(({ type }) => type === 'problem' || type === 'log')).toEqual([expect.objectContaining({ type: 'problem', path: gone })])
    const names = first.events.filter(({ type }) => type === 'transfer').map(({ name }) => name)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) expect(name).toMatch(/^pack [0-9a-f]{4}…$/)
    for (const options of [[], ['--verbose']]) {
      const { stderr } = await backup(...options)
      expect(stderr.split('\n').filter((line) => line.includes('This source is not there'))).toEqual([expect.stringContaining(gone)])
    }
    const listing = await runCli(['snapshots', '--json'], { folder })
    expect(listing.events.map(({ type }) => type)).toEqual(['snapshot', 'summary'])
  }, 30_000)

  it('is quiet when nobody reads its output', async () => {
    await using folder = await testFolder()
    const result = await runCli(['snapshots', '--json'], { folder, onStart: (child) => { child.stdout?.destroy() } })
    expect([result.code, result.stderr]).toEqual([0, ''])
  })
})
