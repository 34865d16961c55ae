import type { Bridge, EntryView, WireError } from './bridge.ts'
import { joinPath } from './path.ts'

/** A folder on the way from the root to the one that is shown. */
export interface Step {
  readonly path: Uint8Array
  readonly shown: string
}

const pageSize = 200
const root = new Uint8Array()

/** One folder of a snapshot at a time, a page at a time. An answer for a folder that was left is ignored. */
export class Browser {
  readonly #bridge: Bridge
  readonly jobId: string
  readonly snapshot: string
  #steps = $state.raw<readonly Step[]>([])
  #entries = $state.raw<readonly EntryView[]>([])
  #more = $state(false)
  #busy = $state(false)
  #error = $state.raw<WireError>()
  #turn = 0

  constructor(bridge: Bridge, jobId: string, snapshot: string) {
    this.#bridge = bridge
    this.jobId = jobId
    this.snapshot = snapshot
  }

  /** From the first folder below the root to the one that is shown. */
  get steps(): readonly Step[] {
    return this.#steps
  }

  get path(): Uint8Array {
    return this.#steps.at(-1)?.path ?? root
  }

  get entries(): readonly EntryView[] {
    return this.#entries
  }

  get more(): boolean {
    return this.#more
  }

  get busy(): boolean {
    return this.#busy
  }

  get error(): WireError | undefined {
    return this.#error
  }

  async enter(entry: EntryView): Promise<void> {
    await this.#show([...this.#steps, { path: joinPath(this.path, entry.name), shown: entry.shown }])
  }

  /** Goes up so that `depth` steps remain; 0 is the root, which is also the way to begin. */
  async goUp(depth: number): Promise<void> {
    await this.#show(this.#steps.slice(0, depth))
  }

  /** Asks for the next page; does nothing while one is under way or when all is there. */
  async loadMore(): Promise<void> {
    if (this.#busy || !this.#more) return
    await this.#load(this.#entries)
  }

  async retry(): Promise<void> {
    await this.#load(this.#entries)
  }

  async #show(steps: readonly Step[]): Promise<void> {
    this.#steps = steps
    this.#entries = []
    this.#more = false
    await this.#load([])
  }

  async #load(before: readonly EntryView[]): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    this.#busy = true
    this.#error = undefined
    const after = before.at(-1)?.name
    const reply = await this.#bridge.invoke('browse.list', {
      jobId: this.jobId,
      snapshot: this.snapshot,
      path: this.path,
      limit: pageSize,
      ...(after && { after }),
    })
    if (turn !== this.#turn) return
    this.#busy = false
    if (!reply.ok) {
      this.#error = reply.error
      return
    }
    this.#entries = [...before, ...reply.value.entries]
    this.#more = reply.value.more
  }
}
