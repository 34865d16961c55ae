import { readFile } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { asHoldfastError, hasCode, isRetryable, type HoldfastError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { isWaitedOut, retryAfterOf, waitedOut } from '../flow/storage-pause.ts'
import type { Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend } from '../backend.ts'
import { BackendWrapper } from './wrapper.ts'

const baseMs = 500
const capMs = 60_000

export interface RetryOptions {
  readonly clock: Clock
  /** How long an operation is repeated before its error goes to the caller, in ms. A storage that asks for more is not waited for. */
  readonly patienceMs: number
  /** Told the error when an operation begins to wait, `undefined` when no operation waits any more. Must not throw. */
  readonly onWaiting?: (error: HoldfastError | undefined) => void
  readonly log?: Log
  /** 0 ≤ x < 1 */
  readonly random?: () => number
}

/** Full jitter, exponential from 0.5 s up to a minute, never less than the storage asked for. `failures` counts from 1. */
export function retryDelayMs(failures: number, retryAfterMs: number, random: () => number): number {
  return Math.max(retryAfterMs, random() * Math.min(capMs, baseMs * 2 ** (failures - 1)))
}

/** Repeats operations that fail for a reason that may pass; one of these serves all operations of a run. */
export class RetryPolicy {
  readonly #options: RetryOptions
  #waiting = 0

  constructor(options: RetryOptions) {
    this.#options = options
  }

  /** @param operation gets the attempt's number, from 1, and must be safe to repeat. */
  async run<T>(what: string, operation: (attempt: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock, patienceMs } = this.#options
    let waits = false
    let endMs = 0
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await operation(attempt)
        } catch (error) {
          if (!isRetryable(error) || isWaitedOut(error)) throw error
          if (attempt === 1) endMs = clock.monotonic() + patienceMs
          const leftMs = endMs - clock.monotonic()
          if (leftMs <= 0) throw error
          if (retryAfterOf(error) > leftMs) throw waitedOut(asHoldfastError(error), retryAfterOf(error), clock.now())
          if (!waits) this.#waiting++
          waits = true
          await this.#wait(what, asHoldfastError(error), attempt, leftMs, signal)
        }
      }
    } finally {
      if (waits && --this.#waiting === 0) this.#options.onWaiting?.(undefined)
    }
  }

  async #wait(what: string, error: HoldfastError, failures: number, leftMs: number, signal: AbortSignal): Promise<void> {
    const { clock, log, onWaiting, random = Math.random } = this.#options
    const delayMs = Math.min(leftMs, retryDelayMs(failures, retryAfterOf(error), random))
    onWaiting?.(error)
    log?.with({ object: what, attempt: failures }).write('warning', `${error.code}: ${error.message} Trying again in ${Math.ceil(delayMs)} ms.`)
    await clock.sleep(delayMs, signal)
  }
}

/** Retries every operation but puts with `once`, which their caller repeats under another name (rule R5). */
export function withRetry(backend: StorageBackend, options: RetryOptions): StorageBackend {
  return new RetryingBackend(backend, new RetryPolicy(options))
}

class RetryingBackend extends BackendWrapper {
  readonly #policy: RetryPolicy

  constructor(inner: StorageBackend, policy: RetryPolicy) {
    super(inner)
    this.#policy = policy
  }

  override async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    if (options.once) return this.inner.put(name, body, options, signal)
    await this.#policy.run(name, async (attempt) => {
      try {
        await this.inner.put(name, body, { ...options, attempt }, signal)
      } catch (error) {
        // After a lost reply the name may be taken by this very put: then it is done.
        if (attempt === 1 || !hasCode(error, 'exists') || !(await this.#holds(name, body, signal))) throw error
      }
    }, signal)
  }

  override get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    return this.#policy.run(name, () => this.inner.get(name, range, signal, pace), signal)
  }

  override stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    return this.#policy.run(name, () => this.inner.stat(name, signal), signal)
  }

  override remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#policy.run(name, () => this.inner.remove(name, signal), signal)
  }

  override abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    return this.#policy.run('unfinished uploads', () => super.abortStaleUploads(olderThanMs, signal), signal)
  }

  /** Begins again after a failure and, because lists ascend, passes over what the caller has seen. */
  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    let last = ''
    let names = this.inner.list(prefix, signal)[Symbol.asyncIterator]()
    let isShown = false
    try {
      for (;;) {
        isShown = false
        const next = await this.#policy.run(`${prefix}*`, async (attempt) => {
          if (attempt > 1) names = this.inner.list(prefix, signal)[Symbol.asyncIterator]()
          for (;;) {
            const found = await names.next()
            if (found.done || found.value.name > last) return found
          }
        }, signal)
        if (next.done) return
        last = next.value.name
        isShown = true
        yield next.value
      }
    } finally {
      // Whoever has seen enough leaves: then the storage closes what it has open. One that has failed, or still hangs, has nothing to be asked.
      if (isShown) await names.return?.()
    }
  }

  async #holds(name: string, body: Body, signal: AbortSignal): Promise<boolean> {
    const wanted = body.type === 'bytes' ? body.bytes : await readFile(body.path)
    return Buffer.compare(await this.inner.get(name, 'all', signal), wanted) === 0
  }
}
