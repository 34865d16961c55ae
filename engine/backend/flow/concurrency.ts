/**
 * How many transfers should run at once (requirement A4): starts low, grows by one while the sum of all transfers grows, halves
 * when the storage asks for patience. Pure: time and measurements come in, a new state goes out.
 */
export interface ConcurrencyState {
  readonly limit: number
  /** Set after a step up: the throughput before it, in bytes per second, which it has to better. */
  readonly toBeat?: number
  readonly windowStartMs: number
  readonly windowBytes: number
  readonly windowTransfers: number
  /** No new transfer before this moment: the storage said so. */
  readonly pausedUntilMs: number
  /** A transfer that began before this moment has been answered for: its throttling halves nothing again. */
  readonly halvedAtMs: number
  /** After growth that did not pay, the next try comes no sooner. */
  readonly growAfterMs: number
}

export interface TransferOutcome {
  readonly bytes: number
  readonly startedMs: number
  readonly finishedMs: number
  readonly throttled: boolean
  readonly retryAfterMs?: number
}

const startingLimit = 2
const windowMs = 2_000
/** Smaller transfers measure the latency and not the line. */
const smallBytes = 64 * 1024
/** Growth pays when one transfer more brings at least this much more throughput. */
const worthwhile = 1.04
const growAgainMs = 30_000

/** @param startLimit what the account bore in an earlier run; absent: low. */
export function startConcurrency(maximum: number, nowMs: number, startLimit = startingLimit): ConcurrencyState {
  return {
    limit: Math.max(1, Math.min(startLimit, maximum)), windowStartMs: nowMs, windowBytes: 0, windowTransfers: 0,
    pausedUntilMs: 0, halvedAtMs: 0, growAfterMs: 0,
  }
}

/** The number that has proved itself: a step up that was not judged yet does not count. */
export function provenLimit({ limit, toBeat }: ConcurrencyState): number {
  return toBeat === undefined ? limit : Math.max(1, limit - 1)
}

export function afterTransfer(state: ConcurrencyState, outcome: TransferOutcome, maximum: number): ConcurrencyState {
  if (outcome.throttled) return afterThrottling(state, outcome)
  if (outcome.bytes < smallBytes) return state
  const counted = { ...state, windowBytes: state.windowBytes + outcome.bytes, windowTransfers: state.windowTransfers + 1 }
  const elapsedMs = outcome.finishedMs - state.windowStartMs
  // A window counts when it was long enough, and each of the transfers at once had its turn.
  if (elapsedMs < windowMs || counted.windowTransfers < state.limit) return counted
  return afterWindow(counted, elapsedMs, outcome.finishedMs, maximum)
}

function afterThrottling(state: ConcurrencyState, outcome: TransferOutcome): ConcurrencyState {
  const pausedUntilMs = Math.max(state.pausedUntilMs, outcome.finishedMs + (outcome.retryAfterMs ?? 0))
  if (outcome.startedMs < state.halvedAtMs) return { ...state, pausedUntilMs }
  return {
    ...freshWindow(state, outcome.finishedMs), limit: Math.max(1, Math.floor(state.limit / 2)), pausedUntilMs, halvedAtMs: outcome.finishedMs, growAfterMs: outcome.finishedMs + growAgainMs,
  }
}

function afterWindow(state: ConcurrencyState, elapsedMs: number, nowMs: number, maximum: number): ConcurrencyState {
  const bytesPerSecond = (state.windowBytes * 1000) / elapsedMs
  const next = freshWindow(state, nowMs)
  if (state.toBeat !== undefined && bytesPerSecond < state.toBeat * worthwhile) {
    return { ...next, limit: Math.max(1, state.limit - 1), growAfterMs: nowMs + growAgainMs }
  }
  if (nowMs < state.growAfterMs || state.limit >= maximum) return next
  return { ...next, limit: state.limit + 1, toBeat: bytesPerSecond }
}

/** Measures anew; a step that waits to be judged is forgotten. */
function freshWindow({ toBeat: _, ...state }: ConcurrencyState, nowMs: number): ConcurrencyState {
  return { ...state, windowStartMs: nowMs, windowBytes: 0, windowTransfers: 0 }
}
