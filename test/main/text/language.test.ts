import { afterEach, expect, it } from 'vitest'
import * as m from '../../../main/text/compiled/messages.js'
import { intlLocale, language, languageFor, setLanguage } from '../../../main/text/language.ts'

afterEach(() => { setLanguage('en') })

it.each([
  ['system', 'de', 'de'], ['system', 'de-AT', 'de'], ['system', 'de_CH', 'de'], ['system', 'en-US', 'en'],
  ['system', 'fr', 'en'], ['system', '', 'en'], ['system', 'deu', 'en'], ['en', 'de', 'en'], ['de', 'fr', 'de'],
] as const)('%s on a system that speaks “%s” is %s', (choice, system, expected) => {
  expect(languageFor(choice, system)).toBe(expected)
})

it('messages are in the language that holds when they are asked for', () => {
  expect([language(), intlLocale(), m.settings_language()]).toEqual(['en', 'en-GB', 'Language'])
  setLanguage('de')
  expect([language(), intlLocale(), m.settings_language()]).toEqual(['de', 'de-DE', 'Sprache'])
})
