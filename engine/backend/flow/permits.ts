import { abortError, throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { afterTransfer, provenLimit, startConcurrency, type ConcurrencyState, type TransferOutcome } from './concurrency.ts'

/** Leave to run one transfer. */
export interface Permits {
  /** Waits for a turn, first come first served; rejects with `aborted`. */
  acquire(signal: AbortSignal): Promise<Release>
}

/** Gives a permit back; calls after the first do nothing. How the transfer went steers how many run at once. */
export type Release = (outcome?: TransferOutcome) => void

/**
 * At most `maximum` at a time, fewer while that is better (see concurrency.ts); each holds a permit of `upstream` too, which is
 * how all running jobs share an account's cap (A3).
 */
export class AdaptivePermits implements Permits {
  readonly #clock: Clock
  readonly #upstream: Permits | undefined
  readonly #waiting: (() => void)[] = []
  readonly #startLimit: number
  #maximum: number
  #state: ConcurrencyState
  #active = 0
  #resuming = false

  /** @param startLimit what the account bore in an earlier run; absent: it starts low. */
  constructor(maximum: number, clock: Clock, upstream?: Permits, startLimit?: number) {
    this.#maximum = Math.max(1, Math.floor(maximum))
    this.#clock = clock
    this.#upstream = upstream
    this.#state = startConcurrency(this.#maximum, clock.monotonic(), startLimit)
    this.#startLimit = this.#state.limit
  }

  /** What may run at once now. */
  get limit(): number {
    return Math.min(this.#state.limit, this.#maximum)
  }

  /** What proved right, where that is another number than it started with: worth remembering for the account (A4). */
  get learned(): number | undefined {
    const proven = provenLimit(this.#state)
    return proven === this.#startLimit ? undefined : proven
  }

  async acquire(signal: AbortSignal): Promise<Release> {
    await this.#turn(signal)
    try {
      return this.#releaseOf(await this.#upstream?.acquire(signal))
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(abortError(signal))
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(enter)
      this.#admit()
    })
  }

  #releaseOf(upstream: Release | undefined): Release {
    let held = true
    return (outcome) => {
      if (!held) return
      held = false
      if (outcome) this.#state = afterTransfer(this.#state, outcome, this.#maximum)
      upstream?.(outcome)
      this.#leave()
    }
  }

  #leave(): void {
    this.#active--
    this.#admit()
  }

  #admit(): void {
    const pauseMs = this.#state.pausedUntilMs - this.#clock.monotonic()
    if (pauseMs > 0) {
      if (this.#waiting.length > 0) this.#admitAfter(pauseMs)
      return
    }
    while (this.#active < this.limit && this.#waiting.length > 0) {
      this.#active++
      this.#waiting.shift()?.()
    }
  }

  #admitAfter(pauseMs: number): void {
    if (this.#resuming) return
    this.#resuming = true
    void this.#clock.sleep(pauseMs, new AbortController().signal).then(() => {
      this.#resuming = false
      this.#admit()
    })
  }
}
