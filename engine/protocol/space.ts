import * as v from 'valibot'

/** What a storage has left, as it says itself. */
export interface SpaceLeft {
  readonly freeBytes: number
  /** Absent where the storage does not tell. */
  readonly totalBytes?: number
}

/** The same, and where it leads. */
export interface SpaceOutlook extends SpaceLeft {
  /** How fast it fills up; below 0: it empties. Absent while too little is known. */
  readonly bytesPerDay?: number
  /** When nothing will be left but the reserve, ms since 1970. Absent: not within ten years, or too little is known. */
  readonly fullMs?: number
}

const amount = v.pipe(v.number(), v.finite(), v.minValue(0))

export const spaceOutlookSchema: v.GenericSchema<unknown, SpaceOutlook> = v.object({
  freeBytes: amount, totalBytes: v.exactOptional(amount), bytesPerDay: v.exactOptional(v.pipe(v.number(), v.finite())), fullMs: v.exactOptional(amount),
})
