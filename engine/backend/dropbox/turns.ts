import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'

/** Dropbox names a time; where it does not. */
const standardMs = 1000
/** Half a minute of refusals: then it is no matter of turns, and everybody is to know that the storage is waited for. */
const mostRefusals = 30
/** Whoever asks for more is not waited for here. */
const longestMs = 60_000
/** So long one changes the account without a break while others want to. */
const turnMs = 2000
/** Longer than others wait who were told to wait for a second: one of them comes first. */
const roomMs = 1600
/** Others that were not met for so long are gone. */
const rememberedMs = 10_000

/**
 * Other processes and machines change an account too, and Dropbox lets one of them do so at a time, whoever comes first; it keeps no queue. So
 * who is refused asks again after the time that Dropbox names, with a random part that does not grow (who has waited for long would else come
 * last), and who has changed much while others were met leaves them room. One serves all changes of a backend, one after the other.
 */
export class NamespaceTurns {
  readonly #clock: Clock
  readonly #random: () => number
  #metMs = -Infinity
  #beganMs: number | undefined
  #endedMs = -Infinity

  /** @param random 0 ≤ x < 1 */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** @param work changes nothing when it fails with `isLocked`, and is then repeated. Errors: those of the work. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#leaveRoom(signal)
    for (let refusals = 1; ; refusals++) {
      try {
        const result = await work()
        this.#endedMs = this.#clock.monotonic()
        this.#beganMs ??= this.#endedMs
        return result
      } catch (error) {
        if (!isLocked(error) || refusals === mostRefusals || askedMs(error) > longestMs) throw error
        this.#metMs = this.#clock.monotonic()
        this.#beganMs = undefined
        await this.#clock.sleep(askedMs(error) * (1 + this.#random() / 2), signal)
      }
    }
  }

  async #leaveRoom(signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonic()
    if (this.#beganMs === undefined) return
    const wasLong = nowMs - this.#beganMs >= turnMs
    const hasRested = nowMs - this.#endedMs >= roomMs
    if (!wasLong && !hasRested) return
    this.#beganMs = undefined
    if (!hasRested && nowMs - this.#metMs < rememberedMs) await this.#clock.sleep(roomMs, signal)
  }
}

/** Dropbox refused a change because another one is being made. */
export function isLocked(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'throttled' && /(?:^|\/)too_many_write_operations$/.test(String(error.data['reason']))
}

function askedMs({ data }: HoldfastError): number {
  const asked = data['retryAfterMs']
  return typeof asked === 'number' ? asked : standardMs
}
