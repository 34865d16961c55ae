/**
 * Every way in which an engine can fail, as a closed set. The window and the command line choose their words by code; nothing
 * matches on messages.
 */
export const errorCodes = [
  'aborted', // the caller's AbortSignal fired
  'arguments', // the request itself is wrong: unknown option, bad URL, bad job name
  'not-found', // an object, snapshot, path or job that was named does not exist
  'exists', // exclusive creation lost: the name is taken
  'denied', // the storage or the file system refuses: credentials, permissions, read-only
  'credentials', // storage credentials are missing, wrong or expired
  'password', // no key of the repository opens with this password
  'full', // no space left, or a quota is used up (storage or local disk; `data.place` says which)
  'throttled', // the storage asks for patience; `data.retryAfterMs` where it said how long
  'offline', // the storage cannot be reached: refused, reset, timed out, name not resolved
  'unavailable', // the storage answers 5xx or breaks off; trying again may help
  'unsupported', // the storage cannot do what the repository's mode needs
  'damaged', // bytes that were read are not what was written: truncated, bit-flipped, forged, misplaced
  'version', // written by a newer or unknown version of Holdfast
  'not-a-repository', // no repository at the address
  'another-repository', // the address holds a repository other than the one expected
  'rolled-back', // the repository lacks snapshots that this machine has seen in it: an older state, or the newest is withheld
  'busy', // the same job already runs on this machine
  'expired', // a prune ended the session too often; the run has to be repeated
  'source-missing', // a source folder does not exist or cannot be read at all
  'unsafe-path', // a restore would write outside its target
  'catalog', // the local catalog is unusable even after it was made anew
  'crashed', // an engine process ended without a last word (set by the supervisor)
  'internal', // a defect of Holdfast
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** An error as it crosses a process border. Holds no secrets and no stack. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  /** Facts for the window's words: counts, names, limits. Never secrets. */
  readonly data?: Readonly<Record<string, string | number | boolean>>
  readonly cause?: WireError
}
