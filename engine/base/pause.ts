import { abortError, throwIfAborted } from './abort.ts'

/** Work waits here between two items while the run is paused. Pausing twice is pausing once. */
export class PauseGate {
  #waiting: (() => void)[] | undefined

  get paused(): boolean {
    return this.#waiting !== undefined
  }

  pause(): void {
    this.#waiting ??= []
  }

  resume(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const wake of waiting) wake()
  }

  /** Resolves at once unless paused, else at `resume`; rejects with `aborted` when the signal fires. */
  async pass(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    while (this.#waiting) await this.#resumed(this.#waiting, signal)
  }

  #resumed(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => { reject(abortError(signal)) }
      signal.addEventListener('abort', onAbort, { once: true })
      waiting.push(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }
}
