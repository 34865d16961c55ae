/** Tells a process so many ms of pause of an account, under the name that it has there. */
type Tell = (account: string, pauseMs: number) => void

interface User {
  readonly holder: string
  /** The account as its engine calls it. */
  readonly name: string
  readonly tell: Tell
}

/** A sync has two; an engine that names accounts without end is not believed. */
const mostOfOne = 8
/** Engines are patient for minutes, and end when a storage asks for more. */
const mostMs = 366 * 24 * 3_600_000

/**
 * Which accounts want to be left alone, and which engines speak to them: what a storage asks of one, all that use the account are told (A4), also those
 * that begin later. Each waits by itself, as long as its job has patience.
 */
export class AccountPauses {
  readonly #now: () => number
  readonly #users = new Map<string, User[]>()
  readonly #untilMs = new Map<string, number>()

  /** @param now ms since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  /** @param key the account's one name, `name` as this engine calls it. Told at once where there is a pause. */
  use(holder: string, key: string, name: string, tell: Tell): void {
    const users = this.#users.get(key) ?? []
    if (users.some((one) => one.holder === holder && one.name === name) || this.#countOf(holder) >= mostOfOne) return
    this.#users.set(key, [...users, { holder, name, tell }])
    const leftMs = (this.#untilMs.get(key) ?? 0) - this.#now()
    if (leftMs > 0) tell(name, leftMs)
  }

  /** The storage asked one who uses the account for so many ms; a stranger's word counts for nothing. */
  pause(holder: string, key: string, pauseMs: number): void {
    const nowMs = this.#now()
    const users = this.#users.get(key) ?? []
    const untilMs = nowMs + Math.min(pauseMs, mostMs)
    if (!users.some((one) => one.holder === holder) || untilMs <= (this.#untilMs.get(key) ?? 0)) return
    for (const [other, endMs] of this.#untilMs) if (endMs <= nowMs) this.#untilMs.delete(other)
    this.#untilMs.set(key, untilMs)
    for (const { name, tell } of users) tell(name, untilMs - nowMs)
  }

  /** The process of an engine has ended. */
  drop(holder: string): void {
    for (const [key, users] of this.#users) {
      const others = users.filter((one) => one.holder !== holder)
      if (others.length === 0) this.#users.delete(key)
      else this.#users.set(key, others)
    }
  }

  #countOf(holder: string): number {
    return [...this.#users.values()].flat().filter((one) => one.holder === holder).length
  }
}
