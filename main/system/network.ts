import dbus, { type MessageBus } from '@particle/dbus-next'
import * as v from 'valibot'

export interface NetworkFacts {
  /** Data costs here. */
  readonly metered?: boolean
  /** Names of the connections that are up, as the desktop shows them; for a Wi-Fi mostly its name. */
  readonly networks?: readonly string[]
}

const manager = 'org.freedesktop.NetworkManager'
const managerPath = '/org/freedesktop/NetworkManager'
const timeoutMs = 3_000
/** Where there is no system bus, or nobody answers, it is asked again after this time. */
const againMs = 5 * 60_000
const mostNetworks = 32

const reply = v.tuple([v.object({ value: v.unknown() })])
const paths = v.array(v.string())

/** Asks NetworkManager over the system bus. Where it is not there nothing is known. */
export class Networks {
  readonly #now: () => number
  #bus: MessageBus | undefined
  /** Ends the look that goes on, as its bus broke off. */
  #giveUp: (error: Error) => void = () => undefined
  #restMs = -Infinity

  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes at most three seconds; never rejects. */
  async look(): Promise<NetworkFacts> {
    if (this.#now() < this.#restMs && this.#restMs - this.#now() <= againMs) return {}
    try {
      return await this.#within(this.#facts())
    } catch {
      this.close()
      this.#restMs = this.#now() + againMs
      return {}
    }
  }

  close(): void {
    const bus = this.#bus
    this.#bus = undefined
    bus?.disconnect()
  }

  async #facts(): Promise<NetworkFacts> {
    const bus = this.#open()
    const [metered, active] = await Promise.all([this.#property(bus, managerPath, manager, 'Metered'), this.#property(bus, managerPath, manager, 'ActiveConnections')])
    const found = v.parse(paths, active).slice(0, mostNetworks)
    const networks = await Promise.all(found.map((path) => this.#property(bus, path, `${manager}.Connection.Active`, 'Id')))
    // 1: yes, 2: no, 3 and 4: so it guesses, 0: unknown.
    return { ...(metered === 1 || metered === 3 ? { metered: true } : metered === 2 || metered === 4 ? { metered: false } : {}), networks: networks.filter((one) => typeof one === 'string' && one !== 'lo').map(String) }
  }

  #open(): MessageBus {
    if (this.#bus) return this.#bus
    const bus = dbus.systemBus()
    bus.on('error', (error: Error) => {
      if (this.#bus === bus) this.#bus = undefined
      this.#giveUp(error)
    })
    this.#bus = bus
    return bus
  }

  async #property(bus: MessageBus, path: string, owner: string, name: string): Promise<unknown> {
    const answer = await bus.call(new dbus.Message({ destination: manager, path, interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss', body: [owner, name], flags: dbus.MessageFlag.NO_AUTO_START }))
    return v.parse(reply, answer?.body)[0].value
  }

  /** Calls on a bus that broke off are never answered. */
  #within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      const timer = setTimeout(() => { reject(new Error('NetworkManager does not answer')) }, timeoutMs)
      work.then(resolve, reject).finally(() => { clearTimeout(timer) })
    })
  }
}
