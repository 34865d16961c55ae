import { overwriteGetLocale } from './compiled/runtime.js'

export const languages = ['en', 'de'] as const

/** A language that all texts are in. */
export type Language = (typeof languages)[number]

/** What a person can choose. */
export type LanguageChoice = 'system' | Language

/** For `Intl`: English has the day before the month, and 24 hours. */
const locales: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' }

export const directions: Readonly<Record<Language, 'ltr' | 'rtl'>> = { en: 'ltr', de: 'ltr' }

let current: Language = 'en'
overwriteGetLocale(() => current)

export function language(): Language {
  return current
}

/** Every message is in it from now on; what was made of messages before stays as it is. */
export function setLanguage(wanted: Language): void {
  current = wanted
}

/** The locale of numbers and dates. */
export function intlLocale(): string {
  return locales[current]
}

/**
 * Every message is in the language of the choice from now on; what was made of messages before stays as it is.
 * @param system language tag of the system
 * @returns whether that is another language than before
 */
export function switchLanguage(choice: LanguageChoice, system: string): boolean {
  const before = current
  current = languageFor(choice, system)
  return current !== before
}

/** @param system language tag of the system, such as `de-AT` */
export function languageFor(choice: LanguageChoice, system: string): Language {
  if (choice !== 'system') return choice
  return languageOf(system.split(/[-_]/)[0] ?? '') ?? 'en'
}

export function languageOf(tag: string): Language | undefined {
  return languages.find((one) => one === tag)
}
