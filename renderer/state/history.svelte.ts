import type { Bridge, RunView, WireError } from './bridge.ts'

const pageSize = 20

/** The runs of one job, newest first, a page at a time. */
export class History {
  readonly #bridge: Bridge
  readonly #jobId: string
  #runs = $state.raw<readonly RunView[]>()
  #more = $state(false)
  #busy = $state(false)
  #error = $state.raw<WireError>()
  #turn = 0

  constructor(bridge: Bridge, jobId: string) {
    this.#bridge = bridge
    this.#jobId = jobId
  }

  /** Absent until the first answer. */
  get runs(): readonly RunView[] | undefined {
    return this.#runs
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

  /** Begins again at the newest; what is shown stays until the answer. */
  async refresh(): Promise<void> {
    await this.#load([])
  }

  async loadMore(): Promise<void> {
    if (!this.#busy && this.#more) await this.#load(this.#runs ?? [])
  }

  async #load(before: readonly RunView[]): Promise<void> {
    this.#turn += 1
    const turn = this.#turn
    this.#busy = true
    this.#error = undefined
    const last = before.at(-1)?.id
    const reply = await this.#bridge.invoke('history.runs', { jobId: this.#jobId, limit: pageSize, ...(last !== undefined && { before: last }) })
    if (turn !== this.#turn) return
    this.#busy = false
    if (!reply.ok) {
      this.#error = reply.error
      return
    }
    this.#runs = [...before, ...reply.value.runs]
    this.#more = reply.value.more
  }
}
