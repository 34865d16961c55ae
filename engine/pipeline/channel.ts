import { abortError } from '../base/abort.ts'
import { HoldfastError } from '../base/errors.ts'

type Settle<T> = { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void }
type Received<T> = { readonly done: false; readonly value: T } | { readonly done: true }

const end = { done: true } as const

/**
 * A bounded queue between two stages: what bounds the engine's memory. `send` waits while `capacity` values are under way, so a slow
 * stage holds up those before it. Closing lets the receiver have every value that was accepted, then ends it. Failing drops what is
 * queued and rejects both sides, those waiting and those that come later, with the error.
 */
export class Channel<T> {
  readonly #capacity: number
  readonly #queue: T[] = []
  readonly #senders: ({ readonly value: T } & Settle<undefined>)[] = []
  readonly #receivers: Settle<Received<T>>[] = []
  #state: { readonly type: 'open' } | { readonly type: 'closed' } | { readonly type: 'failed'; readonly error: unknown } = { type: 'open' }

  /** @param capacity at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Values accepted and not received yet. */
  get size(): number {
    return this.#queue.length + this.#senders.length
  }

  /** Resolves once the value has its place; rejects with the channel's error, or `internal` when the channel was closed. */
  async send(value: T): Promise<void> {
    if (this.#state.type === 'failed') throw this.#state.error
    if (this.#state.type === 'closed') throw new HoldfastError('internal', 'A closed channel takes no values.')
    const receiver = this.#receivers.shift()
    if (receiver) {
      receiver.resolve({ done: false, value })
      return
    }
    if (this.#queue.length < this.#capacity) {
      this.#queue.push(value)
      return
    }
    await new Promise<undefined>((resolve, reject) => { this.#senders.push({ value, resolve, reject }) })
  }

  /** The next value, or `done` once the channel is closed and empty. */
  async receive(): Promise<Received<T>> {
    if (this.#state.type === 'failed') throw this.#state.error
    const value = this.#take()
    if (value) return value
    if (this.#state.type === 'closed') return end
    return new Promise((resolve, reject) => { this.#receivers.push({ resolve, reject }) })
  }

  /** No more values will come. Senders that wait still get their values through. Repeating does nothing. */
  close(): void {
    if (this.#state.type !== 'open') return
    this.#state = { type: 'closed' }
    for (const receiver of this.#receivers.splice(0)) receiver.resolve(end)
  }

  /** Ends both sides with `error`; the first error stays. Also a closed channel that still holds values fails. */
  fail(error: unknown): void {
    if (this.#state.type === 'failed') return
    this.#state = { type: 'failed', error }
    this.#queue.length = 0
    for (const waiting of [...this.#senders.splice(0), ...this.#receivers.splice(0)]) waiting.reject(error)
  }

  /** Fails the channel when the signal fires. */
  failOn(signal: AbortSignal): this {
    if (signal.aborted) this.fail(abortError(signal))
    else signal.addEventListener('abort', () => { this.fail(abortError(signal)) }, { once: true })
    return this
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const received = await this.receive()
      if (received.done) return
      yield received.value
    }
  }

  #take(): Received<T> | undefined {
    if (this.#queue.length === 0) return undefined
    const value = this.#queue.shift() as T
    const sender = this.#senders.shift()
    if (sender) {
      this.#queue.push(sender.value)
      sender.resolve(undefined)
    }
    return { done: false, value }
  }
}
