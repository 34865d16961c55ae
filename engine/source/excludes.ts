import { closeSync, constants, openSync, readSync } from 'node:fs'
import ignore, { type Ignore } from 'ignore'
import { presetPatterns } from '../protocol/exclude-presets.ts'
import type { ExcludeRules } from '../protocol/job.ts'
import { type ByteString, toFilePath, toText } from '../base/byte-string.ts'

/** Why an entry is left out; undefined keeps it. */
export type Exclusion = 'pattern' | 'size' | 'marker' | 'holdfast' | 'file-system'

/** Of EntryStat.flags. */
const noDump = 0x40

const cachedirSignature = 'Signature: 8a477f597d28d172789f06886806bc55'

/** How a system's file names compare. macOS takes both ways of writing an accented letter for one; so do patterns there. */
export interface NameRules {
  readonly ignoreCase: boolean
  readonly normalise: boolean
}

const systemNames: NameRules = {
  ignoreCase: process.platform === 'darwin' || process.platform === 'win32',
  normalise: process.platform === 'darwin',
}

/**
 * Which entries of a source stay out of the snapshot. Patterns are in gitignore syntax, relative to the source, and tell capital letters from
 * small ones where the system does; a name that is not UTF-8 matches by its bytes read as latin1, so `*` and ASCII parts work on it.
 */
export class Excludes {
  readonly #rules: ExcludeRules
  readonly #patterns: Ignore | undefined
  readonly #never: ReadonlySet<ByteString>
  readonly #names: NameRules
  readonly #matched = new Set<string>()

  /** @param never absolute paths that are always left out: Holdfast's own folder, a local repository. */
  constructor(rules: ExcludeRules, never: readonly ByteString[], names = systemNames) {
    this.#rules = rules
    this.#names = names
    this.#never = new Set(never)
    const patterns = [...rules.presets.flatMap((preset) => presetPatterns[preset]), ...rules.patterns].map((pattern) => ({ pattern: this.#text(pattern) }))
    if (patterns.length > 0) this.#patterns = ignore({ allowRelativePaths: true, ignoreCase: names.ignoreCase }).add(patterns)
  }

  /**
   * @param path absolute.
   * @param relative path inside its source, without a leading slash; empty for the source itself, which only `never` leaves out.
   */
  entry(path: ByteString, relative: ByteString, isDirectory: boolean, size: number): Exclusion | undefined {
    if (this.#never.has(path)) return 'holdfast'
    if (relative === '') return undefined
    if (!isDirectory && this.#rules.largerThanBytes !== undefined && size > this.#rules.largerThanBytes) return 'size'
    return this.#matches(isDirectory ? `${toText(relative)}/` : toText(relative)) ? 'pattern' : undefined
  }

  /** The user's own patterns that have left out nothing so far; a `!pattern` leaves out nothing by its nature. */
  get unmatched(): readonly string[] {
    return this.#rules.patterns.filter((pattern) => !pattern.startsWith('!') && !this.#matched.has(this.#text(pattern)))
  }

  #matches(path: string): boolean {
    const result = this.#patterns?.test(this.#text(path))
    if (result?.rule) this.#matched.add(result.rule.pattern)
    return result?.ignored ?? false
  }

  #text(text: string): string {
    return this.#names.normalise ? text.normalize('NFC') : text
  }

  /** Whether a marker among a directory's names leaves its content out: the directory itself stays, empty. */
  marked(path: ByteString, hasName: (name: ByteString) => boolean): boolean {
    const { presets } = this.#rules
    if (presets.includes('nobackup') && hasName('.nobackup')) return true
    return presets.includes('cachedir') && hasName('CACHEDIR.TAG') && isCachedirTag(`${path}/CACHEDIR.TAG`)
  }

  /** Whether an entry's flags leave it out: `d` of chattr, where that is asked for. @param relative as in `entry` */
  flagged(relative: ByteString, flags: number): boolean {
    return (flags & noDump) !== 0 && relative !== '' && this.#rules.presets.includes('nodump')
  }

  get oneFileSystem(): boolean {
    return this.#rules.oneFileSystem
  }
}

/** Only the signature of bford.info/cachedir counts, not the name alone. */
function isCachedirTag(path: ByteString): boolean {
  const head = Buffer.alloc(cachedirSignature.length)
  try {
    const file = openSync(toFilePath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      readSync(file, head, 0, head.length, 0)
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
  return head.toString('latin1') === cachedirSignature
}
