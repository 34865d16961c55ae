import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { messageFaults } from '../../../build/scripts/message-faults.ts'

const files = (count: Readonly<Record<string, string>>) => [{ declarations: ['input count', 'local shown = count: number', 'local kind = count: plural'], selectors: ['kind'], match: count }]
const english = { plain: 'Hello {name}', files: files({ 'kind=one': '{shown} file', 'kind=other': '{shown} files' }) }

function faults(de: object, en: object = english): readonly string[] {
  return messageFaults({ en: JSON.stringify(en), de: JSON.stringify(de) }, 'en')
}

it('nothing is said of texts that belong together', () => {
  expect(faults({ plain: '{name}, hallo', files: files({ 'kind=one': 'eine Datei', 'kind=other': '{shown} Dateien' }) })).toEqual([])
})

it.each([
  ['is missing', { files: english.files }, ['de: plain is missing']],
  ['is alone', { ...english, more: 'x' }, ['de: more is not in en']],
  ['lacks a parameter', { ...english, plain: 'Hallo' }, ['de: plain has the parameters (none), not name']],
  ['misspells a parameter', { ...english, plain: 'Hallo {nane}' }, ['de: plain has the parameters nane, not name']],
  ['is empty', { ...english, plain: ' ' }, ['de: plain is empty', 'de: plain has the parameters (none), not name']],
  ['lacks a number', { ...english, files: files({ 'kind=other': '{shown} Dateien' }) }, ['de: files has no text for kind=one']],
  ['uses what is not declared', { ...english, files: files({ 'kind=one': '{n} Datei', 'kind=other': '{shown} Dateien' }) }, ['de: files knows no {n}']],
])('a text that %s is named', (_what, de, expected) => {
  expect(faults(de)).toEqual(expected)
})

it('a language that tells more numbers apart wants a text for each', () => {
  const pl = JSON.stringify({ ...english, files: files({ 'kind=one': '{shown} plik', 'kind=few': '{shown} pliki', 'kind=other': '{shown} pliku' }) })
  expect(messageFaults({ en: JSON.stringify(english), pl }, 'en')).toEqual(['pl: files has no text for kind=many'])
})

it('a key that is there twice is named, since the first of them would be lost', () => {
  expect(messageFaults({ en: '{\n  "a": "x",\n  "b": "y",\n  "a": "z"\n}' }, 'en')).toEqual(['en: a is there twice'])
})

it('the texts of the app have none of these faults', () => {
  const texts = Object.fromEntries(['en', 'de'].map((locale) => [locale, readFileSync(new URL(`../../../main/text/messages/${locale}.json`, import.meta.url), 'utf8')]))
  expect(messageFaults(texts, 'en')).toEqual([])
})
