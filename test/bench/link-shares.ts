import type { LinkReading, LinkShape } from '../servers/slow-link.ts'

export type Direction = 'up' | 'down'

/** How full a run kept its link. */
export interface LinkUse {
  /** For each second since the run began, as a share of what the link and the connections give; the last second may be a part of one. */
  readonly shares: readonly number[]
  /** From the third second to the last byte; undefined where the run was over by then. */
  readonly later: number | undefined
  /** From the run's begin to its last byte, in seconds: what comes after is no transfer. */
  readonly movedSeconds: number
}

/** The third second begins here: what is before it is starting up. */
const laterMs = 2000
/** Less than this in a tenth of a second is talk and no transfer. */
const talkBytes = 32 * 1024

/** What `connections` may bear together, in bytes a second. */
export function capacityOf(shape: LinkShape, connections: number): number {
  return Math.min(shape.bytesPerSecond ?? Infinity, connections * (shape.bytesPerSecondPerConnection ?? Infinity))
}

/** @param readings of the whole link, at least one from before the run. */
export function useOf(readings: readonly LinkReading[], direction: Direction, beganMs: number, capacity: number): LinkUse {
  const at = (timeMs: number): number => bytesAt(readings, direction, timeMs)
  let lastMs = beganMs
  for (const [index, reading] of readings.entries()) {
    const before = readings[index - 1]
    if (before && reading.atMs > beganMs && reading[direction] - before[direction] > talkBytes) lastMs = reading.atMs
  }
  const share = (fromMs: number, toMs: number): number => ((at(toMs) - at(fromMs)) * 1000) / (capacity * (toMs - fromMs))
  const shares: number[] = []
  for (let fromMs = beganMs; fromMs < lastMs; fromMs += 1000) shares.push(share(fromMs, Math.min(fromMs + 1000, lastMs)))
  return { shares, later: lastMs > beganMs + laterMs ? share(beganMs + laterMs, lastMs) : undefined, movedSeconds: (lastMs - beganMs) / 1000 }
}

/** Between two readings as much moved in each moment. */
function bytesAt(readings: readonly LinkReading[], direction: Direction, timeMs: number): number {
  const after = readings.findIndex((reading) => reading.atMs >= timeMs)
  const next = readings[after]
  if (!next) return readings.at(-1)?.[direction] ?? 0
  const before = readings[after - 1]
  if (!before) return next[direction]
  return before[direction] + ((next[direction] - before[direction]) * (timeMs - before.atMs)) / (next.atMs - before.atMs)
}
