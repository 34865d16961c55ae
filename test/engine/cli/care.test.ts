import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backUp } from '../commands/run-support.ts'
import { Household } from '../../fixtures/household.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

async function backedUp(runs: number): Promise<TestFolder> {
  const folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(source)
  for (let run = 1; run <= runs; run++) {
    writeFileSync(join(source, 'file'), `text ${run}`)
    await backUp(folder, source)
  }
  return folder
}

test('a preview says what stays and why, what goes and how much that frees; the real one tells what went', { timeout: 120_000 }, async () => {
  await using folder = await backedUp(3)
  const preview = await callCli(['forget', '--keep-last', '2', '--keep-within', '30d', '--dry-run'], { folder })
  expect(preview.stdout).toMatch(/^ {2}job on .*: 3 kept, 0 forgotten$/m)
  const { stdout } = await callCli(['forget', '--keep-last', '2', '--dry-run'], { folder })
  expect(stdout).toMatch(/^ {2}job on .*: 2 kept, 1 forgotten$/m)
  expect(stdout).toMatch(/^ +keep +job@3 .* newest, last$/m)
  expect(stdout).toMatch(/^ +forget +job@1 /m)
  expect(stdout).toMatch(/^ {2}about [\d.]+ (?:B|KiB) freed by the next prune, [\d.]+ (?:B|KiB) stay$/m)
  const small = await callCli(['forget', '--keep-size', '1', '--dry-run'], { folder })
  expect(small.stdout).toMatch(/^ +forget +job@2 .* over the budget$/m)
  expect(small.stdout).toContain('that is more than the budget of 1 B')
  const json = await callCli(['forget', '--keep-last', '2', '--dry-run', '--json'], { folder })
  expect(json.events.at(-1)).toMatchObject({ details: { groups: [{ job: 'job', forgotten: [{ id: 'job@1', because: 'rules' }] }], estimate: { freedBytes: expect.any(Number) as unknown } } })
  expect((await callCli(['forget', '--keep-last', '2'], { folder })).stdout).toMatch(/2 kept, 1 forgotten/)
})

test('care tells in one line what it did, and when nothing was due', { timeout: 120_000 }, async () => {
  await using folder = await backedUp(2)
  const first = await callCli(['care', '--keep-last', '1'], { folder })
  expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^ {2}1 snapshot forgotten · 0 packs removed, 0 B freed · 1 snapshot checked · 1 file \(6 B\) restored and compared · \d+ packs \([\d.]+ KiB\) read back · oldest pack not read since \d{4}-/m)])
  const second = await callCli(['care', '--keep-last', '1'], { folder })
  expect([second.code, second.stdout]).toEqual([1, expect.stringMatching(/0 snapshots forgotten · prune not due · check not due · drill not due · 0 packs \(0 B\) read back/)])
  const poor = await callCli(['care', '--budget-bytes', '1'], { folder })
  expect(poor.stdout).toContain('the budget of this day is used up')
  expect((await callCli(['care', '--job', 'job'], { folder })).code).toBe(200)
})

test('what is held for an unusual backup is told by forget, prune and care, with what releases it', { timeout: 120_000 }, async () => {
  await using folder = await testFolder()
  const home = new Household(join(folder.path, 'source'), 0.1)
  await backUp(folder, home.folder)
  home.encrypt(home.files())
  await backUp(folder, home.folder)
  const told = expect.stringMatching(/^ {2}held since job@2 of .*: As many as \d+ of \d+ files .* holdfast acknowledge job --host /m) as string
  for (const args of [['forget', '--keep-last', '1'], ['prune']]) {
    const { code, stdout } = await callCli(args, { folder })
    expect([code, stdout]).toEqual([2, told])
  }
  const care = await callCli(['care', '--keep-last', '1'], { folder })
  expect([care.code, care.stdout]).toEqual([0, told])
  expect(care.stdout).toMatch(/^ {2}0 snapshots forgotten · prune held back · 2 snapshots checked · /m)
  expect((await callCli(['forget', '--keep-last', '1', '--dry-run'], { folder })).stdout).toMatch(/^ +keep +job@1 .* held$/m)
  expect((await callCli(['acknowledge'], { folder })).stdout).toMatch(/^job@2 .*: As many as /m)
  expect((await callCli(['acknowledge', 'job', '--host', 'elsewhere'], { folder })).code).toBe(1)
  expect((await callCli(['forget', '--keep-last', '1', '--despite-unusual', '--dry-run'], { folder })).stdout).toMatch(/1 kept, 1 forgotten/)
  expect((await callCli(['acknowledge', 'job'], { folder })).stdout).toContain('nothing of job on')
  expect((await callCli(['forget', '--keep-last', '1'], { folder })).stdout).toMatch(/1 kept, 1 forgotten/)
  expect((await callCli(['prune'], { folder })).code).not.toBe(2)
})
