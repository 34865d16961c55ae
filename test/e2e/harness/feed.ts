/** What happened, in order: `next` takes the oldest event that matches, or waits for one. Nothing is missed in between. */
export class Feed<T> {
  readonly #events: T[] = []
  readonly #waiting: { readonly matches: (event: T) => boolean; readonly take: (event: T) => void }[] = []

  push(event: T): void {
    const at = this.#waiting.findIndex((one) => one.matches(event))
    const [waiter] = at < 0 ? [] : this.#waiting.splice(at, 1)
    if (waiter) waiter.take(event)
    else this.#events.push(event)
  }

  next(matches: (event: T) => boolean = () => true): Promise<T> {
    const at = this.#events.findIndex(matches)
    const [event] = at < 0 ? [] : this.#events.splice(at, 1)
    if (event !== undefined) return Promise.resolve(event)
    return new Promise((take) => this.#waiting.push({ matches, take }))
  }
}
