import { PackSet } from './pack-set.ts'

/**
 * Rule R2 of the protocol: only packs of this session's listing that no retire record names may be built upon. Also remembers which
 * packs the run did build upon, which is the closure of its snapshot (a superset, by pack).
 */
export class PackUsage {
  readonly #listed = new PackSet()
  readonly #retired = new PackSet()
  readonly #used = new PackSet()
  /** Before any listing (restore, browse) every known pack is presumed to be there. */
  #restricted = false

  restrict(): void {
    this.#restricted = true
    this.#listed.clear()
  }

  list(number: number): void {
    this.#listed.add(number)
  }

  retire(number: number): void {
    this.#retired.add(number)
  }

  isListed(number: number): boolean {
    return this.#listed.has(number)
  }

  isUsable(number: number): boolean {
    return (!this.#restricted || this.#listed.has(number)) && !this.#retired.has(number)
  }

  use(number: number): void {
    this.#used.add(number)
  }

  get listedCount(): number {
    return this.#listed.size
  }

  used(): PackSet {
    return this.#used
  }
}
