import type { Stats } from 'node:fs'
import { HoldfastError } from '../../base/errors.ts'

/** Errors: damaged, when it is no regular file. */
export function expectInPlace(shown: string, found: Stats | undefined): void {
  if (found && !found.isFile()) throw notInPlace('file', shown, found)
}

/** Something that cannot be ours has the place of a file or a folder of the repository. */
export function notInPlace(wanted: 'file' | 'folder', shown: string, found: Stats | undefined, cause?: unknown): HoldfastError {
  const kind = kindOf(found)
  const advice = kind === 'a symbolic link'
    ? 'No link inside of a repository is followed. Put what it points to here, or keep the whole repository there.'
    : 'It is neither read nor written. Find out who put it there, and move it out of the repository.'
  const message = `At ${shown}, where a ${wanted} of the repository belongs, is ${kind}. ${advice}`
  return new HoldfastError('damaged', message, { cause, data: { found: kind } })
}

function kindOf(found: Stats | undefined): string {
  if (!found) return 'something else'
  if (found.isSymbolicLink()) return 'a symbolic link'
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  if (found.isBlockDevice() || found.isCharacterDevice()) return 'a device'
  return 'a file'
}
