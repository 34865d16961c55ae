/** Time as a dependency of everything in main that waits, so that tests run on a clock of their own. */
export interface Timers {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Calls `action` once after `ms`, unless the returned function is called before; cancelling twice is cancelling once. */
  after(ms: number, action: () => void): () => void
}

export const systemTimers: Timers = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms)
    return () => { clearTimeout(timer) }
  },
}

/** Calls `action` every `ms` until the returned function is called. */
export function every(timers: Timers, ms: number, action: () => void): () => void {
  let cancel = timers.after(ms, tick)
  let stopped = false
  function tick(): void {
    action()
    if (!stopped) cancel = timers.after(ms, tick)
  }
  return () => {
    stopped = true
    cancel()
  }
}
