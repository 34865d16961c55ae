export interface Strength {
  /** Like a coin toss each; a lower bound by intention. */
  readonly bits: number
  /** 0 guessed at once, 1 weak, 2 fair, 3 good, 4 strong. */
  readonly score: 0 | 1 | 2 | 3 | 4
}

const common = /password|passwort|qwert|azert|asdf|letmein|welcome|admin|holdfast|backup|secret|iloveyou|dragon|monkey|master|login/g
const years = /(19|20)\d\d/g
const limits = [24, 40, 56, 72] as const

/**
 * A rough estimate of how hard a password is to guess: the size of the alphabet times the length, after what guessers try first
 * (common words, years, repeats, runs such as `1234` and `abcd`) has been counted as one character. Long phrases win, as they should.
 */
export function estimateStrength(password: string): Strength {
  const plain = withoutRuns(unleet(password.toLowerCase()).replace(common, 'w')).replace(years, 'y')
  const bits = plain.length * Math.log2(alphabet(password)) * variety(plain)
  const score = limits.filter((limit) => bits >= limit).length
  return { bits, score: score as Strength['score'] }
}

const leet: Readonly<Record<string, string>> = { '@': 'a', '4': 'a', '0': 'o', $: 's', '5': 's', '!': 'i', '1': 'i', '3': 'e' }

/** Digits and signs that stand for letters, where they are among letters. */
function unleet(text: string): string {
  return text.replace(/(?<=[a-z])[@40$5!13](?=[a-z])|[@40$5!13](?=[a-z]{2})/g, (sign) => leet[sign] ?? sign)
}

/** Drops characters that repeat or continue the two before them. */
function withoutRuns(text: string): string {
  return [...text].filter((character, at, all) => at < 2 || step(all, at) !== step(all, at - 1) || Math.abs(step(all, at)) > 1).join('')
}

function step(characters: readonly string[], at: number): number {
  return (characters[at]?.codePointAt(0) ?? 0) - (characters[at - 1]?.codePointAt(0) ?? 0)
}

function alphabet(password: string): number {
  let size = 1
  if (/[a-z]/.test(password)) size += 26
  if (/[A-Z]/.test(password)) size += 26
  if (/\d/.test(password)) size += 10
  if (/[^a-zA-Z\d]/.test(password)) size += 20
  return Math.min(size, password.length > 20 ? 40 : 64)
}

/** Few different characters are worth less. */
function variety(text: string): number {
  return text === '' ? 0 : Math.min(1, (new Set(text).size + 2) / Math.min(text.length, 14))
}
