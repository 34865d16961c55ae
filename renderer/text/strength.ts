import * as m from '../../main/text/compiled/messages.js'
import type { Strength, Weakness } from '../state/strength.ts'

const scoreWords = [m.password_strength(), m.password_strength2(), m.password_strength3(), m.password_strength4(), m.password_strength5()] as const

const weaknessWords: Readonly<Record<Weakness, string>> = {
  common: m.strength_weakness_common(),
  similar: m.strength_weakness_similar(),
  keys: m.strength_weakness_keys(),
  repeats: m.strength_weakness_repeats(),
  runs: m.strength_weakness_runs(),
  dates: m.strength_weakness_dates(),
  names: m.strength_weakness_names(),
  word: m.strength_weakness_word(),
  ours: m.strength_weakness_ours(),
}

/** How hard a password is to guess, in plain words. */
export function strengthWords({ score, weakness }: Strength): string {
  return `${scoreWords[score]}${weakness ? `. ${weaknessWords[weakness]}` : ''}`
}
