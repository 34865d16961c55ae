import { abortError, throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Pace } from '../backend.ts'
import { grantedBytes } from '../pace.ts'
import { s3Error } from './errors.ts'

/**
 * One request to the storage: fails as `offline` when nothing moves for a while, because the SDK's own timeouts miss bodies that
 * stall and replies that never end.
 */
export class Activity {
  readonly #controller = new AbortController()
  readonly #idleMs: number
  #timer: NodeJS.Timeout | undefined

  private constructor(idleMs: number) {
    this.#idleMs = idleMs
    this.moved()
  }

  /** For the SDK. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Bytes went through. */
  moved(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.fail(new HoldfastError('offline', 'The storage has stopped answering.')) }, this.#idleMs)
  }

  /** Ends the request with this error: for sources of a body, which the SDK does not listen to. */
  fail(error: unknown): void {
    clearTimeout(this.#timer)
    this.#controller.abort(error)
  }

  /** See grantedBytes. Waiting for leave is no standstill of the storage. */
  async granted(wanted: number, pace: Pace | undefined): Promise<number> {
    clearTimeout(this.#timer)
    const bytes = await grantedBytes(wanted, pace)
    this.moved()
    return bytes
  }

  /** Runs a request; its errors come out as ours. */
  static async run<T>(what: string, idleMs: number, signal: AbortSignal, request: (activity: Activity) => Promise<T>): Promise<T> {
    throwIfAborted(signal)
    const activity = new Activity(idleMs)
    const onAbort = (): void => { activity.fail(abortError(signal)) }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await request(activity)
    } catch (error) {
      if (signal.aborted) throw abortError(signal)
      throw s3Error(activity.signal.aborted ? activity.signal.reason : error, what)
    } finally {
      signal.removeEventListener('abort', onAbort)
      clearTimeout(activity.#timer)
    }
  }
}
