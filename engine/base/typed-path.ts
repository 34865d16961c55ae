import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { readTypedPath } from '../protocol/typed-path.ts'
import { HoldfastError } from './errors.ts'

/**
 * The absolute path that a person means: `~` is the own home folder, a relative path is below the current folder.
 * @param what names it in errors, e.g. `--to`. Errors: arguments, in words that say how to write it.
 */
export function absolutePath(what: string, text: string): string {
  const typed = readTypedPath(text, process.platform === 'win32')
  switch (typed.type) {
    case 'wrong':
      throw new HoldfastError('arguments', `${what}: ${quoted(text)} is no path that can be used. ${typed.words}`, { data: { reason: typed.reason } })
    case 'home':
      return join(homeFolder(what), typed.rest)
    case 'path':
      return isAbsolute(typed.path) ? resolve(typed.path) : resolve(currentFolder(what), typed.path)
  }
}

/** Errors: arguments, where there is none. */
export function currentFolder(what: string): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new HoldfastError('arguments', `${what}: a relative path means nothing here, since the current folder is gone. Give a path that begins with /.`, { cause })
  }
}

function homeFolder(what: string): string {
  const home = ownHome()
  if (home === undefined) throw new HoldfastError('arguments', `${what}: ~ means nothing here, since HOME is not set to a folder. Write the path out.`)
  return home
}

/** The user's home folder; undefined for a user that has none. */
function ownHome(): string | undefined {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : undefined
  } catch {
    return undefined
  }
}

/** For an error: what was typed, short, and without what it may hold as a secret (the user part of an address). */
function quoted(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, '?').replace(/^([^/]*:\/\/)?[^/@]*@/, '$1…@').replace(/[?#].*$/, '?…')
  return `"${plain.length > 60 ? `${plain.slice(0, 60)}…` : plain}"`
}
