import type { Clock } from '../../base/clock.ts'
import { afterMove, afterTransfer, provenLimit, startConcurrency, type ConcurrencyState, type Direction, type TransferOutcome } from './concurrency.ts'
import { Turnstile } from './turnstile.ts'

/** Leave to run one transfer of an account, which others share (A3). */
export interface Permits {
  /** Waits for a turn; rejects with `aborted`. */
  acquire(signal: AbortSignal): Promise<Release>
}

/** Gives a permit back; calls after the first do nothing. Who shares the account pauses where the storage asked for that. */
export type Release = (outcome?: TransferOutcome) => void

/** Leave to run one transfer. How it goes steers how many run at once. */
export interface Permit {
  /** So many bytes more have moved. */
  moved(bytes: number): void
  /** Gives the permit back; calls after the first do nothing. */
  release(outcome?: TransferOutcome): void
}

export interface AdaptiveOptions {
  readonly direction: Direction
  readonly clock: Clock
  /** Each permit holds one of these too: what the account bears. */
  readonly account?: Permits
  /** What the account bore in an earlier run on this network; absent: it starts low. */
  readonly known?: number
  /** What nobody of the account may begin before; absent: only what this sees counts. */
  readonly pausedUntilMs?: () => number
}

/** At most `maximum` at a time, fewer while that is better (see concurrency.ts). */
export class AdaptivePermits {
  readonly #clock: Clock
  readonly #account: Permits | undefined
  readonly #turnstile: Turnstile
  readonly #known: number | undefined
  readonly #maximum: number
  #state: ConcurrencyState
  /** Transfers that go on, and of these, those that have moved something. */
  #active = 0
  #moving = 0

  constructor(maximum: number, { direction, clock, account, known, pausedUntilMs = () => 0 }: AdaptiveOptions) {
    this.#maximum = Math.max(1, Math.floor(maximum))
    this.#clock = clock
    this.#account = account
    this.#known = known
    this.#state = startConcurrency(direction, this.#maximum, clock.monotonic(), known)
    this.#turnstile = new Turnstile({
      clock, limit: () => this.limit, closedUntilMs: () => Math.max(this.#state.pausedUntilMs, pausedUntilMs()),
    })
  }

  /** What may run at once now. */
  get limit(): number {
    return Math.min(this.#state.limit, this.#maximum)
  }

  /** Why not as many run at once as somebody wants; undefined: they may. */
  get held(): 'refused' | 'enough' | undefined {
    if (this.limit >= this.#maximum) return undefined
    const { tooMany } = this.#state
    return tooMany && this.#clock.monotonic() < tooMany.untilMs ? 'refused' : 'enough'
  }

  /**
   * What proved right, where something did and it is another number than was known: worth remembering for the account (A4). That nobody
   * wanted more is nothing to remember.
   */
  get learned(): number | undefined {
    const { borne, tooMany } = this.#state
    const proven = provenLimit(this.#state)
    const isProven = tooMany !== undefined || (borne > 0 && !(proven === this.#maximum && proven < (this.#known ?? 0)))
    return isProven && proven !== this.#known ? proven : undefined
  }

  async acquire(signal: AbortSignal): Promise<Permit> {
    await this.#turnstile.enter(signal)
    try {
      return this.#permit(await this.#account?.acquire(signal))
    } catch (error) {
      this.#turnstile.leave()
      throw error
    }
  }

  #permit(release: Release | undefined): Permit {
    let held = true
    let moves = false
    this.#active++
    return {
      moved: (bytes) => {
        if (!held || bytes <= 0) return
        if (!moves) this.#moving++
        moves = true
        this.#see(bytes)
      },
      release: (outcome) => {
        if (!held) return
        held = false
        this.#active--
        if (moves) this.#moving--
        if (outcome) this.#state = afterTransfer(this.#state, outcome)
        release?.(outcome)
        this.#turnstile.leave()
      },
    }
  }

  #see(bytes: number): void {
    const before = this.limit
    const seen = { nowMs: this.#clock.monotonic(), bytes, active: this.#active, moving: this.#moving }
    this.#state = afterMove(this.#state, seen, this.#maximum)
    if (this.limit > before) this.#turnstile.admit()
  }
}
