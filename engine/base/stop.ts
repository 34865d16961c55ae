import { HoldfastError } from './errors.ts'

export type StopMode = 'drain' | 'cancel'

/**
 * How a run is told to end. The first request fires `signal`: nothing new begins. A request with `cancel`, also after one
 * with `drain`, fires `cancelSignal`: what is in flight breaks off. Repeating a request does nothing.
 */
export class StopControl {
  readonly #stop = new AbortController()
  readonly #cancel = new AbortController()

  /** Fires at the first request of either mode. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Fires when transfers in flight are to be broken off as well. */
  get cancelSignal(): AbortSignal {
    return this.#cancel.signal
  }

  request(mode: StopMode): void {
    const reason = new HoldfastError('aborted', 'The run was stopped.')
    if (!this.#stop.signal.aborted) this.#stop.abort(reason)
    if (mode === 'cancel' && !this.#cancel.signal.aborted) this.#cancel.abort(reason)
  }
}
