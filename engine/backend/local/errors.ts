import type { ErrorCode } from '../../protocol/errors.ts'
import { errnoOf } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'

type Words = readonly [ErrorCode, string]

const tooManyFiles: Words = ['unavailable', 'Too many files are open on this computer.']
const gone: Words = ['offline', 'The destination\'s device is gone. Is its disk connected?']
const unreachable: Words = ['offline', 'The server of the destination cannot be reached.']
const fileSystemDamaged: Words = [
  'unavailable', 'The destination\'s file system is damaged. Have the disk checked and repaired by the system first.',
]
const cannot: Words = ['unsupported', 'The destination\'s file system cannot do what a repository needs.']

/** What a disk, a network mount or the system can answer; what is not here is told by its name. */
const known: Readonly<Record<string, Words>> = {
  ENOSPC: ['full', 'No space is left at the destination.'],
  EDQUOT: ['full', 'The quota at the destination is used up.'],
  EFBIG: ['full', 'The destination\'s file system cannot hold a file that large.'],
  EMLINK: ['full', 'The destination\'s file system cannot hold more names in one folder.'],
  EROFS: ['denied', 'The destination is read-only.'],
  EACCES: ['denied', 'The destination refuses access: it may belong to another user.'],
  EPERM: ['denied', 'The destination refuses the operation: it may belong to another user, or be protected.'],
  ENOKEY: ['denied', 'The destination is encrypted by the system, and locked.'],
  EKEYEXPIRED: ['denied', 'The system\'s own access to the destination has expired.'],
  ENOENT: ['unavailable', 'A file or folder of the destination vanished meanwhile.'],
  // Disks that are pulled and network mounts that break.
  EIO: ['unavailable', 'The destination reports a read or write error. Its disk may be failing, or was pulled.'],
  EREMOTEIO: ['unavailable', 'The destination reports a read or write error.'],
  ENODEV: gone,
  ENXIO: gone,
  ENOMEDIUM: gone,
  ENOTCONN: ['offline', 'The destination\'s mount is not connected.'],
  ESHUTDOWN: ['offline', 'The destination was shut down.'],
  EHOSTDOWN: unreachable,
  EHOSTUNREACH: unreachable,
  ENETDOWN: unreachable,
  ENETUNREACH: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ECONNABORTED: unreachable,
  ENOLINK: unreachable,
  EPIPE: unreachable,
  ESTALE: ['offline', 'The destination was mounted anew.'],
  ETIMEDOUT: ['offline', 'The destination does not answer.'],
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  EBUSY: ['unavailable', 'The destination is busy.'],
  ETXTBSY: ['unavailable', 'The destination is busy.'],
  EAGAIN: ['unavailable', 'The destination is busy.'],
  EINTR: ['unavailable', 'The destination broke off.'],
  EDEADLK: ['unavailable', 'The destination is busy.'],
  ENOLCK: ['unavailable', 'The destination is busy.'],
  EEXIST: ['unavailable', 'Another program works in the destination at the same time.'],
  ENOTEMPTY: ['unavailable', 'Another program works in the destination at the same time.'],
  ENOMEM: ['unavailable', 'This computer is out of memory.'],
  EUCLEAN: fileSystemDamaged,
  EBADMSG: fileSystemDamaged,
  EILSEQ: fileSystemDamaged,
  ELOOP: ['arguments', 'The address leads through symbolic links that have no end.'],
  ENOTDIR: ['arguments', 'A part of the address is a file, not a folder.'],
  ENAMETOOLONG: ['arguments', 'The address is longer than the destination\'s file system takes.'],
  EISDIR: ['damaged', 'A folder stands where a file of the repository belongs.'],
  EXDEV: cannot,
  EINVAL: cannot,
  ENOSYS: cannot,
  ENOTSUP: cannot,
  EOPNOTSUPP: cannot,
  EOVERFLOW: cannot,
}

/** An error of the file system as one of ours; `name` is the object or folder that it was about. */
export function localError(error: unknown, name: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const errno = errnoOf(error)
  const [code, words] = wordsOf(errno)
  const place = code === 'full' ? { place: 'destination' } : errno !== undefined && known[errno] === gone ? { reason: 'folder' } : {}
  return new HoldfastError(code, `${words} (${name})`, { cause: error, data: { ...place, ...(errno === undefined ? {} : { errno }) } })
}

/** What has no errno is no answer of a file system. */
function wordsOf(errno: string | undefined): Words {
  if (errno === undefined) return ['internal', 'The destination failed in an unknown way.']
  return known[errno] ?? ['unavailable', `The destination's file system reports ${errno}.`]
}
