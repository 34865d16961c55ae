import type { Clock } from '../../base/clock.ts'
import type { PauseGate } from '../../base/pause.ts'
import type { Direction, TransferOutcome } from './concurrency.ts'
import { AccountPause } from './account-permits.ts'
import { AdaptivePermits, type Permit, type Permits, type Release } from './permits.ts'
import { LinePace } from './line-pace.ts'
import { Turnstile } from './turnstile.ts'

export interface TransferOptions {
  /** Transfers in each direction that somebody wants at most. */
  readonly concurrency: number
  /** What the account bears, all that share it and both directions together (A3). */
  readonly account?: Permits
  readonly clock: Clock
  /** What was learned in earlier runs. */
  readonly known?: Readonly<Partial<Record<Direction, number>>>
  /** Transfers that wait while the run is paused wait on. */
  readonly pauseGate?: PauseGate
}

/** Small requests beside the transfers. A hundred milliseconds each, so that this is enough to keep any list of them moving. */
const smallAtOnce = 8

/**
 * Who may begin something with the storage, and when: transfers by what their direction bears (links differ up and down), small requests
 * (records, indexes, tables of contents) beside them, so that none waits behind a pack. When the storage asks for patience, all of the account
 * wait: these, lists and removals, here and wherever else the process uses it. What goes on meanwhile is not broken off.
 */
export class Transfers {
  readonly up: AdaptivePermits
  readonly down: AdaptivePermits
  readonly #small: Turnstile
  readonly #others: Turnstile
  readonly #pause: AccountPause
  readonly #clock: Clock
  /** How a single transfer goes. */
  readonly pace = new LinePace()

  constructor({ concurrency, account, clock, known = {}, pauseGate }: TransferOptions) {
    this.#clock = clock
    this.#pause = account?.pause ?? new AccountPause()
    const pausedUntilMs = (): number => this.#pause.untilMs
    const options = { clock, pausedUntilMs, ...(account ? { account } : {}), ...(pauseGate ? { pauseGate } : {}) }
    this.up = new AdaptivePermits(concurrency, { ...options, direction: 'up', ...(known.up === undefined ? {} : { known: known.up }) })
    this.down = new AdaptivePermits(concurrency, { ...options, direction: 'down', ...(known.down === undefined ? {} : { known: known.down }) })
    this.#small = new Turnstile({ clock, limit: () => smallAtOnce, closedUntilMs: pausedUntilMs })
    this.#others = new Turnstile({ clock, limit: () => Infinity, closedUntilMs: pausedUntilMs })
  }

  async acquire(direction: Direction, signal: AbortSignal): Promise<Permit> {
    const permit = await this[direction].acquire(signal)
    return {
      moved: (bytes) => { permit.moved(bytes) },
      ending: () => { permit.ending() },
      release: (outcome) => {
        this.#pause.heed(outcome)
        if (outcome) this.pace.ended(direction, outcome)
        permit.release(outcome)
      },
    }
  }

  async acquireSmall(signal: AbortSignal): Promise<Release> {
    await this.#small.enter(signal)
    let held = true
    return (outcome) => {
      this.#pause.heed(outcome)
      if (outcome) this.pace.answered(outcome)
      if (held) this.#small.leave()
      held = false
    }
  }

  /** Waits while the storage wants to be left alone; for what is no transfer and not counted. Rejects with `aborted`. */
  async passPause(signal: AbortSignal): Promise<void> {
    if (this.#pause.untilMs <= this.#clock.monotonic()) return
    await this.#others.enter(signal)
    this.#others.leave()
  }

  /** How something went that took no permit. */
  heed(outcome: TransferOutcome): void {
    this.#pause.heed(outcome)
  }
}
