interface Request {
  readonly holder: string
  readonly request: number
  readonly cap: number
  readonly grant: () => void
}

interface Account {
  readonly held: Request[]
  /** In the order of arrival. */
  readonly waiting: Request[]
}

/** Transfers at a time that backups keep on an account while they yield to a restore. */
const backgroundWhileYielding = 1

/**
 * Hands out leave for transfers, so that all engines together stay beneath an account's cap (A3). Holders in the foreground
 * (restores) are served first; while `yielding`, backups get no more than one transfer at a time for each account (B5).
 */
export class PermitBroker {
  readonly #accounts = new Map<string, Account>()
  readonly #foreground = new Set<string>()
  #yielding = false

  /** Whether this holder's requests go before others. */
  setForeground(holder: string, on: boolean): void {
    if (on) this.#foreground.add(holder)
    else this.#foreground.delete(holder)
  }

  setYielding(on: boolean): void {
    this.#yielding = on
    if (!on) for (const account of this.#accounts.values()) this.#serve(account)
  }

  /** `grant` is called once, perhaps at once, unless the request is released or its holder dropped before. */
  request(holder: string, request: number, account: string, cap: number, grant: () => void): void {
    const found = this.#accounts.get(account) ?? { held: [], waiting: [] }
    this.#accounts.set(account, found)
    found.waiting.push({ holder, request, cap: Math.max(1, cap), grant })
    this.#serve(found)
  }

  /** Gives a permit back or withdraws a request that still waits. An unknown one is ignored. */
  release(holder: string, request: number): void {
    this.#remove((one) => one.holder === holder && one.request === request)
  }

  /** Everything that an engine holds or waits for is free: it has ended. */
  drop(holder: string): void {
    this.#remove((one) => one.holder === holder)
  }

  /** How many transfers to `account` go on. */
  held(account: string): number {
    return this.#accounts.get(account)?.held.length ?? 0
  }

  #remove(match: (request: Request) => boolean): void {
    for (const [name, account] of this.#accounts) {
      removeFrom(account.held, match)
      removeFrom(account.waiting, match)
      this.#serve(account)
      if (account.held.length === 0 && account.waiting.length === 0) this.#accounts.delete(name)
    }
  }

  #serve(account: Account): void {
    for (;;) {
      const next = this.#next(account)
      if (!next) return
      removeFrom(account.waiting, (one) => one === next)
      account.held.push(next)
      next.grant()
    }
  }

  /** Engines may disagree about the cap; the smallest that is in play counts. */
  #next(account: Account): Request | undefined {
    const cap = Math.min(...account.held.map((one) => one.cap), ...account.waiting.map((one) => one.cap))
    if (account.held.length >= cap) return undefined
    const first = account.waiting.find((one) => this.#foreground.has(one.holder))
    if (first) return first
    const background = account.held.filter((one) => !this.#foreground.has(one.holder)).length
    if (this.#yielding && background >= backgroundWhileYielding) return undefined
    return account.waiting[0]
  }
}

function removeFrom<T>(list: T[], match: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at]
    if (item !== undefined && match(item)) list.splice(at, 1)
  }
}
