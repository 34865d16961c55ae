import { abortError, throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'

export interface TurnstileOptions {
  readonly clock: Clock
  /** How many may be inside now; whoever changes it calls `admit`. */
  readonly limit: () => number
  /** Nobody enters before this moment, in ms of the clock's monotonic time. */
  readonly closedUntilMs: () => number
}

/** Lets in so many at a time, first come first served. */
export class Turnstile {
  readonly #options: TurnstileOptions
  readonly #waiting: (() => void)[] = []
  #inside = 0
  #opening = false

  constructor(options: TurnstileOptions) {
    this.#options = options
  }

  /** How many wait for a turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Waits for a turn; rejects with `aborted`. Who entered leaves. */
  enter(signal: AbortSignal): Promise<void> {
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
      this.admit()
    })
  }

  leave(): void {
    this.#inside--
    this.admit()
  }

  /** Looks who may enter now. */
  admit(): void {
    const closedMs = this.#options.closedUntilMs() - this.#options.clock.monotonic()
    if (closedMs > 0) {
      if (this.#waiting.length > 0) this.#admitAfter(closedMs)
      return
    }
    while (this.#inside < this.#options.limit() && this.#waiting.length > 0) {
      this.#inside++
      this.#waiting.shift()?.()
    }
  }

  #admitAfter(closedMs: number): void {
    if (this.#opening) return
    this.#opening = true
    void this.#options.clock.sleep(closedMs, new AbortController().signal).then(() => {
      this.#opening = false
      this.admit()
    })
  }
}
