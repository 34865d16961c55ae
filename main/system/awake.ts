/** More wall time than running time between two looks: the computer slept in between. */
const sleptMs = 60_000

export interface AwakePorts {
  /** Wall time, ms since 1970. */
  readonly now: () => number
  /** Time in which this computer ran, in ms from any point on: it stands still during sleep where the system lets it. */
  readonly uptimeMs: () => number
}

/**
 * Since when this computer is awake, as far as this app knows: since it started, or since the last wake-up. Desktops do not all tell of a wake-up, and some
 * only after the first timers have fired: so it is seen by the clocks, too.
 */
export class Awake {
  readonly #ports: AwakePorts
  #sinceMs: number
  #last: { readonly now: number; readonly uptime: number }

  constructor(ports: AwakePorts) {
    this.#ports = ports
    this.#sinceMs = ports.now()
    this.#last = { now: ports.now(), uptime: ports.uptimeMs() }
  }

  get sinceMs(): number {
    return this.#sinceMs
  }

  /** The desktop tells that the computer has woken up. */
  woke(): void {
    this.#sinceMs = this.#ports.now()
    this.look()
  }

  /** Called once in a while, before anything is decided by the time. */
  look(): void {
    const [now, uptime] = [this.#ports.now(), this.#ports.uptimeMs()]
    if (now - this.#last.now - (uptime - this.#last.uptime) > sleptMs) this.#sinceMs = now
    this.#last = { now, uptime }
  }
}
