import type { PauseExchange } from '../backend/flow/storage-pause.ts'
import type { EngineEvent } from '../protocol/messages.ts'

/** Tells the supervisor, and hears from it, which accounts want to be left alone, so that all running jobs wait together (requirement A4). */
export class SupervisorPauses {
  readonly #send: (event: EngineEvent) => void
  readonly #listeners = new Map<string, Set<(pauseMs: number) => void>>()

  constructor(send: (event: EngineEvent) => void) {
    this.#send = send
  }

  /** The supervisor heard it of another engine. */
  heard(account: string, pauseMs: number): void {
    for (const listener of this.#listeners.get(account) ?? []) listener(pauseMs)
  }

  forAccount(account: string): PauseExchange {
    return {
      tell: (pauseMs) => { this.#send({ type: 'account-pause', account, pauseMs: Math.ceil(pauseMs) }) },
      follow: (listener) => {
        const listeners = this.#listeners.get(account) ?? new Set()
        this.#listeners.set(account, listeners.add(listener))
        this.#send({ type: 'account-use', account })
        return () => { listeners.delete(listener) }
      },
    }
  }
}
