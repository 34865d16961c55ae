import type { Reply, WireError } from './bridge.ts'

/** One thing that is asked for and may fail. Of several requests the last one counts. */
export class Loader<T> {
  #value = $state.raw<T>()
  #error = $state.raw<WireError>()
  #busy = $state(false)
  #turn = 0

  get value(): T | undefined {
    return this.#value
  }

  get error(): WireError | undefined {
    return this.#error
  }

  get busy(): boolean {
    return this.#busy
  }

  /** Returns the value, or nothing when it failed or was overtaken. What was there before stays until the answer. */
  async load(ask: () => Promise<Reply<T>>): Promise<T | undefined> {
    this.#turn += 1
    const turn = this.#turn
    this.#busy = true
    this.#error = undefined
    const reply = await ask()
    if (turn !== this.#turn) return undefined
    this.#busy = false
    if (reply.ok) this.#value = reply.value
    else this.#error = reply.error
    return reply.ok ? reply.value : undefined
  }

  /** Forgets value and error; an answer that is under way is ignored. */
  clear(): void {
    this.#turn += 1
    this.#busy = false
    this.#value = undefined
    this.#error = undefined
  }
}

/** A Loader of answers that count as long as the question is the same. */
export class AnswerLoader<T> extends Loader<T> {
  #question = $state('')

  async loadFor(question: string, ask: () => Promise<Reply<T>>): Promise<T | undefined> {
    this.#question = question
    return await this.load(ask)
  }

  valueFor(question: string): T | undefined {
    return this.#question === question ? this.value : undefined
  }

  errorFor(question: string): WireError | undefined {
    return this.#question === question ? this.error : undefined
  }
}
