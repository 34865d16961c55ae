/** What is wrong with an exclude pattern. `error`: it can match nothing, or something else than was meant. `warning`: it may well be wrong. */
export interface PatternProblem {
  readonly level: 'error' | 'warning'
  /** A sentence, with the right spelling. */
  readonly words: string
}

type Check = readonly [RegExp, PatternProblem['level'], string]

/** In gitignore syntax, relative to each source. In this order: the first that fits tells most. */
const checks: readonly Check[] = [
  [/^\s*$/, 'error', 'It is empty.'],
  [/\p{Cc}/u, 'error', 'It holds a line break, a tab or another control character.'],
  [/^.{4097}/u, 'error', 'It is longer than 4096 characters.'],
  [/^#/, 'error', 'A pattern that begins with # is a comment. For a name that does, write \\# in front.'],
  [/^[A-Za-z]:[\\/]|^\\\\\\\\/, 'error', 'Patterns are relative to each source and have / between folders: /Folder/cache, or *.tmp.'],
  [/(?<!\\)\\(?=[A-Za-z0-9_])/, 'error', 'Patterns have / between folders; \\ only takes a special character as it is.'],
  [/^(?:.*[^\\])?(?:\\\\)*\\$/, 'error', 'It ends with a \\ that stands before nothing.'],
  [/[^\\] +$/, 'error', 'Blanks at the end of a pattern do not count. Take them away, or write a \\ before each.'],
  [/^!?\.\//, 'error', 'Patterns are relative to each source already: write /name instead of ./name.'],
  [/(?:^!?|\/)\.\.(?:\/|$)|\/\.(?:\/|$)/, 'error', 'A pattern cannot lead out of its source or hold "." and ".." between slashes.'],
  [/^!?~[A-Za-z0-9_.-]*\//, 'error', '~ means nothing in a pattern, which is relative to each source: write /name for a file in the source itself.'],
  [/^!?(?:\.|\/*)$/, 'error', 'It matches nothing.'],
  [/^ /, 'warning', 'It begins with a blank, which counts.'],
  [/\{[^{}]*,[^{}]*\}/, 'warning', 'Braces are ordinary characters in a pattern: give one pattern for each alternative.'],
]

/** What a person should hear of a pattern before it is used; undefined where nothing is wrong with it. */
export function patternProblem(pattern: string): PatternProblem | undefined {
  const found = checks.find(([wrong]) => wrong.test(pattern))
  if (found) return { level: found[1], words: found[2] }
  return hasBadClass(pattern) ? { level: 'error', words: 'A [ opens a set of characters that is never closed, or a range in it runs backwards. For the character itself write \\[.' } : undefined
}

function hasBadClass(pattern: string): boolean {
  const plain = pattern.replace(/\\./g, '')
  for (let open = plain.indexOf('['); open >= 0; ) {
    // A ] that comes first belongs to the set.
    const start = /^[!^]?\]?/.exec(plain.slice(open + 1))?.[0].length ?? 0
    const close = plain.indexOf(']', open + 1 + start)
    if (close < 0) return true
    for (const [, from = '', to = ''] of plain.slice(open + 1, close).matchAll(/(.)-(.)/gsu)) if (from > to) return true
    open = plain.indexOf('[', close + 1)
  }
  return false
}
