import { throwIfAborted, unlessAborted } from '../../base/abort.ts'

/**
 * Makes what several want at once, such as a folder, once: whoever comes while it is being made waits for it. A failure is that of who made it;
 * whoever waited tries for itself.
 */
export class MakeOnce<T> {
  readonly #beingMade = new Map<string, Promise<T>>()

  /**
   * @param known what is there, undefined where it is not, or nobody knows; asked again after each wait
   * Errors: aborted, those of `make`
   */
  async get(key: string, known: () => T | undefined, make: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      throwIfAborted(signal)
      const there = known()
      if (there !== undefined) return there
      const running = this.#beingMade.get(key)
      if (!running) break
      await unlessAborted(running.catch(() => undefined), signal)
    }
    const making = make()
    this.#beingMade.set(key, making)
    try {
      return await making
    } finally {
      this.#beingMade.delete(key)
    }
  }
}
