import { lstatSync } from 'node:fs'
import { posix } from 'node:path'
import { type ByteString, fromText, toFilePath, toShown } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import { patternProblem } from '../../protocol/pattern.ts'

/**
 * Refuses patterns that can never match what they mean, and tells of those that may be meant otherwise. Errors: arguments.
 * @param sources absolute paths.
 */
export function checkPatterns(patterns: readonly string[], sources: readonly ByteString[], warn: (words: string) => void): void {
  for (const [index, pattern] of patterns.entries()) {
    const problem = patternProblem(pattern) ?? absoluteProblem(pattern, sources)
    if (problem?.level === 'error') throw new HoldfastError('arguments', `The exclude pattern ${quoted(pattern)} would not do what it says. ${problem.words}`)
    if (problem) warn(`The exclude pattern ${quoted(pattern)}: ${problem.words}`)
    if (pattern.startsWith('!') && index === 0) warn(`The exclude pattern ${quoted(pattern)} takes in again what a pattern before it left out, and there is none.`)
  }
}

/** `/name` is a file in the source itself; what begins with the path of a source, or is there on the disk, was meant as a path of the disk. */
function absoluteProblem(pattern: string, sources: readonly ByteString[]): { readonly level: 'error' | 'warning'; readonly words: string } | undefined {
  if (!pattern.startsWith('/')) return undefined
  const path = fromText(posix.resolve(pattern.replace(/\/+$/, '') || '/'))
  const around = sources.find((source) => path === source || path.startsWith(source === '/' ? '/' : `${source}/`))
  if (around === '/' || sources.some((source) => exists(`${source}${path}`))) return undefined
  if (around !== undefined) {
    const inside = path.slice(around.length)
    return { level: 'error', words: inside === '' ? 'It is the source itself.' : `Patterns are relative to each source: write ${quoted(toShown(inside))}.` }
  }
  return exists(path) ? { level: 'warning', words: 'It is a path outside of the sources; a pattern is relative to each source, so this one leaves out nothing of the kind.' } : undefined
}

function exists(path: ByteString): boolean {
  try {
    return lstatSync(toFilePath(path), { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

function quoted(text: string): string {
  return `"${toShown(fromText(text.length > 100 ? `${text.slice(0, 100)}…` : text))}"`
}
