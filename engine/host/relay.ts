import type { RunEvents } from '../commands/context.ts'
import type { EngineEvent } from '../protocol/messages.ts'
import type { Problem, Progress, TransferEvent } from '../protocol/progress.ts'

/** A command's events on their way to the supervisor. The command's meter has thinned them out already (engine/progress). */
export class EventRelay implements RunEvents {
  readonly #send: (event: EngineEvent) => void

  constructor(send: (event: EngineEvent) => void) {
    this.#send = send
  }

  progress(progress: Progress): void {
    this.#send({ type: 'progress', progress })
  }

  transfer(transfer: TransferEvent): void {
    this.#send({ type: 'transfer', transfer })
  }

  problem(problem: Problem): void {
    this.#send({ type: 'problem', problem })
  }
}
