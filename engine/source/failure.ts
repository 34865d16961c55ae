import type { DiskFailure, DiskResult } from './disk.ts'

/** Sorts a system error into what a backup reports. */
function diskFailure(reason: string): DiskFailure {
  return { code: reason === 'ENOENT' || reason === 'ENOTDIR' ? 'vanished' : 'unreadable', reason }
}

/** The answer to a question to the disk. Only defects throw. */
export function attempt<T>(work: () => T): DiskResult<T> {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    return { ok: false, failure: diskFailure(error.code) }
  }
}

/** As Node throws it, for calls that do not go through Node. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
