import { lstatSync, realpathSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import { type ByteString, fromBytes, fromShown, fromText, toBytes, toFilePath } from '../base/byte-string.ts'
import { HoldfastError } from '../base/errors.ts'
import { absolutePath, currentFolder } from '../base/typed-path.ts'
import type { ListedPath } from './files-from.ts'

/** What a shell's pattern may have filled in: whatever there is under exactly this name is meant, however odd it looks. */
export function typedFile(what: string, text: string): string {
  return isLiteral(text) ? resolve(currentFolder(what), text) : absolutePath(what, text)
}

/**
 * The exact bytes of a source's absolute path: of what there is under the name as typed, else under the name as Holdfast prints it, else the
 * path that is meant, there or not. Errors: arguments.
 */
export function typedSource(path: ListedPath): Uint8Array {
  if (path.type === 'bytes') return toBytes(absoluteBytes(fromBytes(path.bytes)))
  const { text } = path
  if (isLiteral(text)) return toBytes(absoluteBytes(fromText(text)))
  const printed = fromShown(text)
  if (printed !== fromText(text) && exists(printed)) return toBytes(absoluteBytes(printed))
  if (text.includes('\ufffd')) {
    throw new HoldfastError('arguments', 'A path holds bytes that are no text, and they were lost on the way here. Write them as Holdfast prints them (caf\\xe9.txt), or list the path with --files-from0.')
  }
  return toBytes(fromText(absolutePath('A source', text)))
}

function isLiteral(text: string): boolean {
  // `~` alone is the home folder also where somebody made a folder of that name by mistake.
  return text.trim() !== '' && !/^~(\/|$)/.test(text) && exists(fromText(text))
}

function exists(path: ByteString): boolean {
  try {
    return lstatSync(toFilePath(path), { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** `..` behind a symbolic link leads to where the disk says, as for every other program. */
function absoluteBytes(path: ByteString): ByteString {
  const whole = path.startsWith('/') ? path : `${fromText(currentFolder('A source'))}/${path}`
  const parts = whole.split('/')
  const last = parts.lastIndexOf('..')
  if (last < 0) return posix.resolve(whole)
  try {
    const above = fromBytes(realpathSync(toFilePath(parts.slice(0, last + 1).join('/')), 'buffer'))
    return posix.resolve(above, ...parts.slice(last + 1).filter((part) => part !== ''))
  } catch {
    return posix.resolve(whole)
  }
}
