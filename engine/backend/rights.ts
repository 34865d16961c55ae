import { hasCode } from '../base/errors.ts'

/** Tidying that rights may forbid (append-only credentials are good for backups) and that a later prune does anyway. */
export async function tryWithRights(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!hasCode(error, 'denied')) throw error
  }
}
