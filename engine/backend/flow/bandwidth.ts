import { abortError, throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'

/** Both directions; all transfers of a process share them. */
export interface Bandwidth {
  readonly up: TokenBucket
  readonly down: TokenBucket
}

/** What a pause leaves over for later, in ms of the rate: late timers on a busy machine lose nothing, and no burst is longer than this. */
const creditMs = 200

interface Waiter {
  readonly bytes: number
  readonly enter: () => void
}

/**
 * A rate that all who take share: slices pass in the order they were asked for, so transfers that ask slice by slice take turns.
 * A slice passes when earlier ones are paid for; over any span the sum is at most the rate, plus 200 ms of it, plus one slice.
 */
export class TokenBucket {
  readonly #clock: Clock
  readonly #queue: Waiter[] = []
  #bytesPerSecond: number | undefined
  #credit = 0
  #paidUntilMs: number
  #pumping = false
  #wake = new AbortController()

  constructor(clock: Clock, bytesPerSecond?: number) {
    this.#clock = clock
    this.#paidUntilMs = clock.monotonic()
    this.#bytesPerSecond = checked(bytesPerSecond)
  }

  /** Holds at once, also for those who wait already. `undefined`: no limit. Throws `arguments` for what is not above 0. */
  setRate(bytesPerSecond: number | undefined): void {
    const rate = checked(bytesPerSecond)
    this.#earn()
    this.#bytesPerSecond = rate
    this.#wake.abort()
  }

  /** Resolves when that many bytes may pass; `undefined` when there is no limit. Rejects with `aborted`. */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    throwIfAborted(signal)
    if (this.#bytesPerSecond === undefined && this.#queue.length === 0) return undefined
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1)
        reject(abortError(signal))
      }
      const waiter: Waiter = {
        bytes,
        enter: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#queue.push(waiter)
      if (!this.#pumping) void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      this.#earn()
      if (this.#bytesPerSecond !== undefined && this.#credit < 0) {
        this.#wake = new AbortController()
        await this.#clock.sleep(Math.ceil((-this.#credit * 1000) / this.#bytesPerSecond), this.#wake.signal).catch(() => undefined)
        continue
      }
      if (this.#bytesPerSecond !== undefined) this.#credit -= head.bytes
      this.#queue.shift()
      head.enter()
    }
    this.#pumping = false
  }

  #earn(): void {
    const nowMs = this.#clock.monotonic()
    const rate = this.#bytesPerSecond
    this.#credit = rate === undefined ? 0 : Math.min((rate * creditMs) / 1000, this.#credit + (rate * (nowMs - this.#paidUntilMs)) / 1000)
    this.#paidUntilMs = nowMs
  }
}

function checked(bytesPerSecond: number | undefined): number | undefined {
  if (bytesPerSecond !== undefined && !(bytesPerSecond > 0)) throw new HoldfastError('arguments', 'A bandwidth limit is more than 0 bytes per second.')
  return bytesPerSecond === Infinity ? undefined : bytesPerSecond
}
