import type { AppState, Bridge, JobView, LiveRun, LiveState, RestoreView, WireError } from './bridge.ts'

const nothingLive: LiveState = { runs: [], bytesPerSecond: 0 }

/** The newest picture that main has published. Holds no truth of its own. */
export class AppStore {
  readonly #bridge: Bridge
  #app = $state.raw<AppState>()
  #live = $state.raw<LiveState>(nothingLive)
  #error = $state.raw<WireError>()

  constructor(bridge: Bridge) {
    this.#bridge = bridge
  }

  /** Absent until the first answer. */
  get app(): AppState | undefined {
    return this.#app
  }

  get live(): LiveState {
    return this.#live
  }

  /** Why there is no first answer. */
  get error(): WireError | undefined {
    return this.#error
  }

  /** Subscribes and asks for the first picture; the returned function ends it. */
  start(): () => void {
    const ends = [
      this.#bridge.subscribe('app', (app) => (this.#app = app)),
      this.#bridge.subscribe('live', (live) => (this.#live = live)),
    ]
    void this.load()
    return () => {
      for (const end of ends) end()
    }
  }

  /** Asks for everything; safe to repeat. */
  async load(): Promise<void> {
    this.#error = undefined
    const reply = await this.#bridge.invoke('state.get')
    if (!reply.ok) {
      this.#error = reply.error
      return
    }
    this.#app = reply.value.app
    this.#live = reply.value.live
  }

  job(id: string): JobView | undefined {
    return this.#app?.jobs.find((job) => job.id === id)
  }

  restore(id: string): RestoreView | undefined {
    return this.#app?.restores.find((restore) => restore.id === id)
  }

  run(id: string | undefined): LiveRun | undefined {
    return id === undefined ? undefined : this.#live.runs.find((run) => run.runId === id)
  }
}
