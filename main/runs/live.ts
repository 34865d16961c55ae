import type { EngineEvent } from '../../engine/protocol/messages.ts'
import type { Progress, TransferEvent } from '../../engine/protocol/progress.ts'

/** What is seen of a run while it goes on: its newest progress and its lanes. */
export class LiveProgress {
  #progress: Progress | undefined
  readonly #lanes = new Map<number, TransferEvent>()

  /** True when there is something new to show. */
  receive(event: EngineEvent): boolean {
    if (event.type === 'progress') this.#progress = event.progress
    else if (event.type === 'transfer') this.#lanes.set(event.transfer.id, event.transfer)
    else return false
    return true
  }

  /** The picture now, lanes in the order in which they began. */
  get picture(): { readonly progress?: Progress; readonly transfers: readonly TransferEvent[] } {
    const transfers = [...this.#lanes.values()].sort((a, b) => a.id - b.id)
    return { transfers, ...(this.#progress && { progress: this.#progress }) }
  }

  /** The picture was shown: lanes that ended need not be shown again. */
  dropEnded(): void {
    for (const { id, state } of this.#lanes.values()) if (state === 'done' || state === 'failed') this.#lanes.delete(id)
  }

  /** The process is gone: its lanes are, too. The progress stays until the next one reports. */
  clearLanes(): void {
    this.#lanes.clear()
  }
}
