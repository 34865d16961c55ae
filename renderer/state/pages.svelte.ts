import type { Reply, WireError } from './bridge.ts'

export interface Page<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** A list that is asked for a page at a time. Of several requests the last one counts; an error keeps what is there. */
export class Pages<T> {
  readonly #ask: (last: T | undefined) => Promise<Reply<Page<T>>>
  #items = $state.raw<readonly T[]>()
  #more = $state(false)
  #busy = $state(false)
  #error = $state.raw<WireError>()
  #turn = 0

  /** @param ask for the page that follows `last`; for the first page without. */
  constructor(ask: (last: T | undefined) => Promise<Reply<Page<T>>>) {
    this.#ask = ask
  }

  /** Absent until the first answer. */
  get items(): readonly T[] | undefined {
    return this.#items
  }

  get more(): boolean {
    return this.#more
  }

  get busy(): boolean {
    return this.#busy
  }

  get error(): WireError | undefined {
    return this.#error
  }

  /** Forgets what is there. */
  clear(): void {
    this.#items = undefined
    this.#more = false
  }

  /** Begins again at the first page; what is there stays until the answer. */
  async restart(): Promise<void> {
    await this.#load([])
  }

  /** Asks for the next page; does nothing while one is under way or when all is there. */
  async loadMore(): Promise<void> {
    if (!this.#busy && this.#more) await this.retry()
  }

  /** Asks again for the page that failed. */
  async retry(): Promise<void> {
    await this.#load(this.#items ?? [])
  }

  async #load(before: readonly T[]): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    this.#busy = true
    this.#error = undefined
    const reply = await this.#ask(before.at(-1))
    if (turn !== this.#turn) return
    this.#busy = false
    if (!reply.ok) {
      this.#error = reply.error
      return
    }
    this.#items = [...before, ...reply.value.items]
    this.#more = reply.value.more
  }
}
