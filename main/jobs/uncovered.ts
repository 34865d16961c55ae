import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Destination, UncoveredFolder } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { sizeOf } from './measure.ts'
import type { JobStore } from './store.ts'

export interface UncoveredPorts {
  readonly store: Pick<JobStore, 'all' | 'copies'>
  /** The person's own folder. */
  readonly home: string
  readonly now: () => number
  readonly isDismissed: (key: string) => boolean
  readonly dismiss: (key: string) => void
  readonly onChange: () => void
}

/** More than are shown of a home that somebody uses in another way. */
const mostFolders = 100
/** Entries that are counted of one folder: enough to tell a large one, and soon over. */
const mostEntries = 20_000
const measuredForMs = 24 * 3_600_000

interface Size {
  readonly bytes: number
  readonly isMore: boolean
  readonly atMs: number
}

/** Knows the folders of the person's home that no job covers, and about how large they are. Looks by itself, one folder after the other, and reads no content. */
export class Uncovered {
  readonly #ports: UncoveredPorts
  readonly #sizes = new Map<string, Size>()
  #names: readonly string[] = []
  #looking = false

  constructor(ports: UncoveredPorts) {
    this.#ports = ports
  }

  /** The largest first. */
  get view(): readonly UncoveredFolder[] {
    const folders = this.#open().map((name): UncoveredFolder => {
      const size = this.#sizes.get(name)
      return { name, ...(size && { bytes: size.bytes, isMore: size.isMore }) }
    })
    return folders.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || (a.name < b.name ? -1 : 1))
  }

  /** Where one of them is. Errors: `not-found` for what is none of them. */
  path(name: string): string {
    return join(this.#ports.home, this.#known(name))
  }

  /** Somebody does not want to hear of one again. Errors: `not-found`. */
  fine(name: string): void {
    this.#ports.dismiss(keyOf(this.#known(name)))
    this.#ports.onChange()
  }

  /** Looks at what is there, and measures what was not measured lately. Calling it more often is harmless. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const names = await foldersIn(this.#ports.home)
      if (names.join('/') !== this.#names.join('/')) {
        this.#names = names
        for (const gone of [...this.#sizes.keys()].filter((name) => !names.includes(name))) this.#sizes.delete(gone)
        this.#ports.onChange()
      }
      for (const name of this.#open()) await this.#measure(name)
    } finally {
      this.#looking = false
    }
  }

  async #measure(name: string): Promise<void> {
    const { now, home, onChange } = this.#ports
    const before = this.#sizes.get(name)
    const age = now() - (before?.atMs ?? -Infinity)
    if (age >= 0 && age < measuredForMs) return
    const { bytes, isMore } = await sizeOf([join(home, name)], { most: mostEntries })
    this.#sizes.set(name, { bytes, isMore, atMs: now() })
    if (bytes !== before?.bytes) onChange()
  }

  #known(name: string): string {
    if (!this.#open().includes(name)) throw new MainError('not-found', 'This is no folder that is shown.')
    return name
  }

  #open(): readonly string[] {
    const { store, home, isDismissed } = this.#ports
    const sources = store.all.flatMap(({ config }) => config.sources)
    const places = [...store.all.map(({ config }) => config.destination), ...store.copies.all.map(({ destination }) => destination)]
    return uncoveredOf(this.#names, home, sources, places).filter((name) => !isDismissed(keyOf(name)))
  }
}

/**
 * Of the folders in a home, those that hold no source and are in none; and hold no backup, which would grow by itself. Pure.
 * @param names of the folders that are directly in it
 */
export function uncoveredOf(names: readonly string[], home: string, sources: readonly string[], places: readonly Destination[]): readonly string[] {
  const taken = [...sources, ...places.flatMap((place) => (place.type === 'folder' ? [place.path] : []))]
  return names.filter((name) => !taken.some((path) => isWithin(path, join(home, name)) || isWithin(join(home, name), path)))
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}

function keyOf(name: string): string {
  return `uncovered:${name}`
}

/** Real folders that are not hidden, by name. Empty where it cannot be read. */
async function foldersIn(home: string): Promise<readonly string[]> {
  const entries = await readdir(home, { withFileTypes: true }).catch(() => [])
  // A name that is no UTF-8 would name nothing, or something else.
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !entry.name.includes('\ufffd')).map(({ name }) => name)
  return names.sort().slice(0, mostFolders)
}
