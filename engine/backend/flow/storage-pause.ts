import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { RequestPause } from '../backend.ts'

/** How others who use the same account hear that its storage wants to be left alone. */
export interface PauseExchange {
  /** The storage asked for so many ms from now on. Must not throw. */
  tell(pauseMs: number): void
  /** Calls `listener` with what others were asked for, in ms from now on; the result ends that. */
  follow(listener: (pauseMs: number) => void): () => void
}

export interface StoragePauseOptions {
  readonly clock: Clock
  /** How long the run waits for a storage, in ms. */
  readonly patienceMs: number
  /** Told when a request begins to wait, and when none waits any more. Must not throw. */
  readonly onWaiting?: (waits: boolean) => void
}

/** Where a storage asks for patience and does not say how long. */
const unsaidMs = 500
/** Others are told again only of more than this. */
const worthTellingMs = 100

/**
 * When a storage answers one request with "not now" (429, 503 with a time, SlowDown), all requests of the run to that account wait: transfers,
 * lists, removals, whatever was asked (requirement A4). Nobody waits for longer than the run's patience: a time beyond it is told at once.
 * Disposing it ends the talk with others.
 */
export class StoragePause implements RequestPause, Disposable {
  readonly #options: StoragePauseOptions
  #exchange: PauseExchange | undefined
  #unfollow: (() => void) | undefined
  #untilMs = 0
  /** How much it was closed since a request was last answered. */
  #closedMs = 0
  #askedMs = -Infinity
  #toldUntilMs = 0
  /** Of the refusal that is waited for: who is held back by it ends as who got it. Of others' it is not known. */
  #code: ErrorCode = 'throttled'
  #waiting = 0

  constructor(options: StoragePauseOptions) {
    this.#options = options
  }

  /** From now on others who use the account are told, and heard. Once. */
  join(exchange: PauseExchange): void {
    this.#exchange = exchange
    this.#unfollow = exchange.follow((pauseMs) => { this.#close(pauseMs) })
  }

  /** No transfer begins before, in ms of the clock's monotonic time. When the run waits no longer, each may: it is told so. */
  get closedUntilMs(): number {
    return this.#isBeyondPatience ? 0 : this.#untilMs
  }

  /** Of what a storage asked for: what is waited for here. */
  waitedMs(askedMs: number): number {
    return Math.min(askedMs, this.#options.patienceMs)
  }

  async pass(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    let waits = false
    try {
      for (let leftMs = this.#leftMs; leftMs > 0; leftMs = this.#leftMs) {
        if (this.#isBeyondPatience) throw waitedOut(new HoldfastError(this.#code, 'The storage asks for patience.'), leftMs, clock.now())
        if (!waits && ++this.#waiting === 1) this.#options.onWaiting?.(true)
        waits = true
        await clock.sleep(leftMs, signal)
      }
    } finally {
      if (waits && --this.#waiting === 0) this.#options.onWaiting?.(false)
    }
  }

  heed(error: unknown): void {
    if (!(error instanceof HoldfastError) || isWaitedOut(error)) return
    const askedMs = retryAfterOf(error)
    if (askedMs > 0) this.#ask(askedMs, error.code)
    else if (error.code === 'throttled') this.#ask(Math.min(unsaidMs, this.#options.patienceMs / 4), error.code)
  }

  /** A request that began at that moment (monotonic) was answered: what was waited for before is forgotten. */
  answered(startedMs: number): void {
    if (startedMs >= this.#askedMs) this.#closedMs = 0
  }

  [Symbol.dispose](): void {
    this.#unfollow?.()
  }

  #ask(pauseMs: number, code: ErrorCode): void {
    this.#code = code
    this.#close(pauseMs)
    if (this.#untilMs - this.#toldUntilMs <= worthTellingMs) return
    this.#toldUntilMs = this.#untilMs
    this.#exchange?.tell(pauseMs)
  }

  #close(pauseMs: number): void {
    const nowMs = this.#options.clock.monotonic()
    this.#askedMs = nowMs
    const untilMs = nowMs + pauseMs
    this.#closedMs += Math.max(0, untilMs - Math.max(nowMs, this.#untilMs))
    this.#untilMs = Math.max(this.#untilMs, untilMs)
  }

  get #leftMs(): number {
    return this.#untilMs - this.#options.clock.monotonic()
  }

  get #isBeyondPatience(): boolean {
    return this.#closedMs > this.#options.patienceMs
  }
}

/** What the storage asked for, in ms, or 0. */
export function retryAfterOf(error: unknown): number {
  const asked = hasCode(error, 'throttled', 'unavailable', 'offline') ? error.data['retryAfterMs'] : undefined
  return typeof asked === 'number' && asked > 0 ? asked : 0
}

/** The same error, saying until when the storage wants to be left alone: for longer than the run waits. Nobody repeats it. */
export function waitedOut(error: HoldfastError, askedMs: number, nowMs: number): HoldfastError {
  const untilMs = nowMs + askedMs
  const until = new Date(untilMs).toISOString().slice(0, 16).replace('T', ' ')
  const data = { ...error.data, retryAfterMs: askedMs, untilMs, waitedOut: true }
  return new HoldfastError(error.code, `${error.message} It wants to be left alone until ${until} UTC, which is longer than this run waits.`, { cause: error.cause, data })
}

export function isWaitedOut(error: unknown): boolean {
  return error instanceof HoldfastError && error.data['waitedOut'] === true
}
