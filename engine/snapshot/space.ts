import type { SpaceLeft, SpaceOutlook } from '../protocol/space.ts'

/** What a storage had left at some time. */
export interface SpaceSample extends SpaceLeft {
  /** ms since 1970 */
  readonly timeMs: number
}

export type Forecast = Pick<SpaceOutlook, 'fullMs'> & Required<Pick<SpaceOutlook, 'bytesPerDay'>>

const gibibyte = 1024 ** 3
const dayMs = 24 * 3_600_000

/** What backups leave free, so that a prune can still work: one percent, at most 2 GiB. */
export function reserveOf({ freeBytes, totalBytes = freeBytes }: SpaceLeft): number {
  return Math.min(2 * gibibyte, Math.floor(Math.max(totalBytes, freeBytes) / 100))
}

const trendDays = 90
const leastDays = 7
const leastSamples = 5
const farMs = 10 * 365 * dayMs

/**
 * When a storage will be full, by the slope that the middle one of all pairs of samples has (Theil–Sen): a film that came and went does not bend it, and what
 * prunes free again and again counts.
 * Undefined where five samples within a week or more are not known.
 * @param samples of the last 90 days count; any order
 */
export function forecast(samples: readonly SpaceSample[], nowMs: number): Forecast | undefined {
  const recent = samples.filter(({ timeMs }) => timeMs <= nowMs && timeMs >= nowMs - trendDays * dayMs).sort((a, b) => a.timeMs - b.timeMs)
  const [first, last] = [recent[0], recent.at(-1)]
  if (!first || !last || recent.length < leastSamples || last.timeMs - first.timeMs < leastDays * dayMs) return undefined
  const slopes = recent.flatMap((a, at) => recent.slice(at + 1).filter(({ timeMs }) => timeMs > a.timeMs).map((b) => (a.freeBytes - b.freeBytes) / (b.timeMs - a.timeMs)))
  slopes.sort((a, b) => a - b)
  const slope = slopes[Math.floor(slopes.length / 2)] ?? 0
  const bytesPerDay = Math.round(slope * dayMs)
  const inMs = slope > 0 ? Math.max(0, last.freeBytes - reserveOf(last)) / slope : Infinity
  return inMs > farMs ? { bytesPerDay } : { bytesPerDay, fullMs: Math.round(last.timeMs + inMs) }
}

/** Bytes of sources, told apart by what is known of them. */
export interface SourceBytes {
  /** Pictures, films, archives: what does not get smaller. */
  readonly dense: number
  readonly other: number
}

/** `short`: bytes that lack; it is certain, or it is likely. */
export type Fit = { readonly type: 'fits' } | { readonly type: 'unlikely'; readonly short: number } | { readonly type: 'impossible'; readonly short: number }

/**
 * Whether what is to be stored for the first time fits. It is called impossible only where it does not fit even if half of what is dense is there twice, and all
 * else shrinks to a tenth; unlikely where it would not as such things mostly go.
 */
export function fitOf({ dense, other }: SourceBytes, left: SpaceLeft): Fit {
  const roomBytes = left.freeBytes - reserveOf(left)
  const likely = Math.round(0.95 * dense + 0.6 * other)
  const least = Math.round(0.5 * dense + 0.1 * other)
  if (least > roomBytes) return { type: 'impossible', short: likely - roomBytes }
  return likely > roomBytes ? { type: 'unlikely', short: likely - roomBytes } : { type: 'fits' }
}
