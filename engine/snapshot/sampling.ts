import { hash } from 'node:crypto'

const dayMs = 24 * 3_600_000

/** Numbers from 0 up to, and without, 1. */
export type Chance = () => number

/** The same numbers for the same seed, for ever: a drill can be held again. Not for secrets. */
export function seededChance(seed: string): Chance {
  let block = 0
  let words: number[] = []
  return () => {
    if (words.length === 0) {
      const digest = hash('sha256', `${seed} ${String(block++)}`, 'buffer')
      words = [0, 4, 8, 12, 16, 20, 24, 28].map((at) => digest.readUInt32LE(at))
    }
    return (words.pop() ?? 0) / 2 ** 32
  }
}

/**
 * How likely a file is taken, against others: the longer nobody touched it, the longer damage stays unseen, and the larger it is, the more packs it
 * tries; both by the logarithm, so that small and new ones have their turn.
 */
export function sampleWeight(size: number, ageMs: number): number {
  return (1 + Math.log2(1 + size / 4096)) * (1 + Math.log2(1 + Math.max(0, ageMs) / dayMs))
}

interface Held<T> {
  readonly item: T
  readonly size: number
  readonly key: number
}

/**
 * A random sample by weight, in one pass and without replacement (Efraimidis and Spirakis, 2006). Holds a few times as many as wanted, so that there
 * are enough that fit into the bytes.
 */
export class WeightedSample<T> {
  readonly #chance: Chance
  readonly #most: number
  #held: Held<T>[] = []

  constructor(most: number, chance: Chance) {
    this.#most = most * 8
    this.#chance = chance
  }

  /** @param make called only where the item is taken for now */
  offer(size: number, weight: number, make: () => T): void {
    const key = Math.log(1 - this.#chance()) / weight
    const last = this.#held.at(-1)
    if (this.#held.length >= this.#most && last && key <= last.key) return
    const at = this.#held.findIndex((each) => each.key < key)
    this.#held.splice(at < 0 ? this.#held.length : at, 0, { item: make(), size, key })
    if (this.#held.length > this.#most) this.#held.pop()
  }

  /** Up to so many, of so many bytes together, the likeliest first. */
  take(most: number, mostBytes: number): T[] {
    const taken: T[] = []
    let bytes = 0
    for (const { item, size } of this.#held) {
      if (taken.length === most) break
      if (bytes + size > mostBytes) continue
      bytes += size
      taken.push(item)
    }
    return taken
  }
}

/** In random order. */
export function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const order = items.map((item) => ({ item, key: chance() })).sort((a, b) => a.key - b.key)
  return order.map(({ item }) => item)
}
