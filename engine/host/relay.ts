import type { Clock } from '../base/clock.ts'
import type { RunEvents } from '../commands/context.ts'
import type { EngineEvent } from '../protocol/messages.ts'
import type { Progress, TransferEvent } from '../protocol/progress.ts'

/** At most four pictures a second reach the supervisor. */
const intervalMs = 250

/**
 * A command's events on their way to the supervisor. Progress and moving transfers are thinned to the newest of each
 * interval; the first and last state of a transfer and every problem pass at once.
 */
export class EventRelay implements RunEvents, Disposable {
  readonly #send: (event: EngineEvent) => void
  readonly #clock: Clock
  #progress: Progress | undefined
  readonly #transfers = new Map<number, TransferEvent>()
  readonly #shown = new Set<number>()
  #lastMs = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(send: (event: EngineEvent) => void, clock: Clock) {
    this.#send = send
    this.#clock = clock
  }

  progress(progress: Progress): void {
    this.#progress = progress
    this.#plan()
  }

  transfer(transfer: TransferEvent): void {
    if (transfer.state === 'done' || transfer.state === 'failed') {
      this.#transfers.delete(transfer.id)
      this.#shown.delete(transfer.id)
      this.#send({ type: 'transfer', transfer })
    } else if (this.#shown.has(transfer.id)) {
      this.#transfers.set(transfer.id, transfer)
      this.#plan()
    } else {
      this.#shown.add(transfer.id)
      this.#send({ type: 'transfer', transfer })
    }
  }

  problem(problem: Parameters<RunEvents['problem']>[0]): void {
    this.#send({ type: 'problem', problem })
  }

  /** Sends what is held back. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#lastMs = this.#clock.monotonic()
    if (this.#progress) this.#send({ type: 'progress', progress: this.#progress })
    this.#progress = undefined
    for (const transfer of this.#transfers.values()) this.#send({ type: 'transfer', transfer })
    this.#transfers.clear()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #plan(): void {
    if (this.#timer) return
    const waitMs = this.#lastMs + intervalMs - this.#clock.monotonic()
    if (waitMs <= 0) this.flush()
    else this.#timer = setTimeout(() => { this.flush() }, waitMs)
  }
}
