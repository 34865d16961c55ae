import { SvelteMap } from 'svelte/reactivity'
import { isBelow, pathBytes, type PathKey } from './path.ts'

/** `partly`: some of what is inside is chosen and some is not. */
export type Choice = 'chosen' | 'partly' | 'none'

/**
 * Which paths of a snapshot are to be restored. A chosen folder stands for all that is inside, also where that was never listed;
 * what is then let go inside it is remembered as an exception, however large the folder is. The longest path that says something decides.
 */
export class Selection {
  /** True: chosen; false: let go inside of something chosen. None says the same as the one above it. */
  readonly #marks = new SvelteMap<PathKey, boolean>()

  /** How many paths are chosen. */
  get size(): number {
    return this.paths.length
  }

  /** Exact bytes of the chosen paths. */
  get paths(): readonly Uint8Array[] {
    return this.#marked(true)
  }

  /** Exact bytes of what is left out of them. */
  get except(): readonly Uint8Array[] {
    return this.#marked(false)
  }

  of(path: PathKey): Choice {
    const chosen = this.#marks.get(path) ?? this.#inherited(path)
    for (const [one, mark] of this.#marks) if (mark !== chosen && isBelow(one, path)) return 'partly'
    return chosen ? 'chosen' : 'none'
  }

  /** Lets go what is wholly chosen; chooses all else, with everything inside. */
  toggle(path: PathKey): void {
    const chosen = this.of(path) !== 'chosen'
    for (const one of [...this.#marks.keys()]) if (one === path || isBelow(one, path)) this.#marks.delete(one)
    if (this.#inherited(path) !== chosen) this.#marks.set(path, chosen)
  }

  clear(): void {
    this.#marks.clear()
  }

  /** What the folders above say. */
  #inherited(path: PathKey): boolean {
    let nearest = ''
    let chosen = false
    for (const [one, mark] of this.#marks) {
      if (!isBelow(path, one) || one.length < nearest.length) continue
      nearest = one
      chosen = mark
    }
    return chosen
  }

  #marked(as: boolean): readonly Uint8Array[] {
    return [...this.#marks].filter(([, mark]) => mark === as).map(([path]) => path).sort().map(pathBytes)
  }
}
