import * as v from 'valibot'
import { heldJobsSchema } from './changes.ts'
import { amount, count, text } from './schemas.ts'

const left = v.object({ bytes: v.number(), ms: v.number() })

const careDetails = v.object({
  /** `JOB@REV`. */
  forgotten: v.array(text),
  /**
   * `done`; `not due` yet; `no budget`: it was due, and the day's work was done before; `waiting`, for a backup elsewhere; `held`, until an unusual backup is
   * acknowledged; `failed`, see the warnings.
   */
  prune: v.picklist(['done', 'not due', 'no budget', 'waiting', 'held', 'failed']),
  /** Absent: none is known of. */
  held: v.exactOptional(heldJobsSchema),
  deletedPacks: count,
  freedBytes: amount,
  structure: v.picklist(['done', 'not due', 'no budget']),
  /** Whose structure was followed to the last chunk. */
  snapshots: count,
  damageCount: count,
  /** Paths that cannot be restored whole. */
  affectedCount: count,
  /**
   * A restore drill: how it ended; `nothing` to restore; `no room` on this machine; else as for the structure.
   */
  drill: v.picklist(['passed', 'warnings', 'failed', 'nothing', 'no room', 'not due', 'no budget']),
  /** Restored, compared and removed again. */
  drilledFiles: count,
  drilledBytes: amount,
  verifiedPacks: count,
  verifiedBytes: amount,
  /** In the repository, without those that are retired. */
  packs: count,
  /** Never read back by anybody, as far as is known. */
  unreadPacks: count,
  /** When the one that was not read back for the longest time was, ms since 1970; absent where there is one that never was, or no pack. */
  oldestVerifiedMs: v.exactOptional(v.number()),
  /** What may still be done today; below zero: what was done beyond, and is taken from the next days. */
  left,
})

/** `details` of a care's summary. */
export type CareDetails = v.InferOutput<typeof careDetails>

/** Undefined for what is none. */
export function parseCareDetails(value: unknown): CareDetails | undefined {
  const parsed = v.safeParse(careDetails, value)
  return parsed.success ? parsed.output : undefined
}
