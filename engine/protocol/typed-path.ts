import { kindsOfStorage, spellingWords } from './providers/spelling.ts'

/**
 * What a person typed where a folder or a file is meant, sorted without asking any disk: the command line and the window both read it
 * here. Nothing is guessed: what could be meant in two ways is `wrong`, with the spelling that says it.
 */
export type TypedPath =
  | { readonly type: 'path'; readonly path: string }
  /** In the own home folder; `rest` has no slash in front, and is empty for the home itself. */
  | { readonly type: 'home'; readonly rest: string }
  | { readonly type: 'wrong'; readonly reason: PathProblem; readonly words: string }

export type PathProblem = 'empty' | 'control' | 'blank' | 'address' | 'user' | 'windows' | 'variable'

/** What people know from other programs, and what to write here. */
const otherSpellings: readonly (readonly [RegExp, string])[] = [
  [/^file:\/\/\//i, 'A path on this machine belongs here, without file:// in front.'],
  [/^file(:|\/\/)/i, 'A file:// address begins with three slashes: file:///folder'],
  [/^(smb|cifs|nfs|afp):/i, `A network drive is given as the folder at which this machine has it. ${kindsOfStorage}`],
]

/** @param windows whether `C:\folder` and `\\server\share` are paths on this system. */
export function readTypedPath(text: string, windows = false): TypedPath {
  const wrong = (reason: PathProblem, words: string): TypedPath => ({ type: 'wrong', reason, words })
  if (text.trim() === '') return wrong('empty', 'It is empty.')
  if (/\p{Cc}/u.test(text)) return wrong('control', 'It holds a line break, a tab or another control character.')
  if (text.trim() !== text) return wrong('blank', 'It begins or ends with a blank. If the name really does, write ./ in front and / behind.')
  if (text === '~' || text.startsWith('~/') || (windows && text.startsWith('~\\'))) return { type: 'home', rest: text.slice(2).replace(/^\/+/, '') }
  if (text.startsWith('~')) return wrong('user', 'Only the own home folder has a short form (~/…): write the other one out. A name that begins with ~ is given as ./~name.')
  if (/^\$\{?[A-Za-z_]|^%[A-Za-z_]+%/.test(text)) return wrong('variable', 'It begins with a variable that nothing has filled in. A name that begins so is given with ./ in front.')
  if (/^[A-Za-z]:([\\/]|$)/.test(text) || text.startsWith('\\\\')) {
    if (windows) return { type: 'path', path: text }
    return wrong('windows', 'This is a path of Windows, and this system has none of these. A name like it is given with ./ in front.')
  }
  const known = otherSpellings.find(([pattern]) => pattern.test(text))?.[1] ?? spellingWords(text)
  if (known !== undefined) return wrong('address', known)
  // A colon before the first slash: some address, or `host:/folder`.
  if (/^[^/\\]*:/.test(text)) return wrong('address', `It looks like an address of a kind that is not known here. ${kindsOfStorage} A folder whose name holds a colon is given as ./a:b.`)
  return { type: 'path', path: text }
}
