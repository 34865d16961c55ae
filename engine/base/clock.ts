import { setTimeout as delay } from 'node:timers/promises'
import { throwIfAborted } from './abort.ts'

/** Time as a dependency, so that tests and simulations run on a clock of their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump; nothing that must be safe rests on it. */
  now(): number
  /** Milliseconds that only grow; for durations. */
  monotonic(): number
  /** Resolves after `ms`; rejects with `aborted` as soon as the signal fires. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    throwIfAborted(signal)
    await delay(ms, undefined, { signal }).catch(() => undefined)
    throwIfAborted(signal)
  },
}
