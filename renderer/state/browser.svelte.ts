import type { Bridge, EntryView, PlaceRef, WireError } from './bridge.ts'
import { Pages } from './pages.svelte.ts'
import { joinPath } from './path.ts'

/** A folder on the way from the root to the one that is shown. */
export interface Step {
  readonly path: Uint8Array
  readonly shown: string
}

/** The way to the folder that a path is in. @param folder the same for people */
export function stepsTo(path: Uint8Array, folder: string): readonly Step[] {
  const slashes = [...path.keys()].filter((index) => path[index] === 0x2f)
  return folder === '' ? [] : folder.split('/').map((shown, index) => ({ path: path.slice(0, slashes[index]), shown }))
}

const pageSize = 200
const root = new Uint8Array()

/** One folder of a snapshot at a time, a page at a time. An answer for a folder that was left is ignored. */
export class Browser {
  readonly #entries: Pages<EntryView>
  #steps = $state.raw<readonly Step[]>([])

  constructor(bridge: Bridge, place: PlaceRef, snapshot: string) {
    this.#entries = new Pages(async (last) => {
      const reply = await bridge.invoke('browse.list', { place, snapshot, path: this.path, limit: pageSize, ...(last && { after: last.name }) })
      return reply.ok ? { ok: true, value: { items: reply.value.entries, more: reply.value.more } } : reply
    })
  }

  /** From the first folder below the root to the one that is shown. */
  get steps(): readonly Step[] {
    return this.#steps
  }

  get path(): Uint8Array {
    return this.#steps.at(-1)?.path ?? root
  }

  get entries(): readonly EntryView[] {
    return this.#entries.items ?? []
  }

  get more(): boolean {
    return this.#entries.more
  }

  get busy(): boolean {
    return this.#entries.busy
  }

  get error(): WireError | undefined {
    return this.#entries.error
  }

  async enter(entry: EntryView): Promise<void> {
    await this.#show([...this.#steps, { path: joinPath(this.path, entry.name), shown: entry.shown }])
  }

  /** Goes up so that `depth` steps remain; 0 is the root, which is also the way to begin. */
  async goUp(depth: number): Promise<void> {
    await this.#show(this.#steps.slice(0, depth))
  }

  /** Shows the folder at the end of these steps. */
  async goTo(steps: readonly Step[]): Promise<void> {
    await this.#show(steps)
  }

  /** Asks for the next page; does nothing while one is under way or when all is there. */
  async loadMore(): Promise<void> {
    await this.#entries.loadMore()
  }

  async retry(): Promise<void> {
    await this.#entries.retry()
  }

  async #show(steps: readonly Step[]): Promise<void> {
    this.#steps = steps
    this.#entries.clear()
    await this.#entries.restart()
  }
}
