import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromText } from '../../../engine/base/byte-string.ts'
import type { ExcludeRules } from '../../../engine/protocol/job.ts'
import { Excludes } from '../../../engine/source/excludes.ts'

const rules = (more: Partial<ExcludeRules> = {}): ExcludeRules => ({ patterns: [], presets: [], oneFileSystem: false, ...more })

function excluded(more: Partial<ExcludeRules>, relative: string, directory = false, size = 0): boolean {
  return new Excludes(rules(more), []).entry(`/source/${relative}`, fromText(relative), directory, size) !== undefined
}

describe('patterns', () => {
  test('are those of gitignore, relative to the source', () => {
    const patterns = ['*.tmp', '/top', 'build/', '!keep.tmp', 'docs/**/draft']
    expect(excluded({ patterns }, 'a/b/x.tmp')).toBe(true)
    expect(excluded({ patterns }, 'a/keep.tmp')).toBe(false)
    expect(excluded({ patterns }, 'top')).toBe(true)
    expect(excluded({ patterns }, 'a/top')).toBe(false)
    expect(excluded({ patterns }, 'a/build', true)).toBe(true)
    expect(excluded({ patterns }, 'a/build', false)).toBe(false)
    expect(excluded({ patterns }, 'docs/a/b/draft')).toBe(true)
  })

  test('match text beyond ASCII', () => {
    expect(excluded({ patterns: ['Prügel*'] }, 'a/Prügel 📷')).toBe(true)
  })

  test('match names that are not UTF-8 by their other bytes, and odd names do no harm', () => {
    const excludes = new Excludes(rules({ patterns: ['*.tmp'] }), [])
    expect(excludes.entry('/s/\xff\xfe.tmp', '\xff\xfe.tmp', false, 0)).toBe('pattern')
    for (const name of ['...', '..x', 'new\nline', ' ', '\\', '\xff', '*', '!x']) expect(excludes.entry(`/s/${name}`, name, false, 0)).toBeUndefined()
  })
})

describe('capital and small letters', () => {
  const on = (ignoreCase: boolean, more: Partial<ExcludeRules>, name: string, directory = false) =>
    new Excludes(rules(more), [], { ignoreCase, normalise: ignoreCase }).entry(`/s/${name}`, fromText(name), directory, 0) !== undefined

  test('differ where the system says so, as on Linux', () => {
    expect([on(false, { patterns: ['core'] }, 'core'), on(false, { patterns: ['core'] }, 'Core')]).toEqual([true, false])
    expect([on(false, { presets: ['caches'] }, 'Caches', true), on(false, { presets: ['caches'] }, 'caches', true)]).toEqual([true, false])
    expect(excluded({ patterns: ['core'] }, 'Core')).toBe(process.platform !== 'linux')
  })

  test('and two ways of writing an accent are one elsewhere, as on macOS', () => {
    expect([on(true, { patterns: ['core'] }, 'Core'), on(true, { presets: ['caches'] }, 'caches', true)]).toEqual([true, true])
    expect([on(true, { patterns: ['caf\u00e9'] }, 'cafe\u0301'), on(true, { patterns: ['cafe\u0301'] }, 'caf\u00e9')]).toEqual([true, true])
    expect(on(false, { patterns: ['caf\u00e9'] }, 'cafe\u0301')).toBe(false)
  })
})

test('patterns that have left out nothing are known', () => {
  const excludes = new Excludes(rules({ patterns: ['*.tmp', 'never', '!keep.tmp', 'dir/'], presets: ['caches'] }), [])
  for (const name of ['a.tmp', 'keep.tmp', 'x']) excludes.entry(`/s/${name}`, name, false, 0)
  expect(excludes.unmatched).toEqual(['never', 'dir/'])
  excludes.entry('/s/dir', 'dir', true, 0)
  expect(excludes.unmatched).toEqual(['never'])
})

test('the source itself is kept whatever the patterns say', () => {
  expect(new Excludes(rules({ patterns: ['*'] }), []).entry('/source', '', true, 0)).toBeUndefined()
})

test('Holdfast never backs itself up', () => {
  expect(new Excludes(rules(), ['/source/repository']).entry('/source/repository', 'repository', true, 0)).toBe('holdfast')
})

test('a size limit concerns files only', () => {
  expect(excluded({ largerThanBytes: 100 }, 'a', false, 101)).toBe(true)
  expect(excluded({ largerThanBytes: 100 }, 'a', false, 100)).toBe(false)
  expect(excluded({ largerThanBytes: 100 }, 'a', true, 4096)).toBe(false)
})

test('presets', () => {
  expect(excluded({ presets: ['node_modules'] }, 'a/node_modules', true)).toBe(true)
  expect(excluded({ presets: ['caches'] }, 'home/.cache', true)).toBe(true)
  expect(excluded({ presets: ['trash'] }, '.local/share/Trash', true)).toBe(true)
  expect(excluded({ presets: ['trash'] }, '.Trash-1000', true)).toBe(true)
})

describe('markers', () => {
  let folder: string
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-marker-')) })
  afterEach(() => { rmSync(folder, { recursive: true }) })

  const marked = (presets: ExcludeRules['presets'], ...names: string[]): boolean => new Excludes(rules({ presets }), []).marked(folder, (name) => names.includes(name))

  test('.nobackup counts by its name', () => {
    expect(marked(['nobackup'], '.nobackup')).toBe(true)
    expect(marked([], '.nobackup')).toBe(false)
  })

  test('CACHEDIR.TAG counts by its signature', () => {
    writeFileSync(join(folder, 'CACHEDIR.TAG'), 'something else entirely, though long enough to be one')
    expect(marked(['cachedir'], 'CACHEDIR.TAG')).toBe(false)
    writeFileSync(join(folder, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n# more')
    expect(marked(['cachedir'], 'CACHEDIR.TAG')).toBe(true)
    expect(marked(['cachedir'])).toBe(false)
  })
})
