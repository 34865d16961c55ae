import { HoldfastError } from '../../base/errors.ts'

const place = { place: 'target' } as const

/** Errors of the target's file system that no other file would be spared; undefined for those of one file. */
export function fatalWriteError(code: unknown, cause: unknown): HoldfastError | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT') return new HoldfastError('full', 'The disk of the target folder is full.', { cause, data: place })
  if (code === 'EROFS') return new HoldfastError('denied', 'The target folder is on a read-only file system.', { cause, data: place })
  return undefined
}

const words: Readonly<Partial<Record<string, string>>> = {
  EACCES: 'you may not write there',
  EPERM: 'the system or its file system does not allow it there',
  ENOENT: 'it, or the folder that it belongs into, was taken away meanwhile',
  EEXIST: 'something else was put in its place meanwhile',
  EISDIR: 'a folder stands where the file belongs; move it away and restore again',
  ENOTEMPTY: 'a folder stands where the file belongs; move it away and restore again',
  ENOTDIR: 'a file stands where a folder belongs',
  ELOOP: 'a symbolic link stands where it belongs',
  ENAMETOOLONG: 'the name is too long for the target\'s file system',
  EILSEQ: 'the target\'s file system does not take this name',
  EINVAL: 'the target\'s file system does not take this name or kind of file',
  EOPNOTSUPP: 'the target\'s file system does not know this kind of file',
  ENOTSUP: 'the target\'s file system does not know this kind of file',
  EFBIG: 'the target\'s file system takes no file as large as this',
  EIO: 'the disk of the target reports a fault',
  EMLINK: 'the target\'s file system takes no further names or folders there',
  ETXTBSY: 'a program of this name is running',
  EBUSY: 'it is in use',
  ENFILE: 'too many files are open on this machine',
  EMFILE: 'too many files are open',
  ESTALE: 'the network share of the target has changed; mount it again',
  ETIMEDOUT: 'the network share of the target does not answer',
}

/** Why an entry could not be written, by the system's code: for people, with the code for whoever helps them. */
export function writeWords(code: string, fallback: string): string {
  const known = words[code]
  return known === undefined ? fallback : `not restored: ${known} (${code})`
}
