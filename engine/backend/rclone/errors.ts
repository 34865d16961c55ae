import type { HoldfastError } from '../../base/errors.ts'
import { causeError, type Cause } from '../http/failure.ts'

export const notInstalled: Cause = { code: 'arguments', said: 'There is no program rclone on this computer.', advice: 'Install it (https://rclone.org/install) so that it is on the PATH, and run “rclone config”.' }

const refused: Cause = { code: 'credentials', said: 'The remote refuses rclone\'s login.', advice: '“rclone config reconnect REMOTE:” signs in again.' }

type Rows = readonly (readonly [RegExp, Cause])[]

/** What a remote tells through rclone. Each storage has words of its own; rclone passes them on. */
const ofRemotes: Rows = [
  [/rate.?limit|too many requests|too_many_|slow ?down|quota exceeded for quota metric|\b429\b/i, { code: 'throttled', said: 'The remote asks to go slower.' }],
  [/no space left|quota|insufficient.?(?:storage|space)|not enough (?:free )?space|storage (?:is )?full|disk full/i, { code: 'full', said: 'The remote has no room left.', advice: 'Make room there, or get more from its provider.' }],
  [/couldn't (?:find|fetch) token|token (?:has )?expired|oauth2|invalid_grant|unauthori[sz]ed|InvalidAccessKeyId|SignatureDoesNotMatch|unable to authenticate|\b401\b/i, refused],
  [/permission denied|read-only file system|access ?denied|forbidden|insufficient.?permission|\b403\b/i, { code: 'denied', said: 'The remote refuses the operation.', advice: 'Check what rclone\'s login may do there.' }],
  [/can't (?:rename|move)|no server-side move/i, { code: 'unsupported', said: 'This kind of remote cannot rename files, which Holdfast needs.', advice: 'Use another remote.' }],
  [/no such host|connection refused|connection reset|unreachable|timeout|timed out|\bEOF\b/i, { code: 'offline', said: 'rclone cannot reach the remote.' }],
]

/** By what rclone prints before it ends without having served; the first row that fits. */
const endings: Rows = [
  [/didn't find section in config file|didn't find backend called|config name contains invalid/i, { code: 'arguments', said: 'rclone knows no remote of this name.', advice: '“rclone listremotes” shows those that there are; “rclone config” makes new ones.' }],
  [/unable to decrypt configuration|config(?:uration)? is encrypted|couldn't decrypt|Enter configuration password/i, {
    code: 'credentials', said: 'rclone\'s configuration is encrypted.', advice: 'Give rclone its password by RCLONE_PASSWORD_COMMAND, or use a configuration of its own for Holdfast (?config=/file).',
  }],
  [/unknown flag|unknown command/i, { code: 'version', said: 'This rclone is too old.', advice: 'Holdfast needs rclone 1.60 or newer.' }],
  [/directory not found|bucket not found/i, { code: 'not-found', said: 'The remote has no such folder.' }],
  ...ofRemotes,
]

/** rclone ended before it served. @param words what it printed last */
export function rcloneError(words: string): HoldfastError {
  const said = words.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\s+/gm, '').trim()
  const cause = endings.find(([pattern]) => pattern.test(said))?.[1] ?? { code: 'unavailable', said: 'rclone ended before it served the remote.' } as const
  return causeError(cause, [masked(said.split('\n').at(-1) ?? '')], { reason: 'Rclone' })
}

/** What rclone printed about a request. @param answer what its answer seemed to mean; undefined where it seemed to be a success */
export function servingError(line: string, answer: HoldfastError | undefined): HoldfastError {
  const known = ofRemotes.find(([pattern]) => pattern.test(line))?.[1]
  if (!known && answer?.code === 'not-found') return answer
  return causeError(known ?? { code: 'unavailable', said: 'The remote could not do it.' }, [masked(line)], { reason: 'Rclone' }, answer)
}

/** Storages put keys into addresses and answers (a signature, a token, a login), and errors repeat them. */
function masked(text: string): string {
  const names = '[\\w-]*(?:token|secret|pass|signature|sig|key|credential)[\\w-]*'
  return text.replace(/\/\/[^\s/@]+@/g, '//…@').replace(/\b(Bearer|Basic) [\w.~+/=-]+/g, '$1 …')
    .replace(new RegExp(`\\b(${names})=[^\\s&"]+`, 'gi'), '$1=…').replace(new RegExp(`"(${names})" *: *"[^"]*"`, 'gi'), '"$1":"…"')
}
