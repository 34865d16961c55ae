import type { Timers } from '../system/timers.ts'

export interface PublisherPorts {
  readonly timers: Timers
  readonly sendApp: () => void
  readonly sendLive: () => void
}

/** Several changes of one moment are one push. */
const appDelayMs = 20
/** At most four pictures a second. */
const liveIntervalMs = 250

/** Turns changes into pushes: the state soon, progress at a steady pace; both always end with the newest. */
export class Publisher {
  readonly #ports: PublisherPorts
  #appPlanned = false
  #livePlanned = false
  #lastLiveMs = -Infinity

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
    const waitMs = Math.max(0, this.#lastLiveMs + liveIntervalMs - this.#ports.timers.now())
    this.#ports.timers.after(Math.min(waitMs, liveIntervalMs), () => {
      this.#livePlanned = false
      this.#lastLiveMs = this.#ports.timers.now()
      this.#ports.sendLive()
    })
  }
}
