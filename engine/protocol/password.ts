/** Why a text is no password. The window shows words of its own; see passwordWords for the command line's. */
export type PasswordProblem = 'empty' | 'control' | 'not-text' | 'long'

/** Longer than anybody types, and what every way in takes. */
const maxPasswordLength = 4096

export const passwordWords: Readonly<Record<PasswordProblem, string>> = {
  empty: 'is empty',
  control: 'holds a line break, a tab or another control character, which nobody could type elsewhere',
  'not-text': 'is no valid text (UTF-8, or UTF-16 with its mark)',
  long: `is longer than ${maxPasswordLength} characters`,
}

/**
 * Whether every way in (a file, the environment, a prompt, the window) would take this as the same password. Blanks count, also at its ends;
 * characters are normalised where the key is made (NFC, FORMAT.md).
 */
export function passwordProblem(text: string): PasswordProblem | undefined {
  if (text === '') return 'empty'
  if (text.length > maxPasswordLength) return 'long'
  // U+FFFD stands where bytes were no text: two different passwords would become one.
  if (!text.isWellFormed() || /[\ufffd\ufeff]/.test(text)) return 'not-text'
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) return 'control'
  return undefined
}

/** Without what editors and shells put around a text and nobody sees: a byte order mark before it, one line end behind it. */
export function stripInvisible(text: string): string {
  return text.replace(/^\ufeff/, '').replace(/\r?\n$|\r$/, '')
}

export type DecodedPassword = { readonly ok: true; readonly password: string } | { readonly ok: false; readonly problem: PasswordProblem }

/** The first line of a password file: UTF-8 with or without a byte order mark, or UTF-16 with one. Further lines are notes. */
export function decodePassword(bytes: Uint8Array): DecodedPassword {
  let text: string
  try {
    text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes)
  } catch {
    return { ok: false, problem: 'not-text' }
  }
  const password = stripInvisible(text.split(/\r\n|\n|\r/, 1)[0] ?? '')
  const problem = passwordProblem(password)
  return problem === undefined ? { ok: true, password } : { ok: false, problem }
}

function encodingOf([first, second]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
}
