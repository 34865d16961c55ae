import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromText } from '../../../engine/base/byte-string.ts'
import { systemDisk } from '../../../engine/source/disk.ts'
import { survey, type SurveyRequest } from '../../../engine/source/survey.ts'
import { Surveyor } from '../../../engine/source/surveyor.ts'

let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-survey-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

function write(name: string, bytes: number): void {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), Buffer.alloc(bytes))
}

const request = (rules: Partial<SurveyRequest['rules']> = {}, never: readonly string[] = []): SurveyRequest => ({
  sources: [fromText(folder)], rules: { patterns: [], presets: [], oneFileSystem: false, ...rules }, never: never.map(fromText),
})

test('counts each name of a regular file, and nothing else', () => {
  write('a/one', 1000)
  write('a/b/c/two', 200)
  linkSync(join(folder, 'a/one'), join(folder, 'again'))
  symlinkSync('a', join(folder, 'link'))
  expect([...survey(request(), systemDisk)].at(-1)).toEqual({ files: 3, bytes: 2200, denseBytes: 0, otherBytes: 2200, complete: true })
})

test('tells what does not get smaller, and what is only a hole', () => {
  write('photo.JPG', 3000)
  write('letter.txt', 500)
  write('disk.img', 0)
  truncateSync(join(folder, 'disk.img'), 100_000_000)
  expect([...survey(request(), systemDisk)].at(-1)).toEqual({ files: 3, bytes: 100_003_500, denseBytes: 3000, otherBytes: 500, complete: true })
})

test('leaves out what the backup leaves out', () => {
  write('kept', 1)
  write('big', 5000)
  write('cache.tmp', 10)
  write('repository/pack', 20)
  write('marked/.nobackup', 30)
  write('marked/file', 40)
  const rules = { patterns: ['*.tmp'], presets: ['nobackup'], largerThanBytes: 4000 } as const
  expect([...survey(request(rules, [join(folder, 'repository')]), systemDisk)].at(-1)).toEqual({ files: 1, bytes: 1, denseBytes: 0, otherBytes: 1, complete: true })
})

test('tells what it has while it counts', () => {
  for (let at = 0; at < 1200; at++) write(`file-${at}`, 1)
  const told = [...survey(request(), systemDisk)]
  expect(told.map((totals) => totals.complete)).toEqual([false, false, true])
  expect(told.at(-1)).toMatchObject({ files: 1200 })
})

test('a thread of its own counts, and can be broken off', async () => {
  write('a/one', 1000)
  using surveyor = new Surveyor(request())
  await expect.poll(() => surveyor.totals).toEqual({ files: 1, bytes: 1000, denseBytes: 0, otherBytes: 1000, complete: true })
})
