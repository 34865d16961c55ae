import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { PauseGate } from '../base/pause.ts'
import type { Meter } from '../progress/meter.ts'
import type { TokenOwner } from '../accounts/tokens.ts'
import type { Permits } from '../backend/flow/permits.ts'
import type { PauseExchange } from '../backend/flow/storage-pause.ts'
import type { JobSecrets } from '../protocol/job.ts'
import type { Limits } from '../protocol/messages.ts'
import type { Problem, Progress, TransferEvent } from '../protocol/progress.ts'

/** Everything a command gets from its surroundings: an engine process, the command line, or a test. */
export interface CommandContext {
  readonly secrets: JobSecrets
  /** Fires when the run is to end, in either way: nothing new begins. See StopControl. */
  readonly signal: AbortSignal
  /** Fires when uploads in flight are to be broken off as well (stop mode `cancel`); absent: as `signal`. */
  readonly cancelSignal?: AbortSignal
  readonly clock: Clock
  readonly log: Log
  readonly events: RunEvents
  readonly limits: LimitControl
  readonly pauseGate: PauseGate
  /** Leave to open a transfer, shared by all running jobs (A3); absent: this process alone decides. */
  readonly permits?: (account: string, cap: number) => Permits
  /** How all running jobs hear that an account's storage wants to be left alone (A4); absent: this process alone knows. */
  readonly pauses?: (account: string) => PauseExchange
  /** Owner of the accounts that people signed in to; absent: there are none. */
  readonly accounts?: TokenOwner
  /** Of a command that tells how it goes from before its storage is open; absent: made when the storage is opened. */
  readonly meter?: Meter
}

/** Where a run tells how it goes. None of the three may throw. */
export interface RunEvents {
  progress(progress: Progress): void
  transfer(transfer: TransferEvent): void
  problem(problem: Problem): void
}

/** Bandwidth limits that change while the run goes on. */
export class LimitControl {
  #limits: Limits
  readonly #listeners = new Set<(limits: Limits) => void>()

  constructor(limits: Limits = {}) {
    this.#limits = limits
  }

  get current(): Limits {
    return this.#limits
  }

  set(limits: Limits): void {
    this.#limits = limits
    for (const listener of this.#listeners) listener(limits)
  }

  /** Calls `listener` with the limits now and at every change; the result ends that. */
  follow(listener: (limits: Limits) => void): () => void {
    this.#listeners.add(listener)
    listener(this.#limits)
    return () => { this.#listeners.delete(listener) }
  }
}
