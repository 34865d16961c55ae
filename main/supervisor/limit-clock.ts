import type { Limits } from '../../engine/protocol/messages.ts'

export interface LimitClockPorts {
  /** The limits that hold now. */
  readonly limits: () => Limits
  readonly setLimits: (limits: Limits) => void
}

/** Lets limits that depend on the time take effect when it has come. */
export class LimitClock {
  readonly #ports: LimitClockPorts
  #set: Limits | undefined

  constructor(ports: LimitClockPorts) {
    this.#ports = ports
  }

  /** Called once in a while, and when the settings changed: engines hear only of what differs. */
  tick(): void {
    const limits = this.#ports.limits()
    const before = this.#set
    if (before && before.uploadBytesPerSecond === limits.uploadBytesPerSecond && before.downloadBytesPerSecond === limits.downloadBytesPerSecond) return
    this.#set = limits
    this.#ports.setLimits(limits)
  }
}
