import { randomBytes } from 'node:crypto'
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'

/** How many words a recovery key has: 128 random bits and a checksum of 4 (BIP 39). */
const recoveryWordCount = 12
const entropyBytes = 16

/** The words that stand for these 16 random bytes, in small letters, a blank between two. As this text they are a password of the repository. */
export function recoveryWords(entropy: Uint8Array): string {
  if (entropy.length !== entropyBytes) throw new RangeError(`A recovery key is made of ${entropyBytes} bytes.`)
  return entropyToMnemonic(entropy, wordlist)
}

export type TypedWords =
  | { readonly ok: true; readonly words: string }
  /** `count`: how many words were typed. `word`: the first, from 1, that is none. `checksum`: all are words, and one of them is wrong, or out of its place. */
  | { readonly ok: false; readonly problem: 'count' | 'word' | 'checksum'; readonly at: number }

/**
 * Recovery words as people type or scan them: any case, numbers before the words, blanks, line breaks and commas between them, accents, or only as
 * much of a word as tells it from all others. Says where something is wrong without saying what was typed.
 */
export function readRecoveryWords(typed: string): TypedWords {
  const tokens = plain(typed)
  if (tokens.length !== recoveryWordCount) return { ok: false, problem: 'count', at: tokens.length }
  const words = tokens.map(completed)
  const wrong = words.indexOf(undefined)
  if (wrong >= 0) return { ok: false, problem: 'word', at: wrong + 1 }
  const text = words.join(' ')
  return isWhole(text) ? { ok: true, words: text } : { ok: false, problem: 'checksum', at: 0 }
}

/** What is a word, without accents, in small letters. */
function plain(typed: string): readonly string[] {
  return typed.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().split(/[^\p{L}]+/u).filter((token) => token !== '')
}

/** The word that is typed, or begins so, if only one does. */
function completed(token: string): string | undefined {
  if (wordlist.includes(token)) return token
  const [found, ...others] = wordlist.filter((word) => word.startsWith(token))
  return others.length === 0 ? found : undefined
}

function isWhole(words: string): boolean {
  try {
    mnemonicToEntropy(words, wordlist)
    return true
  } catch {
    return false
  }
}

/** Whether what is typed stands for the word at a place, from 1. */
export function isWordAt(words: string, place: number, typed: string): boolean {
  return completed(plain(typed)[0] ?? '') === words.split(' ')[place - 1] && plain(typed).length === 1
}

/** How many words a person types back. */
const askedWords = 3

/** Which words to ask for, by chance: different ones, ascending, from 1. */
export function wordsToAsk(random: (bytes: number) => Uint8Array = randomBytes): readonly number[] {
  const places = Array.from({ length: recoveryWordCount }, (_, at) => at + 1)
  return [...random(askedWords)].flatMap((byte) => places.splice(byte % places.length, 1)).sort((a, b) => a - b)
}

/** For people. Never holds what was typed. */
export function recoveryProblem(read: Exclude<TypedWords, { readonly ok: true }>): string {
  switch (read.problem) {
    case 'count': return `There are ${recoveryWordCount} recovery words, and ${read.at} were given.`
    case 'word': return `Word ${read.at} is not one of the words that recovery keys are made of. Look at its spelling.`
    case 'checksum': return 'One of the words is wrong, or they are not in their order. Compare them with the page one by one.'
  }
}
