/**
 * Runs actions one after the other: one that is asked for inside another comes behind it. So what completes along a chain of folders
 * takes no more stack for a thousand of them than for one.
 */
export class Completions {
  readonly #waiting: (() => void)[] = []
  #running = false

  /** Runs it now, with all that comes of it; from inside an action, soon. */
  run(action: () => void): void {
    this.#waiting.push(action)
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next()
    } finally {
      this.#running = false
    }
  }
}
