import type { ErrorCode } from '../../protocol/errors.ts'
import { HoldfastError } from '../../base/errors.ts'

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code = errnoOf(error)
  return code !== undefined && codes.includes(code)
}

const known: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['full', 'No space is left at the destination.'],
  EDQUOT: ['full', 'The quota at the destination is used up.'],
  EFBIG: ['full', 'The destination\'s file system cannot hold a file that large.'],
  EROFS: ['denied', 'The destination is read-only.'],
  EACCES: ['denied', 'The destination refuses access.'],
  EPERM: ['denied', 'The destination refuses the operation.'],
  // Disks that are pulled and network mounts that break.
  EIO: ['unavailable', 'The destination reports a read or write error.'],
  ENODEV: ['offline', 'The destination\'s device is gone.'],
  ENXIO: ['offline', 'The destination\'s device is gone.'],
  ENOTCONN: ['offline', 'The destination\'s mount is not connected.'],
  EHOSTDOWN: ['offline', 'The destination\'s server is down.'],
  ESTALE: ['offline', 'The destination was mounted anew.'],
  ETIMEDOUT: ['offline', 'The destination does not answer.'],
  EMFILE: ['unavailable', 'Too many files are open.'],
  ENFILE: ['unavailable', 'Too many files are open.'],
  EBUSY: ['unavailable', 'The destination is busy.'],
}

/** An error of the file system as one of ours; `name` is the object or folder that it was about. */
export function localError(error: unknown, name: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const errno = errnoOf(error)
  const [code, words] = (errno === undefined ? undefined : known[errno]) ?? ['internal', 'The destination failed in an unknown way.']
  const place = code === 'full' ? { place: 'destination' } : {}
  return new HoldfastError(code, `${words} (${name})`, { cause: error, data: { ...place, ...(errno === undefined ? {} : { errno }) } })
}
