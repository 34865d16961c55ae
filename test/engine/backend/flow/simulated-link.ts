import { afterMove, afterTransfer, startConcurrency, type ConcurrencyState, type Direction } from '../../../../engine/backend/flow/concurrency.ts'

/** A way to a storage, and the storage behind it, in rates of bytes a second. */
export interface SimulatedLink {
  readonly roundTripMs: number
  readonly perConnection: number
  /** Of all together; may change with time, and with the number of connections. */
  readonly total: (nowMs: number, connections: number) => number
  /** More connections than this are refused, with this wish. */
  readonly refusesAbove?: number
  readonly retryAfterMs?: number
  /** What buffers on the way take in of each upload before anything holds it up. */
  readonly bufferBytes?: number
}

interface Lane {
  readonly startedMs: number
  readonly readyMs: number
  readonly isRefused: boolean
  left: number
  /** Of `left`, not handed on yet: what is sent is seen when a buffer takes it. */
  unseen: number
  moves: boolean
}

interface Result {
  readonly bytes: number
  /** How many might run at once, in each second. */
  readonly limits: readonly number[]
  readonly refusals: number
}

const tickMs = 10
const objectBytes = 8_000_000
export const maximum = 16

/** Moves objects without an end, with a fixed number at a time or with as many as the rule under test says, and never more than `most`. Time is a number here. */
export function simulate(link: SimulatedLink, seconds: number, fixed?: number, known?: number, direction: Direction = 'down', most = maximum): Result {
  let state: ConcurrencyState = startConcurrency(direction, most, 0, known)
  let lanes: Lane[] = []
  let bytes = 0
  let refusals = 0
  const limits: number[] = []
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += tickMs) {
    const limit = fixed ?? state.limit
    if (nowMs % 1000 === 0) limits.push(limit)
    while (lanes.length < limit && nowMs >= state.pausedUntilMs) {
      const isRefused = link.refusesAbove !== undefined && lanes.length >= link.refusesAbove
      lanes.push({ startedMs: nowMs, readyMs: nowMs + link.roundTripMs, isRefused, left: objectBytes, unseen: objectBytes, moves: false })
    }
    const ready = lanes.filter((lane) => lane.readyMs <= nowMs && !lane.isRefused)
    const rate = Math.min(link.perConnection, link.total(nowMs, ready.length) / Math.max(1, ready.length))
    for (const lane of ready) {
      const moved = Math.min(lane.left, (rate * tickMs) / 1000)
      lane.left -= moved
      bytes += moved
      const unseen = Math.max(0, lane.left - (direction === 'up' ? (link.bufferBytes ?? 0) : 0))
      const seen = lane.unseen - unseen
      lane.unseen = unseen
      if (seen === 0) continue
      lane.moves = true
      state = afterMove(state, { nowMs, bytes: seen, active: lanes.length, moving: lanes.filter(({ moves }) => moves).length }, most)
    }
    for (const lane of lanes.filter((each) => each.left <= 0 || (each.isRefused && each.readyMs <= nowMs))) {
      lanes = lanes.filter((each) => each !== lane)
      if (lane.isRefused) refusals++
      const { retryAfterMs = 0 } = link
      const moved = lane.isRefused ? { retryAfterMs } : { bytes: objectBytes }
      state = afterTransfer(state, { startedMs: lane.startedMs, finishedMs: nowMs, throttled: lane.isRefused, ...moved }, { isFull: true, maximum: most })
    }
  }
  return { bytes, limits, refusals }
}

/** The fixed number that moves most, found by trying them all. */
export function bestFixed(link: SimulatedLink, seconds: number): { readonly number: number; readonly bytes: number } {
  const tried = Array.from({ length: maximum }, (_, at) => ({ number: at + 1, bytes: simulate(link, seconds, at + 1).bytes }))
  return tried.reduce((best, each) => (each.bytes > best.bytes * 1.001 ? each : best))
}
