import { expect, test } from 'vitest'
import type { UnusualReason } from '../../../main/api/contract.ts'
import { lateWords, spaceWords, unusualWords } from '../../../renderer/text/unusual.ts'

const reason = (code: UnusualReason['code'], files = 3): UnusualReason => ({ code, files, bytes: 1, of: 4 })
const dayMs = 86_400_000

test.each([
  ['scrambled', 'As many as 3 of 4 files look encrypted now and did not before.'],
  ['random', 'As many as 3 of 4 files were replaced by what looks encrypted.'],
  ['removed', 'As many as 3 of 4 files are gone.'],
  ['rewritten', 'As many as 3 of 4 files have another content than before.'],
  ['source-changed', '3 folders are suddenly empty or on another disk.'],
] as const)('%s is told in a whole sentence, once', (code, words) => {
  expect(unusualWords([reason(code), reason(code)])).toBe(words)
})

test('what was summed up over runs is told as no more than there are', () => {
  expect(unusualWords([reason('scrambled', 9)])).toContain('4 of 4 files')
  expect(unusualWords([reason('source-changed', 1)])).toBe('A folder is suddenly empty or on another disk.')
})

test('what is left is told with how long it lasts, and that it is soon within a month', () => {
  const left = { freeBytes: 48.2e9 }
  expect(spaceWords(left, 0)).toEqual({ text: '48.2 GB left at the destination', soon: false })
  expect(spaceWords({ ...left, fullMs: 31 * dayMs }, 0)).toEqual({ text: '48.2 GB left at the destination; at this rate full in about 31 days', soon: false })
  expect(spaceWords({ ...left, fullMs: 30 * dayMs }, 0).soon).toBe(true)
  expect(spaceWords({ ...left, fullMs: 0 }, dayMs)).toEqual({ text: '48.2 GB left at the destination; it is as good as full', soon: true })
})

test('five late ones are named, the rest counted', () => {
  const late = Array.from({ length: 7 }, (_, at) => ({ job: `j${at}`, days: 7 + at, ...(at === 0 && { host: 'laptop' }) }))
  expect(lateWords(late.slice(0, 1))).toBe('j0 on laptop: 7 days.')
  expect(lateWords(late)).toBe('j0 on laptop: 7 days; j1: 8 days; j2: 9 days; j3: 10 days; j4: 11 days; and 2 more.')
})
