import { isIP } from 'node:net'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { spellingsOf } from './spellings.ts'

/** What must not be told, as far as it is known. */
export interface Known {
  /** Passwords, keys, tokens, addresses that are secrets. */
  readonly secrets: readonly string[]
  /** Absolute paths. */
  readonly folders: readonly string[]
  readonly jobs: readonly string[]
  /** Of computers and storages: hosts, buckets, accounts, the user. */
  readonly names: readonly string[]
}

type Kind = 'folder' | 'job' | 'name' | 'address' | 'host' | 'e-mail' | 'value'

const secretMark = '‹secret›'
/** A mark of ours is never looked into again. */
const marks = /(‹[^‹›]*›)/
/** Shorter ones would be found in every word. */
const leastSecret = 3
const recoveryWords = new Set(wordlist)
const leastWords = 6

/**
 * Takes out of text what is nobody else's business. The same thing gets the same mark everywhere (`‹folder 2›`), so that who reads it can follow it. What is a
 * secret is known, or looks like one: rather a word too many is taken out than one too few.
 */
export class Redactor {
  readonly #keepsNames: boolean
  readonly #secrets: RegExp | undefined
  readonly #known: readonly (readonly [string, Kind])[]
  readonly #numbers = new Map<string, number>()
  readonly #counts = new Map<Kind, number>()

  /** @param keepsNames names of folders, files and jobs stay */
  constructor(known: Known, keepsNames: boolean) {
    this.#keepsNames = keepsNames
    const spellings = known.secrets.filter((one) => one.length >= leastSecret).flatMap(spellingsOf)
    this.#secrets = spellings.length === 0 ? undefined : anyOf(spellings)
    const own: readonly (readonly [string, Kind])[] = [
      ...(keepsNames ? [] : [...known.folders.map((path) => [path, 'folder'] as const), ...known.jobs.map((name) => [name, 'job'] as const)]),
      ...known.names.map((name) => [name, 'name'] as const),
    ]
    this.#known = own.filter(([text]) => text.length >= leastSecret).toSorted(([a], [b]) => b.length - a.length)
  }

  /** Free text, such as the message of a line. */
  text(text: string): string {
    const steps: readonly ((part: string) => string)[] = [
      (part) => this.#withoutSecrets(part),
      (part) => this.#withoutAddresses(part),
      withoutTokens,
      (part) => part.replace(/[^\s@"'<>():,;]+@[\p{L}\p{N}.-]+/gu, (found) => this.#mark('e-mail', found.toLowerCase())),
      (part) => this.#withoutKnown(part, 'folder'),
      (part) => (this.#keepsNames ? part : this.#withoutPaths(part)),
      (part) => this.#withoutKnown(part, 'name'),
      (part) => this.#withoutHosts(part),
      withoutRecoveryWords,
      withoutLongWords,
    ]
    return steps.reduce((whole, step) => whole.split(marks).map((part) => (marks.test(part) ? part : step(part))).join(''), text)
  }

  /** A name of a folder, a file or a job, or a path, whole. */
  name(kind: 'folder' | 'job' | 'name', name: string): string {
    return this.#keepsNames ? this.text(name) : this.#mark(kind, name)
  }

  /** A value of a storage's address, or whatever else may be about somebody, whole. */
  value(value: string): string {
    return this.#mark('value', value)
  }

  #mark(kind: Kind, what: string): string {
    const key = `${kind} ${what}`
    const number = this.#numbers.get(key) ?? (this.#counts.get(kind) ?? 0) + 1
    if (!this.#numbers.has(key)) this.#counts.set(kind, number)
    this.#numbers.set(key, number)
    return `‹${kind} ${number}›`
  }

  #withoutSecrets(text: string): string {
    return this.#secrets ? text.replace(this.#secrets, secretMark) : text
  }

  /** Of addresses the scheme stays: who is in it, what host, which path and what is asked are not told. */
  #withoutAddresses(text: string): string {
    return text.replace(/\b([a-z][a-z0-9+.-]{1,20}):\/\/([^\s"'`<>“”‹›]*)/gi, (whole, scheme: string, rest: string) => {
      if (scheme.toLowerCase() === 'file') return this.#keepsNames ? whole : `file://${this.#mark('folder', rest)}`
      const place = rest.slice(rest.lastIndexOf('@', endOfHost(rest)) + 1)
      return `${scheme}://${this.#mark('address', place.slice(0, endOfHost(place)).toLowerCase())}`
    })
  }

  #withoutKnown(text: string, what: 'folder' | 'name'): string {
    return this.#known.filter(([, kind]) => (kind === 'folder') === (what === 'folder')).reduce((whole, [known, kind]) => whole.split(marks).map((part) => {
      if (marks.test(part)) return part
      const pattern = kind === 'folder' ? new RegExp(`${escaped(known)}[^"'\`“”]*`, 'g') : new RegExp(`(?<![\\p{L}\\p{N}])${escaped(known)}(?![\\p{L}\\p{N}])`, 'giu')
      return part.replace(pattern, (found) => (kind === 'folder' ? this.#path(found) : this.#mark(kind, known)))
    }).join(''), text)
  }

  /** Paths and what is quoted. Where an unquoted path ends cannot be known: what follows it goes too, but for the system's code. */
  #withoutPaths(text: string): string {
    return text
      .replace(/"([^"\n]+)"|“([^”\n]+)”|`([^`\n]+)`|(?<![\p{L}\p{N}])'([^'\n]+)'(?!\p{L})/gu, (whole, ...groups: (string | undefined)[]) => {
        const quoted = groups.slice(0, 4).find((one) => one !== undefined) ?? ''
        return marks.test(quoted) || /^[a-z][a-z-]{0,20}$/.test(quoted) ? whole : whole.replace(quoted, () => this.#mark('name', quoted))
      })
      .split(marks).map((part) => (marks.test(part) ? part : part.replace(/(?<![\w/.<])(?:\/(?!\/)|~\/|[A-Za-z]:[\\/]|\\\\)[^\s"'`“”‹›][^"'`“”‹›\n]*/g, (found) => this.#path(found)))).join('')
  }

  #path(found: string): string {
    const [path = '', ...rest] = found.split(/(?=\(?\bE[A-Z0-9]{3,}\b\)?)/)
    const code = rest.length > 0 ? ` ${/E[A-Z0-9]{3,}/.exec(rest.join(''))?.[0] ?? ''}` : ''
    return `${this.#mark('folder', path.trimEnd())}${code}`
  }

  #withoutHosts(text: string): string {
    return text
      .replace(/\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%\w+)?\]?|\b\d{1,3}(?:\.\d{1,3}){3}\b/gi, (found) => (isIP(found.replace(/^\[|\]$|%.*/g, '')) > 0 ? this.#mark('host', found) : found))
      .replace(/(?<![\p{L}\p{N}_./\\-])[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*\.(\p{L}[\p{L}\p{N}-]+)\b/gu, (found, last: string) => (ours.has(last) || (this.#keepsNames && files.has(last.toLowerCase())) ? found : this.#mark('host', found.toLowerCase())))
  }
}

/** Ends of names of the program's own files. */
const ours = new Set(['ts', 'js', 'cjs', 'mjs', 'json', 'jsonl', 'node', 'asar', 'svelte'])

/** Ends of names of files that people have: where names stay, these are no hosts. */
const files = new Set('pdf txt odt ods odp doc docx xls xlsx ppt pptx csv rtf md jpg jpeg png gif heic tif tiff svg raw mp3 m4a flac ogg wav mp4 mov mkv avi zip tar gz xz iso db sqlite html xml tmp bak log'.split(' '))

function endOfHost(rest: string): number {
  const end = rest.search(/[/?#\\]/)
  return end < 0 ? rest.length : end
}

/** What is said to be a secret. */
function withoutTokens(text: string): string {
  return text
    .replace(/((?:pass(?:word|phrase|wd)?|secret|token|credential|signature|authorization|api[-_]?key|access[-_]?key(?:[-_]?id)?|private[-_]?key|account[-_]?key|session|cookie|code|sig|sas|pwd)["']?\s*[:=]\s*)(?:(?:Bearer|Basic|Digest|Negotiate)\s+)?(?:"[^"]*"|'[^']*'|[^\s"',;&}]+)/gi, (_whole, head: string) => `${head}${secretMark}`)
    .replace(/\b(Bearer|Basic|Digest|Negotiate)\s+[^\s"'‹›,;]+/gi, (_whole, scheme: string) => `${scheme} ${secretMark}`)
    .replace(/-----BEGIN [^-]*-----[\s\S]*?(?:-----END [^-]*-----|$)/g, secretMark)
}

/** Words of a recovery kit: so many of its list in a row are no sentence. */
function withoutRecoveryWords(text: string): string {
  return text.replace(new RegExp(`(?:\\b[a-z]{3,8}\\b[\\s,;.\\d-]*){${leastWords},}`, 'gi'), (run) => {
    const parts = run.split(/([a-z]+)/i)
    const isWord = (index: number): boolean => recoveryWords.has(parts[index]?.toLowerCase() ?? '')
    for (let from = 1; from < parts.length; from += 2) {
      let to = from
      while (to < parts.length && isWord(to)) to += 2
      if ((to - from) / 2 < leastWords) continue
      parts.fill('', from, to - 1)
      parts[from] = secretMark
    }
    return parts.join('')
  })
}

/** What nobody says and is no id of ours: keys and tokens that nothing says are some. Ids are hexadecimal. */
function withoutLongWords(text: string): string {
  return text.replace(/[A-Za-z0-9+/_=~.%-]{20,}/g, (word) => {
    const isId = /^[0-9a-f-]+$/i.test(word)
    const isName = /^[a-z]+(?:[-_./][a-z0-9]+)*$/i.test(word) && !/\d.*[A-Z]|[a-z][A-Z].*\d/.test(word) && !/[A-Za-z0-9]{25,}/.test(word)
    return isId || isName ? word : secretMark
  })
}

function anyOf(texts: readonly string[]): RegExp {
  return new RegExp([...new Set(texts)].toSorted((a, b) => b.length - a.length).map(escaped).join('|'), 'gi')
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
