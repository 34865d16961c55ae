import type { Direction, TransferOutcome } from './concurrency.ts'

/** What is smaller tells the round trip, not the pace. */
const leastBytes = 1024 * 1024
/** How much the last transfer counts beside those before it. */
const newShare = 0.3

/**
 * How fast one transfer goes among the others that run, and how long an answer takes: from these follows when nothing but a round trip is left
 * of a transfer. What is sent lies in buffers for long after it was handed on, so that nothing else tells.
 */
export class LinePace {
  readonly #bytesPerMs: Partial<Record<Direction, number>> = {}
  #roundTripMs: number | undefined

  /** A small request has its answer. */
  answered({ startedMs, finishedMs, throttled }: TransferOutcome): void {
    if (!throttled) this.#roundTripMs = Math.min(this.#roundTripMs ?? Infinity, finishedMs - startedMs)
  }

  ended(direction: Direction, { startedMs, finishedMs, bytes = 0 }: TransferOutcome): void {
    const movingMs = finishedMs - startedMs - (this.#roundTripMs ?? 0)
    if (bytes < leastBytes || movingMs <= 0) return
    const before = this.#bytesPerMs[direction]
    this.#bytesPerMs[direction] = before === undefined ? bytes / movingMs : before + (bytes / movingMs - before) * newShare
  }

  /** How long an upload of so many bytes takes until its last byte has arrived; undefined while nobody knows. */
  arrivalMs(bytes: number): number | undefined {
    return this.#roundTripMs === undefined || this.#bytesPerMs.up === undefined ? undefined : bytes / this.#bytesPerMs.up
  }

  /** Bytes that one download receives within a round trip; 0 while nobody knows. */
  get bytesInRoundTrip(): number {
    return (this.#roundTripMs ?? 0) * (this.#bytesPerMs.down ?? 0)
  }
}
