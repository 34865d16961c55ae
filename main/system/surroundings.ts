import type { Surroundings } from '../api/contract.ts'
import type { NetworkFacts } from './network.ts'
import type { PowerFacts } from './power.ts'

export interface SurroundingsPorts {
  readonly power: () => Promise<PowerFacts>
  readonly network: () => Promise<NetworkFacts>
  /** Whether nobody uses the computer; undefined where that cannot be told. */
  readonly idle: () => boolean | undefined
}

/** What this computer says of itself, as of the last look. */
export class SurroundingsWatch {
  readonly #ports: SurroundingsPorts
  #value: Surroundings = {}
  #looking: Promise<void> | undefined

  constructor(ports: SurroundingsPorts) {
    this.#ports = ports
  }

  get value(): Surroundings {
    return this.#value
  }

  /** Takes some seconds at most; while one look goes on, another is the same one. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => { this.#looking = undefined })
    return this.#looking
  }

  async #look(): Promise<void> {
    const [power, network] = await Promise.all([this.#ports.power(), this.#ports.network()])
    const idle = this.#ports.idle()
    this.#value = { ...power, ...network, ...(idle !== undefined && { idle }) }
  }
}
