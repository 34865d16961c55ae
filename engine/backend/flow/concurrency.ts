/**
 * How many transfers should run at once (requirement A4): from few up as fast as the evidence allows (twice as many while that pays, as
 * TCP's slow start does), half as many when the storage asks for patience, then back to what it bore and no further for a while.
 * Pure: time and what was seen come in, a new state goes out.
 */
export interface ConcurrencyState {
  readonly limit: number
  /** `start`: twice as many each time that it paid. `steady`: a few more now and then. */
  readonly mode: 'start' | 'steady'
  /** A step that was not judged yet: the number before it, and its throughput in bytes per second, which has to be bettered. */
  readonly step?: { readonly from: number; readonly bytesPerSecond: number }
  readonly direction: Direction
  /** When the limit was last changed, and when all that it lets in first moved. */
  readonly changedMs: number
  readonly fullMs?: number
  readonly window?: Window
  /** No new transfer before this moment: the storage said so. */
  readonly pausedUntilMs: number
  /** A transfer that began no later has been answered for: its throttling halves nothing again. */
  readonly halvedAtMs: number
  /** The next try to grow comes no sooner. */
  readonly growAfterMs: number
  /** Most that the storage bore for a whole window. */
  readonly borne: number
  /** What was too many: the storage refused it, or moved much less with it. */
  readonly tooMany?: TooMany
}

interface TooMany {
  readonly limit: number
  readonly untilMs: number
  readonly holdMs: number
}

/** A stretch in which all that may run do run, and move. */
interface Window {
  readonly beganMs: number
  readonly seenMs: number
  /** Of it with fewer transfers than may run: then something else is the bottleneck. */
  readonly shortMs: number
  readonly bytes: number
  readonly moves: number
  readonly ended: number
}

/** Some bytes have moved. */
export interface Seen {
  readonly nowMs: number
  readonly bytes: number
  /** Transfers that go on, and of these, those that have moved anything yet. */
  readonly active: number
  readonly moving: number
}

export interface TransferOutcome {
  readonly startedMs: number
  readonly finishedMs: number
  readonly throttled: boolean
  readonly retryAfterMs?: number
}

export type Direction = 'up' | 'down'

const startingLimit = 2
/** Who has not moved by then counts as slow, not as new. */
const patienceMs = 1_000
/**
 * How soon measuring begins after a step, and how short a look may be that says yes. What is sent goes into the system's buffers first,
 * megabytes at once, and then by fits and starts; what is received tells the line's own pace.
 */
const settleMs: Readonly<Record<Direction, number>> = { up: 250, down: 50 }
const startWindowMs: Readonly<Record<Direction, number>> = { up: 350, down: 250 }
/** A no wants a long look, in which each transfer had its turn: in the middle of large objects a short one says little. */
const longWindowMs = 2_000
const longestWindowMs = 8_000
/** A step pays when throughput grows by this share of what it would grow by if each transfer had a line of its own. */
const worthGoingOn = 0.3
/** It is undone when throughput grows by less. */
const worthKeeping = 0.04
const growAgainMs = 10_000
/** After a no that rests on a short look at what was before. */
const doubtMs = 3_000
/** It did harm, and is not tried again soon. */
const harmful = -0.2
/** How long that is believed; twice as long after the next. */
const tooManyMs = 60_000
const longestTooManyMs = 15 * 60_000

/** @param known what the account bore in an earlier run on this network: it begins with that; absent: low. */
export function startConcurrency(direction: Direction, maximum: number, nowMs: number, known?: number): ConcurrencyState {
  const limit = Math.max(1, Math.min(known ?? startingLimit, maximum))
  return {
    direction, limit, mode: known === undefined ? 'start' : 'steady', changedMs: nowMs, pausedUntilMs: 0, halvedAtMs: -1,
    growAfterMs: known === undefined ? 0 : nowMs + growAgainMs / 2, borne: 0,
  }
}

/** The number that has proved itself: a step up that was not judged yet does not count. */
export function provenLimit({ limit, step }: ConcurrencyState): number {
  return step === undefined ? limit : Math.max(1, step.from)
}

export function afterMove(state: ConcurrencyState, seen: Seen, maximum: number): ConcurrencyState {
  const { window } = state
  if (!window) {
    if (state.fullMs === undefined) return isFull(state, seen) ? { ...state, fullMs: seen.nowMs } : state
    if (seen.nowMs - state.fullMs < settleMs[state.direction]) return state
    return { ...state, window: { beganMs: seen.nowMs, seenMs: seen.nowMs, shortMs: 0, bytes: 0, moves: 0, ended: 0 } }
  }
  const shortMs = window.shortMs + (seen.active < state.limit ? seen.nowMs - window.seenMs : 0)
  const grown = { ...window, seenMs: seen.nowMs, shortMs, bytes: window.bytes + seen.bytes, moves: window.moves + 1 }
  const counted = { ...state, window: grown }
  return isWhole(counted, grown) ? afterWindow(counted, grown, maximum) : counted
}

export function afterTransfer(state: ConcurrencyState, outcome: TransferOutcome): ConcurrencyState {
  if (outcome.throttled) return afterThrottling(state, outcome)
  return state.window ? { ...state, window: { ...state.window, ended: state.window.ended + 1 } } : state
}

/** All that were let in move; or those that do not yet are slow ones. */
function isFull({ limit, changedMs }: ConcurrencyState, { nowMs, active, moving }: Seen): boolean {
  // After a step down, more than may begin are still there for a while.
  return active === limit && (moving >= limit || nowMs - changedMs >= patienceMs)
}

function isWhole({ direction, limit, mode }: ConcurrencyState, window: Window): boolean {
  const passedMs = window.seenMs - window.beganMs
  return mode === 'start' ? passedMs >= startWindowMs[direction] && window.moves >= 2 * limit : isLong(limit, window)
}

function isLong(limit: number, { beganMs, seenMs, ended }: Window): boolean {
  const passedMs = seenMs - beganMs
  return passedMs >= longestWindowMs || (passedMs >= longWindowMs && ended >= limit)
}

function afterWindow(state: ConcurrencyState, window: Window, maximum: number): ConcurrencyState {
  const { seenMs: nowMs } = window
  const passedMs = nowMs - window.beganMs
  if (window.shortMs > passedMs / 4) return fresh(state)
  const bytesPerSecond = (window.bytes * 1000) / passedMs
  const borne = Math.max(state.borne, state.limit)
  if (!state.step) return grow({ ...state, borne }, bytesPerSecond, nowMs, maximum)
  const { from, bytesPerSecond: before } = state.step
  const gain = bytesPerSecond / before - 1
  const promised = state.limit / from - 1
  if (gain >= promised * worthGoingOn) return grow({ ...state, mode: 'start', borne }, bytesPerSecond, nowMs, maximum)
  if (!isLong(state.limit, window)) return state
  // What was before was looked at shortly: of what is sent, that tells too much where buffers took it in.
  const isDoubtful = state.mode === 'start' && state.direction === 'up'
  const limit = isDoubtful || gain >= Math.min(worthKeeping, promised * worthGoingOn) ? state.limit : from
  const tooMany = !isDoubtful && gain < harmful ? { tooMany: tooManyFrom(state, nowMs) } : {}
  return { ...changed(state, limit, nowMs), ...tooMany, mode: 'steady', borne: Math.max(state.borne, limit), growAfterMs: nowMs + (state.mode === 'start' ? doubtMs : growAgainMs) }
}

function grow(state: ConcurrencyState, bytesPerSecond: number, nowMs: number, maximum: number): ConcurrencyState {
  const { limit } = state
  const next = Math.min(nextLimit(state, nowMs), maximum)
  if (next <= limit) return { ...fresh(state), mode: 'steady' }
  if (state.mode === 'steady' && nowMs < state.growAfterMs) return fresh(state)
  return { ...changed(state, next, nowMs), step: { from: limit, bytesPerSecond } }
}

/** Below what is too many: first back to what was borne, then half of the way that is open. */
function nextLimit({ limit, mode, borne, tooMany }: ConcurrencyState, nowMs: number): number {
  if (tooMany && nowMs < tooMany.untilMs) {
    if (limit < borne && borne < tooMany.limit) return borne
    return Math.ceil((limit + tooMany.limit - 1) / 2)
  }
  return mode === 'start' ? limit * 2 : limit + Math.ceil(limit / 4)
}

function afterThrottling(state: ConcurrencyState, { startedMs, finishedMs: nowMs, retryAfterMs = 0 }: TransferOutcome): ConcurrencyState {
  const pausedUntilMs = Math.max(state.pausedUntilMs, nowMs + retryAfterMs)
  if (startedMs <= state.halvedAtMs) return { ...state, pausedUntilMs }
  const halved = changed(state, Math.max(1, Math.floor(state.limit / 2)), nowMs)
  return {
    ...halved, mode: 'start', pausedUntilMs, halvedAtMs: nowMs, growAfterMs: pausedUntilMs, changedMs: pausedUntilMs,
    borne: Math.min(state.borne, state.limit - 1), tooMany: tooManyFrom(state, pausedUntilMs),
  }
}

function tooManyFrom({ limit, tooMany }: ConcurrencyState, nowMs: number): TooMany {
  const holdMs = Math.min(longestTooManyMs, tooMany ? tooMany.holdMs * 2 : tooManyMs)
  return { limit, untilMs: nowMs + holdMs, holdMs }
}

/** Measures anew; a step that waits to be judged is forgotten. */
function changed({ step: _step, window: _window, fullMs: _full, ...state }: ConcurrencyState, limit: number, nowMs: number): ConcurrencyState {
  return { ...state, limit, changedMs: nowMs }
}

/** Measures anew. */
function fresh({ window: _, ...state }: ConcurrencyState): ConcurrencyState {
  return state
}
