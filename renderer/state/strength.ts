import type { ZxcvbnFactory } from '@zxcvbn-ts/core'

/** Why a password is weaker than it looks. */
export type Weakness = 'common' | 'similar' | 'keys' | 'repeats' | 'runs' | 'dates' | 'names' | 'word' | 'ours'

export interface Strength {
  /** Guesses that it takes, as a power of ten; a lower bound by intention. */
  readonly guessesLog10: number
  /** 0 guessed at once, 1 weak, 2 fair, 3 good, 4 strong. */
  readonly score: 0 | 1 | 2 | 3 | 4
  readonly weakness?: Weakness
}

/** Whoever has the backup can guess as long as they like, some ten thousand times a second with a thousand computers: minutes, hours, weeks, decades. */
const limits = [4, 8, 10, 13] as const
/** What comes after so many characters does not count: the time that an estimate takes grows with the length. */
const mostCharacters = 64
/** Guessed first, since it stands in the window. */
const ownWords = ['holdfast', 'backup', 'sicherung']

const weaknesses: Readonly<Partial<Record<string, Weakness>>> = {
  topTen: 'common', topHundred: 'common', common: 'common', similarToCommon: 'similar', straightRow: 'keys', keyPattern: 'keys', simpleRepeat: 'repeats', extendedRepeat: 'repeats',
  sequences: 'runs', recentYears: 'dates', dates: 'dates', namesByThemselves: 'names', commonNames: 'names', wordByItself: 'word', userInputs: 'ours',
}

let loading: Promise<ZxcvbnFactory> | undefined

/** The dictionaries are larger than the rest of the window, so they are loaded when somebody makes a password up. */
async function load(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([import('@zxcvbn-ts/core'), import('@zxcvbn-ts/language-common')])
  return new ZxcvbnFactory({ graphs: adjacencyGraphs, dictionary, maxLength: mostCharacters, l33tMaxSubstitutions: 16 })
}

/** How hard a password is to guess for somebody who tries used passwords, words, names, dates and keys side by side first. Nothing of it is kept or sent. */
export async function strengthOf(password: string): Promise<Strength> {
  loading ??= load()
  const { guessesLog10, feedback } = (await loading).check(password.slice(0, mostCharacters), ownWords)
  const score = limits.filter((limit) => guessesLog10 >= limit).length as Strength['score']
  const weakness = score < 3 ? weaknesses[feedback.warning ?? ''] : undefined
  return { guessesLog10, score, ...(weakness && { weakness }) }
}
