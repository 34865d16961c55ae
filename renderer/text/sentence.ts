import { language } from '../../main/text/language.ts'

/** At the beginning of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A moment or a day, such as `Today 14:30`, within a sentence. */
export function inSentence(moment: string): string {
  return moment.charAt(0).toLowerCase() + moment.slice(1)
}

/** A sentence as part of another one: English begins it small, unless with a name; German begins sentences and nouns with a capital anywhere. */
export function afterColon(sentence: string): string {
  return language() === 'en' && /^[A-Z][a-z ]/.test(sentence) ? inSentence(sentence) : sentence
}
