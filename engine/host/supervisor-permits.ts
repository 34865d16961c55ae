import { abortError, throwIfAborted } from '../base/abort.ts'
import type { Permits, Release } from '../backend/flow/permits.ts'
import type { EngineEvent } from '../protocol/messages.ts'

/** Asks the supervisor for leave to open transfers, so that all running jobs share an account's cap (requirement A3). */
export class SupervisorPermits {
  readonly #send: (event: EngineEvent) => void
  readonly #waiting = new Map<number, () => void>()
  #lastRequest = 0

  constructor(send: (event: EngineEvent) => void) {
    this.#send = send
  }

  /** The supervisor answered a request; an answer to a request that was given up is ignored (its release is on the way). */
  granted(request: number): void {
    this.#waiting.get(request)?.()
  }

  forAccount(account: string, cap: number): Permits {
    return { acquire: (signal) => this.#acquire(account, cap, signal) }
  }

  #acquire(account: string, cap: number, signal: AbortSignal): Promise<Release> {
    throwIfAborted(signal)
    const request = ++this.#lastRequest
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(request)
        this.#send({ type: 'permit-release', request })
        reject(abortError(signal))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.set(request, () => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(request)
        resolve(this.#releaseOf(request))
      })
      this.#send({ type: 'permit-request', request, account, cap })
    })
  }

  #releaseOf(request: number): Release {
    let held = true
    return () => {
      if (held) this.#send({ type: 'permit-release', request })
      held = false
    }
  }
}
