/** Speed is told over this stretch, so that it neither jumps nor lags. */
const windowMs = 5_000

interface Reading {
  readonly timeMs: number
  readonly bytes: number
}

/** Speed over the last five seconds, from readings of a sum of bytes on a clock that only grows. Memory: the readings of that time. */
export class SpeedWindow {
  /** Oldest first; the first may be older than the window, so that the window is always covered. */
  readonly #readings: Reading[] = []

  /** @returns bytes a second: 0 with the first reading, and where the sum fell back (a part that is sent again). */
  read(timeMs: number, bytes: number): number {
    this.#readings.push({ timeMs, bytes })
    while ((this.#readings[1]?.timeMs ?? timeMs) <= timeMs - windowMs) this.#readings.shift()
    const first = this.#readings[0]
    if (!first || timeMs <= first.timeMs) return 0
    return Math.max(0, ((bytes - first.bytes) * 1000) / (timeMs - first.timeMs))
  }
}
