import { SvelteSet } from 'svelte/reactivity'
import { isBelow, pathBytes, type PathKey } from './path.ts'

/** `covered`: a folder above it is chosen, and with it everything inside. */
export type Choice = 'chosen' | 'covered' | 'partly' | 'none'

/** Which paths of a snapshot are to be restored: the topmost ones only, since a folder covers what is inside. */
export class Selection {
  readonly #paths = new SvelteSet<PathKey>()

  get size(): number {
    return this.#paths.size
  }

  /** Exact bytes of the chosen paths. */
  get paths(): readonly Uint8Array[] {
    return [...this.#paths].sort().map(pathBytes)
  }

  of(path: PathKey): Choice {
    if (this.#paths.has(path)) return 'chosen'
    let choice: Choice = 'none'
    for (const one of this.#paths) {
      if (isBelow(path, one)) return 'covered'
      if (isBelow(one, path)) choice = 'partly'
    }
    return choice
  }

  /** Chooses a path, and with it drops what was chosen inside it; or lets it go. What is covered stays covered. */
  toggle(path: PathKey): void {
    switch (this.of(path)) {
      case 'covered':
        return
      case 'chosen':
        this.#paths.delete(path)
        return
      case 'partly':
      case 'none':
        for (const one of [...this.#paths]) if (isBelow(one, path)) this.#paths.delete(one)
        this.#paths.add(path)
    }
  }

  clear(): void {
    this.#paths.clear()
  }
}
