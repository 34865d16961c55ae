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

  /** The picture now. Ended lanes are shown once and then dropped. */
  take(): { readonly progress?: Progress; readonly transfers: readonly TransferEvent[] } {
    const transfers = [...this.#lanes.values()].sort((a, b) => a.id - b.id)
    for (const { id, state } of transfers) if (state === 'done' || state === 'failed') this.#lanes.delete(id)
    return { transfers, ...(this.#progress && { progress: this.#progress }) }
  }

  /** The process is gone: its lanes are, too. The progress stays until the next one reports. */
  clearLanes(): void {
    this.#lanes.clear()
  }
}
