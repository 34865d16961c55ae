import type { Bridge, FoundEntry, PlaceRef, Response, WireError } from './bridge.ts'
import { Loader } from './loader.svelte.ts'

const pageSize = 100
/** A pause in typing of this long asks. */
const pauseMs = 200
/** While snapshots are read for the first time the same is asked again. */
const againMs = 2000
const longestText = 256
/** More are not asked for at once. */
const mostEntries = 1000

/** What is found of a text that somebody types. Of several texts the last one counts. */
export class NameSearch {
  readonly #bridge: Bridge
  readonly #place: PlaceRef
  readonly #answer = new Loader<Response<'browse.search'>>()
  #text = $state('')
  #more = $state.raw<readonly FoundEntry[]>([])
  #next = $state<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = ''

  constructor(bridge: Bridge, place: PlaceRef) {
    this.#bridge = bridge
    this.#place = place
  }

  get text(): string {
    return this.#text
  }

  set text(text: string) {
    this.#text = text.slice(0, longestText)
    clearTimeout(this.#timer)
    if (!this.isOn) this.stop()
    else this.#timer = setTimeout(() => void this.#ask(), pauseMs)
  }

  get isOn(): boolean {
    return this.#text.trim() !== ''
  }

  get entries(): readonly FoundEntry[] | undefined {
    const first = this.#answer.value?.entries
    return first && [...first, ...this.#more]
  }

  get coverage(): Response<'browse.search'>['coverage'] | undefined {
    return this.#answer.value?.coverage
  }

  get hasMore(): boolean {
    return this.#next !== undefined
  }

  get busy(): boolean {
    return this.#answer.busy
  }

  get error(): WireError | undefined {
    return this.#answer.error
  }

  async retry(): Promise<void> {
    await this.#ask()
  }

  async loadMore(): Promise<void> {
    const after = this.#next
    const first = this.#answer.value
    if (after === undefined || this.busy) return
    const reply = await this.#bridge.invoke('browse.search', { place: this.#place, text: this.#text, after, limit: pageSize })
    // Another answer has come meanwhile.
    if (!reply.ok || this.#answer.value !== first || this.#next !== after) return
    this.#more = [...this.#more, ...reply.value.entries]
    this.#next = reply.value.next
  }

  /** Nothing is asked any more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#answer.clear()
    this.#more = []
    this.#next = undefined
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    const text = this.#text
    // The same once more: what was there stays there.
    const limit = text === this.#asked ? Math.min(mostEntries, pageSize + this.#more.length) : pageSize
    this.#asked = text
    const found = await this.#answer.load(() => this.#bridge.invoke('browse.search', { place: this.#place, text, limit }))
    if (!found) return
    this.#more = []
    this.#next = found.next
    if (found.coverage.filling) this.#timer = setTimeout(() => void this.#ask(), againMs)
  }
}
