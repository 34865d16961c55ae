/** How far a run was at a moment: ms on a clock that only grows, and how much was done, in bytes or in steps. */
export interface ProgressSample {
  readonly timeMs: number
  readonly done: number
}

const windowMs = 60_000
const sampleEveryMs = 1_000

/** The samples that tell the speed of the last minute; one a second. */
export function addSample(samples: readonly ProgressSample[], sample: ProgressSample): readonly ProgressSample[] {
  const last = samples.at(-1)
  if (last && sample.timeMs - last.timeMs < sampleEveryMs) return samples
  return [...samples.filter((each) => sample.timeMs - each.timeMs <= windowMs), sample]
}

/**
 * Remaining time in ms as a range: between the speed of the whole run and that of the last minute, and never narrower than a fifth. Undefined
 * while too little is known: less than 3 s, or nothing done yet.
 * @param left in the unit of the samples.
 */
export function remainingTime(samples: readonly ProgressSample[], now: ProgressSample, startMs: number, left: number): { readonly from: number; readonly to: number } | undefined {
  const elapsedMs = now.timeMs - startMs
  if (left <= 0) return { from: 0, to: 0 }
  if (elapsedMs < 3_000 || now.done <= 0) return undefined
  const overall = now.done / elapsedMs
  const [first] = samples
  const recentMs = first ? now.timeMs - first.timeMs : 0
  const recent = first && recentMs >= 3_000 ? Math.max(0, now.done - first.done) / recentMs : overall
  // A stalled minute says nothing about the time to come but that it is longer.
  const slow = Math.min(overall, Math.max(recent, overall / 10))
  const fast = Math.max(overall, recent)
  return { from: Math.round((left / fast) * 0.9), to: Math.round((left / slow) * 1.1) }
}
