import { FTPError } from 'basic-ftp'
import { HoldfastError } from '../../base/errors.ts'
import { causeError, networkError, type Cause } from '../http/failure.ts'

const denied: Cause = { code: 'denied', said: 'The server refuses access.', advice: 'Give the user the right to read, write, rename and delete in the repository\'s folder on the server.' }
const full: Cause = { code: 'full', said: 'No space is left on the server, or a quota is used up.' }
const missing: Cause = { code: 'not-found', said: 'The file does not exist.' }
const broken: Cause = { code: 'unavailable', said: 'The server broke off the transfer.', advice: 'Its disk may be full or failing, or a firewall cuts its data connections.' }
const login: Cause = { code: 'credentials', said: 'The server does not let the user in.', advice: 'Check user and password.' }
const crowded: Cause = { code: 'unavailable', said: 'The server takes no more connections now.', advice: 'Other programs may hold some, or it allows few for each user.' }
const unsupported: Cause = { code: 'unsupported', said: 'The server does not know a command that a repository needs.', advice: 'Use another FTP server program, or SFTP or WebDAV.' }
const noTls: Cause = { code: 'unsupported', said: 'The server offers no encryption.', advice: 'Switch TLS on at the server. ftp:// goes without, and lets others on the way read the password.' }
const wantsTls: Cause = { code: 'unsupported', said: 'The server takes nothing without encryption.', advice: 'Begin the address with ftps:// in place of ftp://.' }
const noData: Cause = { code: 'unavailable', said: 'No data connection could be made.', advice: 'A firewall may block the server\'s passive ports.' }

/** Replies that refuse (RFC 959, 4.2; RFC 4217 for 53x). 550 and 553 have many reasons; the words behind them tell more. */
const byCode: Readonly<Record<number, Cause>> = {
  421: crowded, 425: noData, 426: broken, 430: login, 431: noTls, 434: broken, 450: { code: 'unavailable', said: 'The file is busy on the server.' }, 451: broken, 452: full,
  500: unsupported, 501: unsupported, 502: unsupported, 503: unsupported, 504: unsupported, 522: noTls, 530: login, 532: login, 534: noTls, 550: denied, 552: full, 553: denied,
}

/** What servers say behind the number, most of them as strerror(3) does. */
const reasons: readonly (readonly [RegExp, Cause])[] = [
  [/\b(?:SSL|TLS)\b.*(?:required|must)|must use encryption|requires? (?:SSL|TLS|encryption)/i, wantsTls],
  [/no space|quota|exceeded storage|disk full|insufficient storage/i, full],
  [/too many|maximum number|connection limit|already logged in/i, crowded],
  [/no such|not found|doesn't exist|does not exist|cannot find/i, missing],
]

export function isReply(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof FTPError && codes.includes(error.code)
}

/** What a command failed with as one of ours; `what` is the object or folder that it was about. */
export function ftpError(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof FTPError) {
    const cause = reasons.find(([pattern]) => pattern.test(error.message))?.[1] ?? byCode[error.code] ?? broken
    return causeError(cause, [what], { ...(cause.code === 'full' ? { place: 'destination' } : {}), status: error.code }, error)
  }
  const known = networkError(error, what)
  if (known) return known
  return causeError({ code: 'offline', said: 'The connection to the server broke.' }, [what], {}, error)
}

/** The server wants no more connections than there are. */
export function isCrowded(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'unavailable' && error.message.startsWith(crowded.said)
}

/** Of AUTH TLS, to which many answers mean one thing. */
export function noTlsError(server: string, error: unknown): HoldfastError {
  return causeError(noTls, [server], {}, error)
}
