import type { HoldfastError } from '../../base/errors.ts'
import { causeError, type Cause } from '../http/failure.ts'

export const notInstalled: Cause = { code: 'arguments', said: 'There is no program rclone on this computer.', advice: 'Install it (https://rclone.org/install) so that it is on the PATH, and run “rclone config”.' }

/** By what rclone prints before it ends; the first row that fits. */
const endings: readonly (readonly [RegExp, Cause])[] = [
  [/didn't find section in config file|didn't find backend called|config name contains invalid/i, { code: 'arguments', said: 'rclone knows no remote of this name.', advice: '“rclone listremotes” shows those that there are; “rclone config” makes new ones.' }],
  [/unable to decrypt configuration|config(?:uration)? is encrypted|couldn't decrypt|Enter configuration password/i, {
    code: 'credentials', said: 'rclone\'s configuration is encrypted.', advice: 'Give rclone its password by RCLONE_PASSWORD_COMMAND, or use a configuration of its own for Holdfast (?config=/file).',
  }],
  [/unknown flag|unknown command/i, { code: 'version', said: 'This rclone is too old.', advice: 'Holdfast needs rclone 1.60 or newer.' }],
  [/directory not found|bucket not found/i, { code: 'not-found', said: 'The remote has no such folder.' }],
  [/couldn't (?:find|fetch) token|token expired|oauth2|invalid_grant|AccessDenied|Unauthorized|401/i, { code: 'credentials', said: 'The remote refuses rclone\'s login.', advice: '“rclone config reconnect REMOTE:” signs in again.' }],
  [/no such host|connection refused|network is unreachable|timeout/i, { code: 'offline', said: 'rclone cannot reach the remote.' }],
]

/** rclone ended before it served. @param words what it printed last */
export function rcloneError(words: string): HoldfastError {
  const said = words.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\s+/gm, '').trim()
  const last = said.split('\n').at(-1) ?? ''
  const cause = endings.find(([pattern]) => pattern.test(said))?.[1] ?? { code: 'unavailable', said: 'rclone ended before it served the remote.' } as const
  return causeError(cause, [last], { reason: 'Rclone' })
}
