import type { Timers } from '../system/timers.ts'

export interface PublisherPorts {
  readonly timers: Timers
  readonly sendApp: () => void
  readonly sendLive: () => void
}

/** Several changes of one moment are one push. */
const appDelayMs = 20
/** Engines tell four times a second, each at a moment of its own: what several say together is one push, and nothing is held back longer. */
const liveDelayMs = 50

/** Turns changes into pushes, soon; both always end with the newest. */
export class Publisher {
  readonly #ports: PublisherPorts
  #appPlanned = false
  #livePlanned = false

  constructor(ports: PublisherPorts) {
    this.#ports = ports
  }

  appChanged(): void {
    if (this.#appPlanned) return
    this.#appPlanned = true
    this.#ports.timers.after(appDelayMs, () => {
      this.#appPlanned = false
      this.#ports.sendApp()
    })
  }

  liveChanged(): void {
    if (this.#livePlanned) return
    this.#livePlanned = true
    this.#ports.timers.after(liveDelayMs, () => {
      this.#livePlanned = false
      this.#ports.sendLive()
    })
  }
}
