import type { Clock } from '../../base/clock.ts'
import type { PauseGate } from '../../base/pause.ts'
import type { Direction } from './concurrency.ts'
import { AdaptivePermits, type Permit, type Permits, type Release } from './permits.ts'
import { LinePace } from './line-pace.ts'
import { StoragePause } from './storage-pause.ts'
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
  /** When the storage asks for patience, all wait; absent: nobody is patient with it. */
  readonly pause?: StoragePause
}

/** Small requests beside the transfers. A hundred milliseconds each, so that this is enough to keep any list of them moving. */
const smallAtOnce = 8

/**
 * Who may begin something with the storage, and when: transfers by what their direction bears (links differ up and down), small requests
 * (records, indexes, tables of contents) beside them, so that none waits behind a pack. While the storage wants to be left alone, nothing begins.
 */
export class Transfers {
  readonly up: AdaptivePermits
  readonly down: AdaptivePermits
  readonly #small: Turnstile
  /** How a single transfer goes. */
  readonly pace = new LinePace()
  readonly pause: StoragePause

  constructor({ concurrency, account, clock, known = {}, pauseGate, pause = new StoragePause({ clock, patienceMs: Infinity }) }: TransferOptions) {
    this.pause = pause
    const pausedUntilMs = (): number => pause.closedUntilMs
    const options = { clock, pausedUntilMs, ...(account ? { account } : {}), ...(pauseGate ? { pauseGate } : {}) }
    this.up = new AdaptivePermits(concurrency, { ...options, direction: 'up', ...(known.up === undefined ? {} : { known: known.up }) })
    this.down = new AdaptivePermits(concurrency, { ...options, direction: 'down', ...(known.down === undefined ? {} : { known: known.down }) })
    this.#small = new Turnstile({ clock, limit: () => smallAtOnce, closedUntilMs: pausedUntilMs })
  }

  async acquire(direction: Direction, signal: AbortSignal): Promise<Permit> {
    await this.pause.pass(signal)
    const permit = await this[direction].acquire(signal)
    return {
      moved: (bytes) => { permit.moved(bytes) },
      ending: () => { permit.ending() },
      release: (outcome) => {
        if (outcome) this.pace.ended(direction, outcome)
        permit.release(outcome)
      },
    }
  }

  async acquireSmall(signal: AbortSignal): Promise<Release> {
    await this.pause.pass(signal)
    await this.#small.enter(signal)
    let held = true
    return (outcome) => {
      if (outcome) this.pace.answered(outcome)
      if (held) this.#small.leave()
      held = false
    }
  }
}

/** At most so many at a time, for who shares an account with nobody that could be asked. */
export class FixedPermits implements Permits {
  readonly #turnstile: Turnstile

  constructor(maximum: number, clock: Clock) {
    this.#turnstile = new Turnstile({ clock, limit: () => maximum, closedUntilMs: () => 0 })
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
