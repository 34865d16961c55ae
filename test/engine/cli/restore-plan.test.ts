import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatTime } from '../../../engine/cli/format.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

let folder: TestFolder
const backedUpAt = new Date('2026-03-01T12:00:00Z')
const later = new Date('2026-06-01T00:00:00Z')

function put(path: string | Buffer, text: string, at: Date): void {
  writeFileSync(path, text)
  utimesSync(path, at, at)
}

beforeAll(async () => {
  folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(join(source, 'blocked'), { recursive: true })
  for (const name of ['new', 'same', 'täst']) put(join(source, name), name, backedUpAt)
  put(join(source, 'blocked', 'inside'), 'inside', backedUpAt)
  put(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff])]), 'no text', backedUpAt)
  expect((await callCli(['backup', source, '--job', 'home'], { folder })).code).toBe(0)
  const there = join(folder.path, 'there', 'source')
  mkdirSync(there, { recursive: true })
  put(join(there, 'same'), 'same', backedUpAt)
  put(join(there, 'täst'), 'mine', later)
  put(join(there, 'blocked'), 'a file', later)
})

afterAll(() => folder[Symbol.asyncDispose]())

function dryRun(...more: readonly string[]) {
  return callCli(['restore', 'latest', '--to', join(folder.path, 'there'), '--dry-run', ...more], { folder })
}

describe('restore --dry-run', () => {
  it('says what would be written, replaced and left, and writes nothing', async () => {
    const { code, stdout } = await dryRun()
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toEqual([
      'replace       source/blocked/  (no folder, though one belongs there)',
      'write         source/blocked/inside  (no folder is above it)',
      'write         source/new',
      'leave         source/same',
      `replace       source/täst  (5 B of ${formatTime(backedUpAt.getTime())}; 4 B of ${formatTime(later.getTime())} is there)`,
      'write         source/\\xff',
      'This would write 3 (16 B), leave 1 (4 B), replace 2 (5 B). Nothing was written.',
    ])
    expect(readFileSync(join(folder.path, 'there', 'source', 'täst'), 'utf8')).toBe('mine')
    expect(existsSync(join(folder.path, 'there', 'source', 'new'))).toBe(false)
  })

  it('says it to programs, with the rule that is given, and the exact bytes of names', async () => {
    const { code, events } = await dryRun('--overwrite', 'older', '--json', '--path', 'source', '--except', 'source/new')
    expect(code).toBe(0)
    const planned = events.filter(({ type }) => type === 'planned')
    expect(planned.map(({ fate, class: of, path }) => [fate, of, path])).toEqual([
      ['refused', 'blocked', 'source/blocked'], ['refused', 'below', 'source/blocked/inside'], ['left', 'same', 'source/same'], ['kept', 'newer', 'source/täst'], ['written', 'new', 'source/\\xff'],
    ])
    expect(planned[3]).toMatchObject({ kind: 'file', size: 5, mtimeMs: backedUpAt.getTime(), there: { size: 4, mtimeMs: later.getTime() } })
    expect(planned[4]).toMatchObject({ pathBytes: Buffer.from('source/\xff', 'latin1').toString('base64') })
    expect(events.at(-1)).toMatchObject({ type: 'summary', operation: 'restore', dryRun: true, overwrite: 'older', plan: { refused: { entries: 2 }, kept: { entries: 1, bytes: 5 } } })
  })

  it('makes no folder, and refuses one that is a file', async () => {
    const nowhere = join(folder.path, 'no', 'where')
    expect((await callCli(['restore', 'latest', '--to', nowhere, '-n'], { folder })).stdout).toContain('This would write 5')
    expect(existsSync(join(folder.path, 'no'))).toBe(false)
    const { code, stderr } = await callCli(['restore', 'latest', '--to', join(folder.path, 'there', 'source', 'same'), '-n'], { folder })
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('not a folder')])
    expect(code).not.toBe(0)
  })
})
