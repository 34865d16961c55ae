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

/** Of all accounts together: what a desktop and its router bear. */
const mostTransfers = 64

/**
 * Hands out leave for transfers, so that all engines together stay beneath an account's cap (A3), and beneath one for all accounts. Holders
 * in the foreground (restores) are served first; else whoever has the fewest, so that nobody starves and nothing is left unused. While
 * `yielding`, backups get no more than one transfer at a time for each account (B5).
 */
export class PermitBroker {
  readonly #most: number
  readonly #accounts = new Map<string, Account>()
  readonly #foreground = new Set<string>()
  #yielding = false

  /** @param most transfers of all accounts together. */
  constructor(most = mostTransfers) {
    this.#most = most
  }

  /** Whether this holder's requests go before others. */
  setForeground(holder: string, on: boolean): void {
    if (on) this.#foreground.add(holder)
    else this.#foreground.delete(holder)
  }

  setYielding(on: boolean): void {
    this.#yielding = on
    if (!on) this.#serve()
  }

  /** `grant` is called once, perhaps at once, unless the request is released or its holder dropped before. */
  request(holder: string, request: number, account: string, cap: number, grant: () => void): void {
    const found = this.#accounts.get(account) ?? { held: [], waiting: [] }
    this.#accounts.set(account, found)
    found.waiting.push({ holder, request, cap: Math.max(1, cap), grant })
    this.#serve()
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
    for (const account of this.#accounts.values()) {
      removeFrom(account.held, match)
      removeFrom(account.waiting, match)
    }
    this.#serve()
    for (const [name, { held, waiting }] of this.#accounts) if (held.length + waiting.length === 0) this.#accounts.delete(name)
  }

  #serve(): void {
    for (;;) {
      const next = this.#next()
      if (!next) return
      removeFrom(next.account.waiting, (one) => one === next.request)
      next.account.held.push(next.request)
      next.request.grant()
    }
  }

  #next(): { readonly account: Account; readonly request: Request } | undefined {
    const accounts = [...this.#accounts.values()]
    const held = accounts.flatMap((account) => account.held)
    if (held.length >= this.#most) return undefined
    const candidates = accounts.flatMap((account) => this.#candidates(account).map((request) => ({ account, request })))
    const first = candidates.find(({ request }) => this.#foreground.has(request.holder))
    if (first) return first
    const heldBy = (holder: string): number => held.filter((one) => one.holder === holder).length
    // Sorting keeps the order of arrival among equals.
    return candidates.map((one) => ({ ...one, has: heldBy(one.request.holder) })).sort((a, b) => a.has - b.has)[0]
  }

  /** Who of an account might be served now. Engines may disagree about the cap; the smallest that is in play counts. */
  #candidates({ held, waiting }: Account): readonly Request[] {
    const cap = Math.min(...held.map((one) => one.cap), ...waiting.map((one) => one.cap))
    if (held.length >= cap) return []
    const background = held.filter((one) => !this.#foreground.has(one.holder)).length
    if (!this.#yielding || background < backgroundWhileYielding) return waiting
    return waiting.filter((one) => this.#foreground.has(one.holder))
  }
}

function removeFrom<T>(list: T[], match: (item: T) => boolean): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at]
    if (item !== undefined && match(item)) list.splice(at, 1)
  }
}
