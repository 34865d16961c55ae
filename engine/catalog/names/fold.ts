import { fromBytes, toText } from '../../base/byte-string.ts'

const ascii = /^[^\x80-\uffff]*$/

/** Text as it is searched for: upper and lower case, accents and compatible forms (`ﬁ`, full width) are alike; `ß`, `ø` and `ł` stay what they are. */
export function fold(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** The same of a name's exact bytes; one that is no UTF-8 counts as latin1. */
export function foldName(name: Uint8Array): string {
  return fold(toText(fromBytes(name)))
}

/** More than this of a text narrows no search down. */
const mostTrigrams = 24
const trigramLength = 3

export interface FoldedQuery {
  /** Each must be a part of the name. */
  readonly words: readonly string[]
  /** For the index; empty where no word is long enough for it. */
  readonly match: string
}

/** What a typed text asks for. Words are parted by blanks. */
export function foldQuery(text: string): FoldedQuery {
  const words = fold(text).split(/\s+/u).filter((word) => word !== '')
  const trigrams = new Set<string>()
  for (const word of words) {
    const characters = [...word]
    for (let at = 0; at + trigramLength <= characters.length; at++) trigrams.add(characters.slice(at, at + trigramLength).join(''))
  }
  return { words, match: [...trigrams].slice(0, mostTrigrams).map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(' AND ') }
}

/** A short text in each mix of upper and lower case, in order of its bytes: names that begin with one of them are next to each other. */
export function spellings(text: string): readonly Uint8Array[] {
  let all = ['']
  for (const character of text) {
    const cases = [...new Set([character, character.toLowerCase(), character.toUpperCase()])]
    all = all.flatMap((start) => cases.map((one) => start + one))
  }
  return all.map((one) => Buffer.from(one, 'utf8')).sort((a, b) => a.compare(b))
}
