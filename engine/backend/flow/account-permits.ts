import type { Clock } from '../../base/clock.ts'
import type { TransferOutcome } from './concurrency.ts'
import type { Permits, Release } from './permits.ts'
import { Turnstile } from './turnstile.ts'

/** Until when a storage wants to be left alone by all that use one of its accounts (A4): one of these for each account in a process. */
export class AccountPause {
  #untilMs = 0

  /** In ms of the clock's monotonic time; before it nobody begins anything. */
  get untilMs(): number {
    return this.#untilMs
  }

  /** A pause only grows: who asks for less while it goes on is obeyed as well. */
  heed(outcome: TransferOutcome | undefined): void {
    if (!outcome?.throttled) return
    this.#untilMs = Math.max(this.#untilMs, outcome.finishedMs + (outcome.retryAfterMs ?? 0))
  }
}

/** Owner of the permits of all accounts where no other process shares them: both ends of a sync, and all of its lanes, may go to one account. */
export class OwnPermits {
  readonly #clock: Clock
  readonly #accounts = new Map<string, OneAccount>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param cap transfers at a time; where askers disagree, the smallest counts. */
  forAccount(account: string, cap: number): Permits {
    const found = this.#accounts.get(account) ?? new OneAccount(this.#clock)
    this.#accounts.set(account, found)
    found.cap = Math.max(1, Math.min(found.cap, cap))
    return found
  }
}

class OneAccount implements Permits {
  readonly pause = new AccountPause()
  cap = Infinity
  readonly #turnstile: Turnstile

  constructor(clock: Clock) {
    this.#turnstile = new Turnstile({ clock, limit: () => this.cap, closedUntilMs: () => this.pause.untilMs })
  }

  async acquire(signal: AbortSignal): Promise<Release> {
    await this.#turnstile.enter(signal)
    let held = true
    return () => {
      if (held) this.#turnstile.leave()
      held = false
    }
  }
}
