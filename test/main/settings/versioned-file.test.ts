import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, it } from 'vitest'
import { LaterVersionError, VersionedFile } from '../../../main/settings/versioned-file.ts'

const folder = (): string => mkdtempSync(join(tmpdir(), 'holdfast-settings-'))
const schema = v.object({ count: v.number() })

function open(path: string, migrations: readonly ((old: unknown) => unknown)[] = []) {
  return new VersionedFile({ path, schema, migrations, initial: { count: 0 }, now: () => 0 })
}

it('keeps what was set, for the user alone', async () => {
  const path = join(folder(), 'deep/settings.json')
  await open(path).set({ count: 3 })
  expect(open(path).value).toEqual({ count: 3 })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('writes the newest of many changes, whole', async () => {
  const path = join(folder(), 'settings.json')
  const file = open(path)
  await Promise.all([1, 2, 3, 4].map((count) => file.set({ count })))
  expect(open(path).value).toEqual({ count: 4 })
  expect(readdirSync(join(path, '..'))).toEqual(['settings.json'])
})

it.each([
  ['no JSON', '{"version": 1, "da'],
  ['another shape', '{"version": 1, "data": {"count": "x"}}'],
  ['no version', '{"data": {"count": 1}}'],
])('moves a file aside that has %s, and says where', (_name, text) => {
  const path = join(folder(), 'settings.json')
  writeFileSync(path, text)
  const file = open(path)
  expect(file.value).toEqual({ count: 0 })
  expect(file.movedTo).toMatch(/settings\.json\.damaged-/)
  expect(readFileSync(file.movedTo ?? '', 'utf8')).toBe(text)
  expect(readdirSync(join(path, '..'))).toHaveLength(1)
})

it('leaves a file of a later version where it is, and says what to do', () => {
  const path = join(folder(), 'settings.json')
  const text = '{"version": 2, "data": {"count": 1}}'
  writeFileSync(path, text)
  expect(() => open(path)).toThrow(LaterVersionError)
  expect(() => open(path)).toThrow(`${path} was written by a later version of Holdfast. Install that version again`)
  expect([readFileSync(path, 'utf8'), readdirSync(join(path, '..'))]).toEqual([text, ['settings.json']])
})

it('brings old data up to date, step by step', async () => {
  const path = join(folder(), 'settings.json')
  const first = new VersionedFile({ path, schema: v.object({ n: v.number() }), migrations: [], initial: { n: 1 }, now: () => 0 })
  await first.set({ n: 5 })
  const steps = [(old: unknown) => ({ number: v.parse(v.object({ n: v.number() }), old).n }), (old: unknown) => ({ count: v.parse(v.object({ number: v.number() }), old).number })]
  const now = open(path, steps)
  expect(now.value).toEqual({ count: 5 })
  await now.set({ count: 6 })
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 3, data: { count: 6 } })
})
