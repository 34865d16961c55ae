import { hasErrno } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import { causeError, networkError, type Cause } from '../http/failure.ts'

/** What the server answers to a request: SSH_FX_… of draft-ietf-secsh-filexfer-02 (3), and of -13 (9.1), which some servers of version 3 send too. */
export const status = { noSuchFile: 2, denied: 3, failure: 4, unsupported: 8, noSuchPath: 10, exists: 11 } as const

const full: Cause = { code: 'full', said: 'No space is left on the server.' }
const quota: Cause = { code: 'full', said: 'The quota on the server is used up.' }
const denied: Cause = { code: 'denied', said: 'The server refuses access.', advice: 'Give the user the right to read and write in the repository\'s folder on the server.' }
const failed: Cause = {
  code: 'unavailable', said: 'The server could not do what was asked of it.',
  advice: 'Its disk may be full or failing, a quota used up, or the file system read-only: look at the server.',
}

const byStatus: Readonly<Record<number, Cause>> = {
  2: { code: 'not-found', said: 'The file does not exist.' },
  3: denied,
  4: failed,
  5: { code: 'unavailable', said: 'The server did not understand a request.' },
  6: { code: 'offline', said: 'The server has lost its connection.' },
  7: { code: 'offline', said: 'The connection to the server broke.' },
  8: { code: 'unsupported', said: 'The server cannot do what a repository needs.' },
  10: { code: 'not-found', said: 'The file does not exist.' },
  11: { code: 'exists', said: 'The file exists already.' },
  12: { code: 'denied', said: 'The folder on the server is read-only.' },
  14: full,
  15: quota,
}

/** Version 3 has one number for all that fails in a disk; servers other than OpenSSH say the reason as strerror(3) does. */
const systemWords: readonly (readonly [RegExp, Cause])[] = [
  [/no space left/i, full],
  [/quota/i, quota],
  [/read-only/i, { code: 'denied', said: 'The folder on the server is read-only.' }],
  [/permission denied|not permitted/i, denied],
]

/** The status of an answer that refuses; undefined for any other error. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof HoldfastError) return undefined
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'number' ? code : undefined
}

export function isStatus(error: unknown, ...codes: readonly number[]): boolean {
  const code = statusOf(error)
  return code !== undefined && codes.includes(code)
}

/** What a request failed with as one of ours; `what` is the object or folder that it was about. */
export function sftpError(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const code = statusOf(error)
  if (code !== undefined) {
    const words = error instanceof Error ? error.message : ''
    const cause = (code === status.failure ? systemWords.find(([pattern]) => pattern.test(words))?.[1] : undefined) ?? byStatus[code] ?? failed
    return causeError(cause, [what], { ...placeOf(cause), status: code }, error)
  }
  return networkError(error, what) ?? causeError({ code: 'unavailable', said: 'The server broke off, or answered what makes no sense.' }, [what], {}, error)
}

export function fullError(what: string, error: unknown): HoldfastError {
  return causeError(full, [what], placeOf(full), error)
}

function placeOf({ code }: Cause): Readonly<Record<string, string>> {
  return code === 'full' ? { place: 'destination' } : {}
}

const noSsh: Cause = { code: 'unavailable', said: 'What answers at the address is no SSH server.', advice: 'Check host and port in the address.' }
const oldServer: Cause = { code: 'unsupported', said: 'The server and Holdfast have no way of encrypting in common.', advice: 'The server is too old. Update its SSH, or allow newer algorithms in its configuration.' }
const turnedAway: Cause = {
  code: 'offline', said: 'The server closed the connection before a word was said.',
  advice: 'It may have too many connections, or lock this computer out for a while after wrong passwords.',
}
const noSftp: Cause = { code: 'unsupported', said: 'The server lets the user in, but offers no SFTP.', advice: 'Switch SFTP on at the server (sshd_config: Subsystem sftp internal-sftp; on a NAS: its SFTP service).' }
const chatter: Cause = { code: 'unsupported', said: 'The server\'s login prints text where SFTP belongs.', advice: 'Its shell start files (.bashrc) may print nothing for sessions without a terminal.' }
const handshakeEnd: Cause = { code: 'offline', said: 'The server did not finish its greeting in time.' }

/** ssh2 tells its own failures apart by `level` alone, and within a level by its own fixed English. */
const handshakes: readonly (readonly [RegExp, Cause])[] = [
  [/no matching/i, oldServer],
  [/identification|protocol version|header/i, noSsh],
  [/before handshake/i, turnedAway],
  [/timed out/i, handshakeEnd],
]

/** A connection that could not be made. @param takes what the server would take to log in @param heard whether it said anything */
export function connectError(error: unknown, server: string, takes: readonly string[] | undefined, heard = true): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (!heard && hasErrno(error, 'ECONNRESET')) return causeError(turnedAway, [server], {}, error)
  const level: unknown = error instanceof Error ? Reflect.get(error, 'level') : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (level === 'client-authentication') return loginError(error, server, takes)
  if (level === 'agent') {
    return causeError({ code: 'credentials', said: 'The SSH agent did not give a signature.', advice: 'Is it running, and unlocked? SSH_AUTH_SOCK names it.' }, [server], {}, error)
  }
  if (/too many authentication failures/i.test(message)) return loginError(error, server, takes)
  const known = networkError(error, server)
  if (known) return known
  const row = handshakes.find(([pattern]) => pattern.test(message))
  return causeError(row?.[1] ?? { code: 'offline', said: 'No connection to the server could be made.' }, [server], {}, error)
}

function loginError(error: unknown, server: string, takes: readonly string[] | undefined): HoldfastError {
  const offered = takes?.length ? ` The server takes: ${takes.join(', ')}.` : ''
  return causeError({
    code: 'credentials', said: 'The server does not let the user in.',
    advice: `Check user, password and key; is the public key in ~/.ssh/authorized_keys on the server?${offered}`,
  }, [server], {}, error)
}

/** SFTP did not begin on a connection that stands. */
export function sessionError(error: unknown, server: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  const message = error instanceof Error ? error.message : ''
  if (/subsystem|exit code|termination/i.test(message)) return causeError(noSftp, [server], {}, error)
  if (/packet length|packet type|VERSION/i.test(message)) return causeError(chatter, [server], {}, error)
  return causeError({ code: 'unavailable', said: 'The server opens no SFTP session now.', advice: 'It may have too many (sshd_config: MaxSessions).' }, [server], {}, error)
}
