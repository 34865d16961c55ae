import { SvelteSet } from 'svelte/reactivity'
import type { Bridge, LogFilter, LogPage, LogPosition, LogRow, Reply, WireError } from './bridge.ts'

const pageSize = 200
/** A pause in typing of this long asks. */
const pauseMs = 250
/** How often it is asked for new lines while the page is looked at. */
const tailMs = 1500
/** So many are shown at most; whoever wants older ones narrows what is looked for. */
const mostRows = 3000
/** So many can be copied at once. */
export const mostCopied = 1000

/** The lines of the log that are looked for: a page of them, more on demand, new ones as they come. Of several filters the last one counts. */
export class LogView {
  readonly #bridge: Bridge
  #rows = $state.raw<readonly LogRow[]>([])
  #older = $state<LogPosition>()
  #busy = $state(true)
  #error = $state.raw<WireError>()
  #newest: LogPosition | undefined
  #filter: LogFilter = {}
  #turn = 0
  #asking: ReturnType<typeof setTimeout> | undefined
  #tailing: ReturnType<typeof setInterval> | undefined

  constructor(bridge: Bridge) {
    this.#bridge = bridge
  }

  get rows(): readonly LogRow[] {
    return this.#rows
  }

  get hasOlder(): boolean {
    return this.#older !== undefined
  }

  /** As many as can be shown are. */
  get isFull(): boolean {
    return this.#rows.length >= mostRows
  }

  get busy(): boolean {
    return this.#busy
  }

  get error(): WireError | undefined {
    return this.#error
  }

  /** Looks for this from now on. @param typed still being typed: asks after a pause */
  look(filter: LogFilter, typed = false): void {
    clearTimeout(this.#asking)
    this.#filter = filter
    this.#turn += 1
    this.#busy = true
    if (typed) this.#asking = setTimeout(() => void this.#begin(), pauseMs)
    else void this.#begin()
  }

  retry(): void {
    this.look(this.#filter)
  }

  async loadOlder(): Promise<void> {
    if (this.#busy || this.#older === undefined) return
    this.#busy = true
    await this.#fill(this.#turn, this.#older)
  }

  /** New lines come by themselves. Returns what ends that. */
  follow(): () => void {
    this.#tailing = setInterval(() => void this.#tail(), tailMs)
    return () => { clearInterval(this.#tailing) }
  }

  /** Nothing is asked any more. */
  stop(): void {
    this.#turn += 1
    clearTimeout(this.#asking)
    clearInterval(this.#tailing)
  }

  async #begin(): Promise<void> {
    const turn = this.#turn
    this.#error = undefined
    const reply = await this.#bridge.invoke('logs.page', { filter: this.#filter, limit: pageSize })
    if (turn !== this.#turn) return
    if (!reply.ok) {
      this.#fail(reply.error)
      return
    }
    this.#replace(reply.value)
    if (reply.value.rows.length < pageSize && this.#older !== undefined) await this.#fill(turn, this.#older)
    else this.#busy = false
  }

  /** Main looks through a piece at a time: on, until a page is full or nothing is left. */
  async #fill(turn: number, from: LogPosition): Promise<void> {
    let before: LogPosition | undefined = from
    for (let found = 0; found < pageSize && before !== undefined;) {
      const reply: Reply<LogPage> = await this.#bridge.invoke('logs.page', { filter: this.#filter, limit: pageSize - found, before })
      if (turn !== this.#turn) return
      if (!reply.ok) {
        this.#fail(reply.error)
        return
      }
      found += reply.value.rows.length
      before = reply.value.older
      this.#rows = [...this.#rows, ...reply.value.rows]
      this.#older = before
    }
    this.#busy = false
  }

  async #tail(): Promise<void> {
    if (this.#busy || this.#error || document.visibilityState !== 'visible') return
    const turn = this.#turn
    const reply = await this.#bridge.invoke('logs.page', { filter: this.#filter, limit: pageSize, ...(this.#newest !== undefined && { after: this.#newest }) })
    // What fails here is asked for again soon.
    if (turn !== this.#turn || this.#busy || !reply.ok) return
    if (reply.value.missed) {
      this.#replace(reply.value)
      return
    }
    this.#newest = reply.value.newest ?? this.#newest
    if (reply.value.rows.length === 0) return
    const all = [...reply.value.rows, ...this.#rows]
    this.#rows = all.slice(0, mostRows)
    if (all.length > mostRows) this.#older = this.#rows.at(-1)?.at
  }

  #replace({ rows, older, newest }: LogPage): void {
    this.#rows = rows
    this.#older = older
    this.#newest = newest
  }

  #fail(error: WireError): void {
    this.#error = error
    this.#busy = false
  }
}

/** Which rows are chosen, and at which one the keyboard is. */
export class RowChoice {
  readonly #chosen = new SvelteSet<LogPosition>()
  #at = $state<LogPosition>()
  #anchor: LogPosition | undefined

  /** Where the keyboard is. */
  get at(): LogPosition | undefined {
    return this.#at
  }

  has(row: LogRow): boolean {
    return this.#chosen.has(row.at)
  }

  /** Of these rows, the chosen ones, in their order. */
  of(rows: readonly LogRow[]): readonly LogPosition[] {
    return rows.filter((row) => this.#chosen.has(row.at)).map(({ at }) => at)
  }

  /** `reach`: with all from the one that was chosen before; `toggle`: beside what is chosen. */
  choose(rows: readonly LogRow[], row: LogRow, how?: 'reach' | 'toggle'): void {
    this.#at = row.at
    if (how === 'toggle') {
      this.#anchor = row.at
      if (!this.#chosen.delete(row.at)) this.#chosen.add(row.at)
      return
    }
    const from = how === 'reach' ? rows.findIndex(({ at }) => at === this.#anchor) : -1
    const to = rows.indexOf(row)
    if (from < 0) this.#anchor = row.at
    this.#chosen.clear()
    for (const { at } of from < 0 ? [row] : rows.slice(Math.min(from, to), Math.max(from, to) + 1)) this.#chosen.add(at)
  }

  /** Moves the keyboard by so many rows, and chooses where it comes to. */
  move(rows: readonly LogRow[], by: number, reach: boolean): void {
    const from = rows.findIndex(({ at }) => at === this.#at)
    const row = rows[Math.max(0, Math.min(rows.length - 1, from < 0 ? 0 : from + by))]
    if (row) this.choose(rows, row, reach ? 'reach' : undefined)
  }

  all(rows: readonly LogRow[]): void {
    for (const { at } of rows.slice(0, mostCopied)) this.#chosen.add(at)
  }

  clear(): void {
    this.#chosen.clear()
  }
}
