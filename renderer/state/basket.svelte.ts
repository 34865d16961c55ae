import { placeKey } from './place.ts'
import { isBelow, pathKey } from './path.ts'
import type { EntryView, PlaceRef, RestorePart } from './bridge.ts'

/** A file or folder of a snapshot that somebody wants back. */
export interface BasketItem {
  readonly snapshot: string
  /** When the snapshot was finished, ms since 1970. */
  readonly finishedMs: number
  /** Exact bytes; the same for people: its name, and the folder that it is in. */
  readonly path: Uint8Array
  readonly shown: string
  readonly folder: string
  /** As far as it is known. */
  readonly type?: EntryView['type']
  readonly size?: number
  readonly mtimeMs?: number
  /** What was let go inside of it. */
  readonly except: readonly Uint8Array[]
}

/** More are no list that anybody reads; whole folders are better chosen. */
export const mostItems = 500

/** Files and folders of one repository, of any of its snapshots, to be restored in one go. */
export class Basket {
  #items = $state.raw<readonly BasketItem[]>([])

  get items(): readonly BasketItem[] {
    return this.#items
  }

  /** Adds what is not there yet; what is there takes what is new of it. @returns how many found no room */
  add(items: readonly BasketItem[]): number {
    const keys = items.map(keyOf)
    const others = this.#items.filter((item) => !keys.includes(keyOf(item)))
    const added = items.slice(0, Math.max(0, mostItems - others.length))
    this.#items = [...others, ...added]
    return items.length - added.length
  }

  remove(item: BasketItem): void {
    this.#items = this.#items.filter((one) => one !== item)
  }

  clear(): void {
    this.#items = []
  }

  /** By snapshot, in the order in which they came. */
  get parts(): readonly RestorePart[] {
    const snapshots = this.#items.map(({ snapshot }) => snapshot)
    return snapshots.filter((snapshot, index) => snapshots.indexOf(snapshot) === index).map((snapshot) => {
      const items = this.#items.filter((item) => item.snapshot === snapshot)
      const chosen = items.map(({ path }) => pathKey(path))
      return { snapshot, paths: items.map(({ path }) => path), except: items.flatMap(({ except }) => except).filter((one) => !chosen.includes(pathKey(one))) }
    })
  }

  /** Of an item another one is a version, or has one in it: they cannot both have its name. */
  hasVersions(item: BasketItem): boolean {
    const key = pathKey(item.path)
    return this.#items.some((one) => one.snapshot !== item.snapshot && (pathKey(one.path) === key || isBelow(pathKey(one.path), key) || isBelow(key, pathKey(one.path))))
  }
}

export function keyOf({ snapshot, path }: Pick<BasketItem, 'snapshot' | 'path'>): string {
  return `${snapshot}\n${pathKey(path)}`
}

/** One for each place, as long as the window is open. */
export class Baskets {
  readonly #baskets: Partial<Record<string, Basket>> = {}

  of(place: PlaceRef): Basket {
    return (this.#baskets[placeKey(place)] ??= new Basket())
  }
}
