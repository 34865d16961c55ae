import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

async function backUp(folder: TestFolder, ...more: readonly string[]): Promise<void> {
  const { code, stderr, stdout } = await callCli(['backup', join(folder.path, 'source'), '--job', 'home', ...more], { folder })
  expect(code, stderr + stdout).toBe(0)
}

/** Three snapshots: the second with changes of each kind, the third with one other time. */
async function changed(folder: TestFolder): Promise<void> {
  const at = (name: string): string => join(folder.path, 'source', name)
  for (const name of ['letters', 'old', 'same']) mkdirSync(at(name), { recursive: true })
  for (const name of ['letters/täst.txt', 'letters/rights', 'old/gone', 'same/as ever', 'becomes']) writeFileSync(at(name), name)
  writeFileSync(Buffer.concat([bytes(`${at('letters')}/`), bytes('caf\xe9')]), 'x')
  await backUp(folder)
  writeFileSync(at('letters/täst.txt'), 'something longer than before')
  writeFileSync(Buffer.concat([bytes(`${at('letters')}/`), bytes('caf\xe9')]), 'xy')
  chmodSync(at('letters/rights'), 0o600)
  rmSync(at('old'), { recursive: true })
  rmSync(at('becomes'))
  mkdirSync(at('becomes'))
  writeFileSync(at('becomes/inside'), 'inside')
  renameSync(at('same/as ever'), at('same/renamed'))
  utimesSync(at('same/renamed'), 1, 1)
  await backUp(folder)
  utimesSync(at('same/renamed'), 2, 2)
  await backUp(folder)
}

describe('diff', () => {
  it('shows what changed between two snapshots, and comes to a sum', async () => {
    await using folder = await testFolder()
    await changed(folder)
    const { code, stdout } = await callCli(['diff', 'home@1', 'home@2'], { folder })
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toEqual([
      'T  source/becomes/',
      '+  source/becomes/inside',
      'M  source/letters/caf\\xe9',
      'M  source/letters/täst.txt',
      '-  source/old/',
      '-  source/old/gone',
      '-  source/same/as ever',
      '+  source/same/renamed',
      'home@1 → home@2: 2 new (18 B), 3 gone (20 B), 2 changed (30 B), 1 of another type, 1 with other times, rights or attributes only (--metadata shows them).',
    ])
    const all = await callCli(['diff', 'home@1', 'home@2', '--metadata'], { folder })
    expect(all.stdout).toContain('U  source/letters/rights\n')
    expect(all.stdout).not.toContain('--metadata')
  }, 60_000)

  it('with one name, compares with the one before it', async () => {
    await using folder = await testFolder()
    await changed(folder)
    expect((await callCli(['diff', 'latest'], { folder })).stdout.trim()).toBe('home@2 → home@3: 0 new, 0 gone, 0 changed, 1 with other times, rights or attributes only (--metadata shows them).')
    expect((await callCli(['forget', 'home@2'], { folder })).code).toBe(0)
    expect((await callCli(['diff', 'home@3'], { folder })).stdout).toContain('home@1 → home@3: 2 new')
    const first = await callCli(['diff', 'home@1', '--json'], { folder })
    expect([first.code, first.events.at(-1)]).toEqual([100, expect.objectContaining({ type: 'error', code: 'not-found', message: expect.stringContaining('no snapshot of home before home@1') as string })])
  }, 60_000)

  it('the one before is of the same machine', async () => {
    await using folder = await testFolder()
    await changed(folder)
    await backUp(folder, '--host', 'another')
    const { code, events } = await callCli(['diff', 'latest:another/home', '--json'], { folder })
    expect([code, events.at(-1)]).toEqual([100, expect.objectContaining({ code: 'not-found' })])
    expect((await callCli(['diff', 'home@3', 'latest:another/home'], { folder })).stdout).toContain('home@3 → home@4: 0 new, 0 gone, 0 changed.')
  }, 60_000)

  describe('of one repository', () => {
    let folder: TestFolder

    beforeAll(async () => {
      folder = await testFolder()
      await changed(folder)
    })

    afterAll(() => folder[Symbol.asyncDispose]())

    it.each([
      ['a folder', 'source/letters', ['M  source/letters/caf\\xe9', 'M  source/letters/täst.txt']],
      ['a file, by its printed name', 'source/letters/caf\\xe9', ['M  source/letters/caf\\xe9']],
      ['what is gone', 'source/old', ['-  source/old/', '-  source/old/gone']],
      ['what became a folder', 'source/becomes', ['T  source/becomes/', '+  source/becomes/inside']],
    ])('of %s alone', async (_, path, lines) => {
      const { code, stdout } = await callCli(['diff', 'home@1', 'home@2', path], { folder })
      expect([code, stdout.trim().split('\n').slice(0, -1)]).toEqual([0, lines])
    }, 60_000)

    it('is JSON for programs, with exact names and both sides', async () => {
      const { events } = await callCli(['diff', 'home@1', 'home@2', '--json', '--metadata'], { folder })
      const found = events.filter(({ type }) => type === 'difference')
      expect(found).toHaveLength(9)
      expect(found.find(({ path }) => path === 'source/letters/caf\\xe9')).toMatchObject({
        difference: 'content', pathBytes: bytes('source/letters/caf\xe9').toString('base64'), before: { kind: 'file', size: 1 }, after: { kind: 'file', size: 2 },
      })
      expect(found.find(({ path }) => path === 'source/letters/rights')).toMatchObject({ difference: 'metadata', before: { mode: 0o644 }, after: { mode: 0o600 } })
      expect(events.at(-1)).toMatchObject({
        type: 'summary', operation: 'diff', older: 'home@1', newer: 'home@2',
        differences: { added: { entries: 2, bytes: 18 }, removed: { entries: 3, bytes: 20 }, content: { entries: 2, bytes: 30 }, metadata: { entries: 1 }, type: { entries: 1, bytes: 0 } },
      })
    }, 60_000)

    it.each([
      ['a path that neither holds', ['diff', 'home@1', 'home@2', 'source/nothing'], 'not-found'],
      ['a snapshot that is not there', ['diff', 'home@1', 'home@9'], 'not-found'],
      ['a path in place of a snapshot', ['diff', 'home@1', 'source'], 'arguments'],
    ])('%s is an error in words', async (_, args, code) => {
      const { events } = await callCli([...args, '--json'], { folder })
      expect(events.at(-1)).toMatchObject({ type: 'error', code })
    }, 60_000)
  })
})
