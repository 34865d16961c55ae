import type { Clock } from '../../base/clock.ts'
import type { PauseGate } from '../../base/pause.ts'
import { afterMove, afterTransfer, provenLimit, roundMs, startConcurrency, type ConcurrencyState, type Direction, type TransferOutcome } from './concurrency.ts'
import { Turnstile } from './turnstile.ts'

/** Leave to run one transfer of an account, which others share (A3). */
export interface Permits {
  /** Waits for a turn; rejects with `aborted`. */
  acquire(signal: AbortSignal): Promise<Release>
}

/** Gives a permit back; calls after the first do nothing. */
export type Release = (outcome?: TransferOutcome) => void

/** Leave to run one transfer. How it goes steers how many run at once. */
export interface Permit {
  /** So many bytes more have moved. */
  moved(bytes: number): void
  /**
   * Nothing but a round trip is left of it: another may begin, so that the line is not idle meanwhile. It keeps what it holds of the account. A
   * few at a time, and no more than the maximum together with all others: does nothing for more.
   */
  ending(): void
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
  /** Nothing begins while the run is paused. */
  readonly pauseGate?: PauseGate
}

/** Transfers that end may let as many more begin, as a share of those that may run. */
const endingShare = 0.5

/** At most `maximum` at a time, fewer while that is better (see concurrency.ts). */
export class AdaptivePermits {
  readonly #clock: Clock
  readonly #account: Permits | undefined
  readonly #turnstile: Turnstile
  readonly #known: number | undefined
  readonly #maximum: number
  readonly #pauseGate: PauseGate | undefined
  #state: ConcurrencyState
  /** Transfers that go on, and of these, those that have moved something. */
  #active = 0
  #moving = 0
  /** Beside the active ones. */
  #ending = 0
  #roundGoes = false

  constructor(maximum: number, { direction, clock, account, known, pauseGate, pausedUntilMs = () => 0 }: AdaptiveOptions) {
    this.#pauseGate = pauseGate
    this.#maximum = Math.max(1, Math.floor(maximum))
    this.#clock = clock
    this.#account = account
    this.#known = known
    this.#state = startConcurrency(direction, this.#maximum, clock.monotonic(), known)
    this.#turnstile = new Turnstile({
      clock, limit: () => Math.min(this.limit, this.#maximum - this.#ending), closedUntilMs: () => Math.max(this.#state.pausedUntilMs, pausedUntilMs()),
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
    await this.#enter(signal)
    try {
      return this.#permit(await this.#account?.acquire(signal))
    } catch (error) {
      this.#turnstile.leave()
      throw error
    }
  }

  /** Who has waited while the run was paused waits on. */
  async #enter(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#turnstile.enter(signal)
      if (!this.#pauseGate?.paused) return
      this.#turnstile.leave()
      await this.#pauseGate.pass(signal)
    }
  }

  #permit(release: Release | undefined): Permit {
    let phase: 'running' | 'ending' | 'over' = 'running'
    let moves = false
    this.#active++
    const leave = (): void => {
      this.#active--
      if (moves) this.#moving--
      this.#turnstile.leave()
    }
    return {
      moved: (bytes) => {
        if (phase === 'over' || bytes <= 0) return
        if (!moves && phase === 'running') this.#moving++
        moves = true
        this.#see(bytes)
      },
      ending: () => {
        const most = Math.min(Math.max(1, Math.floor(this.limit * endingShare)), this.#maximum - this.limit)
        if (phase !== 'running' || this.#ending >= most) return
        phase = 'ending'
        this.#ending++
        leave()
      },
      release: (outcome) => {
        if (phase === 'over') return
        const isFull = this.#active >= this.limit || this.#turnstile.waiting > 0
        if (outcome) this.#state = afterTransfer(this.#state, outcome, { isFull, maximum: this.#maximum })
        release?.(outcome)
        if (phase === 'ending') this.#ending--
        else leave()
        phase = 'over'
        this.#turnstile.admit()
      },
    }
  }

  #see(bytes: number): void {
    const before = this.limit
    const seen = { nowMs: this.#clock.monotonic(), bytes, active: this.#active, moving: this.#moving }
    this.#state = afterMove(this.#state, seen, this.#maximum)
    if (this.limit > before) this.#turnstile.admit()
    if (this.#state.mode === 'blind' && !this.#roundGoes) void this.#lookAfterRound()
  }

  /** What is handed to buffers may be silent for seconds. */
  async #lookAfterRound(): Promise<void> {
    this.#roundGoes = true
    await this.#clock.sleep(roundMs, new AbortController().signal)
    this.#roundGoes = false
    if (this.#active > 0) this.#see(0)
  }
}
