import type { Route } from '../api/contract.ts'

export interface NavigationPorts {
  readonly show: () => void
  readonly loadAnew: () => void
  readonly push: (route: Route) => void
  readonly isLoaded: () => boolean
}

/** Leads the window to a page, also when the window has yet to open. */
export class Navigation {
  readonly #ports: NavigationPorts
  #pending: Route | undefined

  constructor(ports: NavigationPorts) {
    this.#ports = ports
  }

  go(route: Route): void {
    if (this.#ports.isLoaded()) this.#ports.push(route)
    else this.#pending = route
    this.#ports.show()
  }

  /** What the window shows is made anew first. */
  goAnew(route: Route): void {
    this.#ports.loadAnew()
    this.go(route)
  }

  onLoaded(): void {
    if (this.#pending) this.#ports.push(this.#pending)
    this.#pending = undefined
  }
}
