import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { visibleJson, visibleText } from '../../../engine/protocol/visible-text.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { World } from '../../fixtures/world.ts'
import { HostileS3 } from '../../servers/hostile-s3.ts'
import { banners, lies } from '../../servers/lies.ts'
import { runCli } from './run-cli.ts'

/** A colour, a title, a C1 sequence, reversed text, a line of its own, and what takes no room. */
const hostile = 'a\u001b[31m\u001b]0;t\u0007\u009b2J\u202egnp\u2066\r\nholdfast: all is well\u2028\u200b\u{e0041}'
const control = /[\p{Cc}\u200b\u202a-\u202e\u2028\u2029\u2066-\u2069\u{e0000}-\u{e007f}]/u

const home = mkdtempSync(join(tmpdir(), 'holdfast-output-'))
afterAll(() => { rmSync(home, { recursive: true, force: true }) })

describe('text from outside', () => {
  it('is one line and hides nothing', () => {
    expect(visibleText(hostile)).toBe('a\\x1b[31m\\x1b]0;t\\x07\\x9b2J\\u202egnp\\u2066\\x0d\\x0aholdfast: all is well\\u2028\\u200b\\u{e0041}')
    expect(visibleText('\ud800')).toBe('\\ud800')
  })

  it('stays as it is when a person can read it', () => {
    for (const text of ['Füße – 日本語 שלום', 'می‌خواهم', '👩‍👩‍👧', 'e\u0301']) expect(visibleText(text)).toBe(text)
  })

  it('is the same value as JSON', () => {
    const value = { [hostile]: [hostile, '\ud800', 1, null] }
    expect(JSON.parse(visibleJson(value))).toEqual(value)
    expect(visibleJson(value)).not.toMatch(control)
  })
})

describe('what a storage says', () => {
  it.each([[[]], [['--json']], [['--verbose']]])('reaches no terminal as a control character (%s)', async (more) => {
    for (const lie of [lies['escapes for the terminal'], lies['escapes for the terminal in a header']]) {
      await using server = await HostileS3.start(new Map(), lie)
      const { code, stdout, stderr } = await runCli(['snapshots', '--patience', '0', ...more], {
        environment: { HOLDFAST_REPO: server.url, HOLDFAST_PASSWORD: 'x', HOLDFAST_HOME: home, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
      })
      expect(code).toBe(100)
      expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(control)
    }
  })

  it.each(Object.entries(banners))('%s at the port is told as that', async (_what, banner) => {
    await using server = await HostileS3.start(new Map(), undefined, banner)
    const { code, stderr } = await runCli(['snapshots', '--patience', '0'], {
      environment: { HOLDFAST_REPO: server.url, HOLDFAST_PASSWORD: 'x', HOLDFAST_HOME: home, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    })
    expect(code).toBe(100)
    expect(stderr).toMatch(/does not speak HTTP.*\n.*\n? *Check the address: host, port/)
  })
})

describe('what a repository holds', () => {
  it.each([['snapshots'], ['snapshots', '--json'], ['ls', 'photos@1'], ['ls', 'photos@1', '--json'], ['diff', 'photos@1', 'photos@2'], ['check', '--verbose'], ['restore', 'photos@1', '--verbose']])('%s %s shows a hostile host and hostile names on one line each', async (...args) => {
    using world = new World()
    await initCheaply(world.repository, world.password)
    mkdirSync(join(world.source, 'folder'))
    writeFileSync(join(world.source, 'a\u001b[2J\u202egnp\nholdfast: all is well'), 'x')
    await world.backup({ host: hostile.slice(0, 60) })
    if (args[0] === 'diff') {
      rmSync(join(world.source, 'folder'), { recursive: true })
      writeFileSync(join(world.source, 'a\u001b[2J\u202egnp\nholdfast: all is well'), 'y')
      await world.backup({ host: hostile.slice(0, 60) })
    }
    const to = args[0] === 'restore' ? ['--to', join(world.folder, 'to')] : args[0] === 'ls' ? ['source'] : []
    const { code, stdout, stderr } = await runCli([...args.slice(0, 2), ...to, ...args.slice(2)], {
      environment: { HOLDFAST_REPO: world.repository, HOLDFAST_PASSWORD: world.password, HOLDFAST_HOME: join(world.folder, 'other-home') },
    })
    expect(code).toBe(0)
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(control)
    expect(stdout.split('\n')).not.toContain('holdfast: all is well')
    if (args[0] === 'snapshots' && args.length === 1) expect(stdout.trim().split('\n')).toHaveLength(2)
  })
})

describe('a connection that others can read', () => {
  it.each([[[]], [['--json']]])('is told once in each run, and how to do better %s', async (more) => {
    const { code, stdout, stderr } = await runCli(['snapshots', '--patience', '0', ...more], {
      environment: { HOLDFAST_REPO: 's3://bucket?endpoint=http://holdfast.invalid:9000', HOLDFAST_PASSWORD: 'x', HOLDFAST_HOME: home, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
    })
    expect(code).toBe(100)
    expect((stdout + stderr).match(/not encrypted \(http:\/\/\)/g)).toHaveLength(1)
    expect(more.length > 0 ? stdout : stderr).toContain('Use https:// where the storage has it.')
  })

  it('is not told of this machine\'s own, nor of https', async () => {
    await using server = await HostileS3.start(new Map())
    for (const url of [server.url, 's3://bucket?endpoint=https://holdfast.invalid']) {
      const { stderr } = await runCli(['snapshots', '--patience', '0'], {
        environment: { HOLDFAST_REPO: url, HOLDFAST_PASSWORD: 'x', HOLDFAST_HOME: home, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
      })
      expect(stderr).not.toContain('not encrypted')
    }
  })
})
