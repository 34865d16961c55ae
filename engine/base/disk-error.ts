import type { ErrorCode } from '../protocol/errors.ts'
import { errnoOf } from './errno.ts'
import { HoldfastError } from './errors.ts'

type Words = readonly [ErrorCode, string]

/** What the disk of Holdfast's own folder can answer, and how that is told. */
const known: Readonly<Record<string, Words>> = {
  ENOSPC: ['full', 'The disk is full'],
  EDQUOT: ['full', 'The disk quota of this user is used up'],
  EACCES: ['denied', 'This user may not write there'],
  EPERM: ['denied', 'This user may not write there'],
  EROFS: ['denied', 'The file system is read-only'],
  ENOTDIR: ['arguments', 'A file is where a folder belongs'],
  EEXIST: ['arguments', 'A file is where a folder belongs'],
  EISDIR: ['arguments', 'A folder is where a file belongs'],
  ELOOP: ['arguments', 'Its symbolic links go in a circle, or a link is where a file belongs'],
  ENAMETOOLONG: ['arguments', 'Its name is too long'],
  ENOENT: ['denied', 'Nothing can be made there: a link leads nowhere, or the system has no folders there'],
  EIO: ['denied', 'The disk answers with errors and may be failing'],
  ENODEV: ['denied', 'The disk is gone'],
  ENXIO: ['denied', 'The disk is gone'],
  ESTALE: ['denied', 'The network folder is gone'],
  EMFILE: ['denied', 'Too many files are open'],
  ENFILE: ['denied', 'Too many files are open on this machine'],
  EBUSY: ['denied', 'Another program uses it'],
}

/** A failure of the disk on which Holdfast keeps its catalogs and packs in the making, in words; what is none passes as it is. */
export function diskError(error: unknown, path: string): unknown {
  const errno = errnoOf(error)
  const words = errno === undefined ? undefined : known[errno]
  if (words === undefined) return error
  return new HoldfastError(words[0], `Holdfast's own folder cannot be used: ${words[1]} (${path}).`, { cause: error, data: { place: 'home', reason: String(errno) } })
}
