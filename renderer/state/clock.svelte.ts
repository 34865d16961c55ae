const stepMs = 5_000

/** The time, for words such as "5 minutes ago"; moves every five seconds. */
export class Clock {
  readonly #read: () => number
  #now = $state(0)

  constructor(read: () => number = Date.now) {
    this.#read = read
    this.#now = read()
  }

  get now(): number {
    return this.#now
  }

  start(): () => void {
    const timer = setInterval(() => (this.#now = this.#read()), stepMs)
    return () => clearInterval(timer)
  }
}
