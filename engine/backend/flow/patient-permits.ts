import type { Clock } from '../../base/clock.ts'
import type { Permits, Release } from './permits.ts'

/** An ordinary turn takes less. */
const tellAfterMs = 1_000

/**
 * Permits of an account that many share. Tells when none is held and one was waited for during a whole second: then nothing of this
 * run moves, because others use up what the account bears; and tells when that is over.
 */
export class PatientPermits implements Permits {
  readonly #inner: Permits
  readonly #clock: Clock
  readonly #onWaiting: (waits: boolean) => void
  #held = 0
  #waiting = 0
  #patience: AbortController | undefined

  /** @param onWaiting must not throw. */
  constructor(inner: Permits, clock: Clock, onWaiting: (waits: boolean) => void) {
    this.#inner = inner
    this.#clock = clock
    this.#onWaiting = onWaiting
  }

  async acquire(signal: AbortSignal): Promise<Release> {
    this.#count(0, 1)
    try {
      const release = await this.#inner.acquire(signal)
      this.#count(1, 0)
      let held = true
      return (outcome) => {
        release(outcome)
        if (held) this.#count(-1, 0)
        held = false
      }
    } finally {
      this.#count(0, -1)
    }
  }

  #count(held: number, waiting: number): void {
    this.#held += held
    this.#waiting += waiting
    const stands = this.#held === 0 && this.#waiting > 0
    if (stands && !this.#patience) this.#begin()
    if (!stands && this.#patience) this.#end(this.#patience)
  }

  #begin(): void {
    const patience = new AbortController()
    this.#patience = patience
    void this.#clock.sleep(tellAfterMs, patience.signal).then(() => { this.#onWaiting(true) }, () => undefined)
  }

  #end(patience: AbortController): void {
    this.#patience = undefined
    patience.abort()
    this.#onWaiting(false)
  }
}
