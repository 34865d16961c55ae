import { abortError, throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Pace, RequestPause } from '../backend.ts'
import { grantedBytes } from '../flow/pace.ts'
import type { HttpLimits } from './limits.ts'

const lookMs = 1_000
/** What is over in a moment with any server that answers. */
const briefBytes = 64 * 1024

/** What an exchange moves: nothing large; an object, up or down; or a request that takes the server long, which then only has to show life. */
export type ExchangeKind = 'small' | 'object' | 'slow'

/** Whether a host's last exchange stood still; one for each client. */
export class Responsiveness {
  silent = false
}

export interface WatchOptions {
  readonly kind: ExchangeKind
  /** Of the object that it moves. */
  readonly bytes?: number
  readonly clock: Clock
  readonly limits: HttpLimits
  readonly host: Responsiveness
  /** Before the exchange begins: its limits count from then on. */
  readonly pause?: RequestPause
}

/** The time limits of one exchange with a server (see HttpLimits): whoever moves bytes tells, and `signal` fires when it must end. */
export class Watch {
  readonly kind: ExchangeKind
  readonly limits: HttpLimits
  readonly #controller = new AbortController()
  readonly #over = new AbortController()
  readonly #clock: Clock
  readonly #host: Responsiveness
  readonly #standstillMs: number
  #endMs: number
  #deadlineMs: number
  #heldSinceMs: number | undefined

  private constructor({ kind, bytes = 0, clock, limits, host }: WatchOptions) {
    this.kind = kind
    this.limits = limits
    this.#clock = clock
    this.#host = host
    this.#standstillMs = host.silent && bytes <= briefBytes ? limits.againMs : limits.standstillMs
    const nowMs = clock.monotonic()
    this.#endMs = nowMs + this.#standstillMs
    this.#deadlineMs = kind === 'object' ? Infinity : nowMs + limits.smallExchangeMs
  }

  /** Runs an exchange. What ends it early (the signal, this watch, a failing body) is what it rejects with. */
  static async run<T>(options: WatchOptions, signal: AbortSignal, exchange: (watch: Watch) => Promise<T>): Promise<T> {
    throwIfAborted(signal)
    if (options.pause) await options.pause.pass(signal)
    const watch = new Watch(options)
    const onAbort = (): void => { watch.fail(abortError(signal)) }
    signal.addEventListener('abort', onAbort, { once: true })
    void watch.#look()
    try {
      return await exchange(watch)
    } catch (error) {
      if (signal.aborted) throw abortError(signal)
      throw watch.signal.aborted ? watch.signal.reason : error
    } finally {
      signal.removeEventListener('abort', onAbort)
      watch.#over.abort()
    }
  }

  /** Fires with the reason why the exchange has to end. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** A connection is being made; `connected` ends that. */
  connecting(): void {
    this.#endMs = Math.min(this.#endMs, this.#clock.monotonic() + this.limits.connectMs)
  }

  /** The other side has done something whole: the connection stands, the request is out, the reply has begun. */
  stepped(): void {
    this.#endMs = this.#clock.monotonic() + this.#standstillMs
  }

  /** The headers of the reply are there. */
  answered(): void {
    this.#host.silent = false
    this.stepped()
  }

  /** Bytes went through. */
  moved(bytes: number): void {
    if (this.kind === 'slow') this.stepped()
    else this.#endMs = Math.min(this.#clock.monotonic() + this.#standstillMs, this.#endMs + (bytes * 1000) / this.limits.leastBytesPerSecond)
  }

  /** Ends the exchange with this error: for sources of a body, which nobody listens to. */
  fail(error: unknown): void {
    this.#controller.abort(error)
    this.#over.abort()
  }

  /** See grantedBytes. Waiting for leave is no standstill of the server. */
  async granted(wanted: number, pace: Pace | undefined): Promise<number> {
    if (!pace) return wanted
    this.#heldSinceMs = this.#clock.monotonic()
    try {
      return await grantedBytes(wanted, pace)
    } finally {
      const heldMs = this.#clock.monotonic() - this.#heldSinceMs
      this.#endMs += heldMs
      this.#deadlineMs += heldMs
      this.#heldSinceMs = undefined
    }
  }

  /** Looks once a second. A look that comes late (a suspended machine, a stopped process) says nothing about the server. */
  async #look(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      const beforeMs = this.#clock.monotonic()
      await this.#clock.sleep(lookMs, signal).catch(() => undefined)
      const nowMs = this.#clock.monotonic()
      this.#endMs += Math.max(0, nowMs - beforeMs - 2 * lookMs)
      if (signal.aborted || this.#heldSinceMs !== undefined) continue
      if (nowMs >= this.#deadlineMs) this.fail(new HoldfastError('offline', 'The storage\'s answer takes too long.'))
      else if (nowMs >= this.#endMs) this.#standsStill()
    }
  }

  #standsStill(): void {
    this.#host.silent = true
    this.fail(new HoldfastError('offline', 'The storage has stopped answering, or hardly moves.'))
  }
}
