import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testFolder } from '../small-repository.ts'
import { runCli } from './run-cli.ts'

test('an older repository on the command line: what refuses, what warns, and the way out', { timeout: 60_000 }, async () => {
  await using folder = await testFolder()
  const file = join(folder.path, 'file')
  const backup = (...more: readonly string[]) => {
    writeFileSync(file, `${Math.random()}`)
    return runCli(['backup', file, '--job', 'home', '--json', ...more], { folder })
  }
  expect((await backup()).code).toBe(0)
  cpSync(folder.repository, join(folder.path, 'old'), { recursive: true })
  expect((await backup()).code).toBe(0)
  rmSync(folder.repository, { recursive: true })
  cpSync(join(folder.path, 'old'), folder.repository, { recursive: true })

  const refused = await backup()
  expect(refused.code).toBe(100)
  expect(refused.events.at(-1)).toMatchObject({ type: 'error', code: 'rolled-back', data: { snapshot: 'home@2' }, advice: expect.stringContaining('--accept-older-repository') as unknown })
  const listed = await runCli(['snapshots', '--json'], { folder })
  expect(listed.code).toBe(2)
  expect(listed.events.map(({ type, code, outcome }) => [type, code ?? outcome])).toEqual([['problem', 'rolled-back'], ['snapshot', undefined], ['summary', 'warnings']])
  const shown = await runCli(['ls', 'latest'], { folder })
  expect(shown).toMatchObject({ code: 2, stderr: expect.stringMatching(/^warning: .*home@2/) as unknown, stdout: expect.stringContaining('file') as unknown })
  for (const args of [['restore', 'latest', '--to', join(folder.path, 'to')], ['forget', '--keep-last', '1'], ['prune'], ['check']]) {
    expect((await runCli(args, { folder })).code).toBe(100)
  }
  expect((await runCli(['restore', 'home@1', '--to', join(folder.path, 'to')], { folder })).code).toBe(2)
  const accepted = await backup('--accept-older-repository')
  expect(accepted).toMatchObject({ code: 0, events: expect.arrayContaining([expect.objectContaining({ type: 'summary', snapshot: 'home@3' })]) as unknown })
  expect((await runCli(['check'], { folder })).code).toBe(0)
})

test('hosts on the command line', { timeout: 60_000 }, async () => {
  await using folder = await testFolder()
  const file = join(folder.path, 'file')
  for (const host of ['alpha', 'beta']) {
    writeFileSync(file, host)
    expect((await runCli(['backup', file, '--job', 'home', '--host', host], { folder })).code).toBe(0)
  }
  const ambiguous = await runCli(['ls', 'latest:home'], { folder })
  expect(ambiguous).toMatchObject({ code: 200, stderr: expect.stringContaining('latest:beta/home, latest:alpha/home') as unknown })
  expect((await runCli(['ls', 'latest:alpha/home'], { folder })).code).toBe(0)
  expect((await runCli(['ls', 'latest', '--host', 'beta'], { folder })).code).toBe(0)
  const { events } = await runCli(['snapshots', '--json', '--host', 'beta'], { folder })
  expect(events.filter(({ type }) => type === 'snapshot').map(({ id }) => id)).toEqual(['home@2'])
  // This machine is neither: its policy lets nothing go.
  expect((await runCli(['forget', '--keep-last', '1'], { folder })).code).toBe(1)
  const help = await runCli(['forget', '--help'], { folder })
  expect(help.stdout.replaceAll(/\s+/g, ' ')).toContain('its time zone is stored with it')
})
