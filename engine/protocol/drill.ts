import * as v from 'valibot'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const time = v.pipe(v.number(), v.finite(), v.minValue(0))
const text = v.pipe(v.string(), v.maxLength(4096))

/** Entries of an object's schema: how a restore drill ended. Times in ms since 1970. */
export const drillProof = {
  /** The machine that held it. */
  host: text,
  startedMs: time,
  finishedMs: time,
  /** `warnings`: all was restored as it was stored, but a source that seems unchanged is not what was stored. */
  result: v.picklist(['passed', 'warnings', 'failed']),
  /** `JOB@REV`: of which files were taken. */
  snapshots: v.pipe(v.array(text), v.maxLength(1000)),
  files: count,
  bytes: count,
  /** Files that were compared with their sources too. */
  compared: count,
  /** Files, and folders, that could not be restored as they were stored. */
  failed: count,
}

const proof = v.object(drillProof)

export type DrillProof = v.InferOutput<typeof proof>

const drillDetails = v.object({
  /** Absent where there was no file to restore. */
  proof: v.exactOptional(proof),
  /** With the same seed the same files of the same snapshots are taken. */
  seed: text,
})

/** `details` of a drill's summary. */
export type DrillDetails = v.InferOutput<typeof drillDetails>

/** Undefined for what is none. */
export function parseDrillDetails(value: unknown): DrillDetails | undefined {
  const parsed = v.safeParse(drillDetails, value)
  return parsed.success ? parsed.output : undefined
}
