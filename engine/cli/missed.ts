import type { Browser } from '../commands/browse.ts'
import type { Ending } from './execute.ts'
import { exitCodes } from './exit-codes.ts'

/** A repository that lacks what was seen in it is a warning, however well it could be listed. */
export function endingOf({ missed }: Browser): Pick<Ending, 'exitCode' | 'json'> {
  if (missed.length === 0) return { exitCode: exitCodes.success, json: { outcome: 'success' } }
  return { exitCode: exitCodes.warnings, json: { outcome: 'warnings', problems: missed.length } }
}
