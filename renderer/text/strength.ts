import * as m from '../../main/text/compiled/messages.js'
import type { Strength, Weakness } from '../state/strength.ts'

const scoreWords = [m.password_strength(), m.password_strength2(), m.password_strength3(), m.password_strength4(), m.password_strength5()] as const

const weaknessWords: Readonly<Record<Weakness, string>> = {
  common: 'It is one of the passwords that are tried first.',
  similar: 'It is much like one that is tried first.',
  keys: 'Its keys lie side by side.',
  repeats: 'It repeats itself.',
  runs: 'It goes on like abc or 123.',
  dates: 'Years and dates are soon guessed.',
  names: 'Names are soon guessed.',
  word: 'One word alone is soon guessed.',
  ours: 'It is made of words that stand in this window.',
}

/** How hard a password is to guess, in plain words. */
export function strengthWords({ score, weakness }: Strength): string {
  return `${scoreWords[score]}${weakness ? `. ${weaknessWords[weakness]}` : ''}`
}
