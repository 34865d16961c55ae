import * as v from 'valibot'

/** What a storage has left, as it says itself. */
export interface SpaceLeft {
  readonly freeBytes: number
  /** Absent where the storage does not tell. */
  readonly totalBytes?: number
}

/** Of an account that says how much it may hold; undefined where it may hold anything, or says what cannot be. */
export function leftOf(totalBytes: number | undefined, usedBytes: number | undefined): SpaceLeft | undefined {
  if (totalBytes === undefined || usedBytes === undefined || !(totalBytes > 0) || !(usedBytes >= 0)) return undefined
  return { freeBytes: Math.max(0, totalBytes - usedBytes), totalBytes }
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
