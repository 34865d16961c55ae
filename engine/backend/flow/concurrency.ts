/**
 * How many transfers should run at once (requirement A4): from few up as fast as the evidence allows (twice as many while that pays, as
 * TCP's slow start does), half as many when the storage asks for patience, then back to what it bore and no further for a while. Now and
 * then it tries whether fewer do as well, or better. Pure: time and what was seen come in, a new state goes out.
 *
 * What is received tells the line's pace at once. What is sent tells nothing for seconds, because the system's buffers, here and on the way, take
 * in megabytes of each transfer: so uploads begin with twice as many every round, up to all that may run, and are judged afterwards.
 */
export interface ConcurrencyState {
  readonly limit: number
  /** `blind`: twice as many every round. `start`: twice as many each time that it paid. `steady`: a few more now and then. */
  readonly mode: 'blind' | 'start' | 'steady'
  /** A step, up or down, that was not judged yet: the number before it, and its throughput in bytes per second, which is to be bettered or kept. */
  readonly step?: Step
  readonly direction: Direction
  /** When the limit was last changed, and when all that it lets in first moved. */
  readonly changedMs: number
  readonly fullMs?: number
  /** Downloads. */
  readonly window?: Window
  /** Uploads. */
  readonly turns?: Turns
  /** No new transfer before this moment: the storage said so. */
  readonly pausedUntilMs: number
  /** A transfer that began no later has been answered for: its throttling halves nothing again. */
  readonly halvedAtMs: number
  /** The next try to grow comes no sooner. */
  readonly growAfterMs: number
  /** The next try with fewer comes no sooner, and if that was in vain the next one so much later. */
  readonly fewerAfterMs: number
  readonly fewerWaitMs: number
  /** Most that the storage bore for a whole window. */
  readonly borne: number
  /** What was too many: the storage refused it, or moved much less with it. */
  readonly tooMany?: TooMany
}

interface Step {
  readonly from: number
  readonly bytesPerSecond: number
  /** How long an upload took. */
  readonly turnMs?: number
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

/** Uploads that began and ended while as many ran as may. */
interface Turns {
  readonly ended: number
  readonly bytes: number
  readonly busyMs: number
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
  /** What it has moved in all; absent where it failed. */
  readonly bytes?: number
}

/** What goes on beside a transfer that ends. */
export interface Company {
  /** As many run as may, or the next ones wait. Else something else than the storage is the bottleneck. */
  readonly isFull: boolean
  readonly maximum: number
}

export type Direction = 'up' | 'down'

const startingLimit = 2
const firstMode = { up: 'blind', down: 'start' } as const
/** Who has not moved by then counts as slow, not as new. */
const patienceMs = 1_000
/** How soon measuring begins after a step, and how short a look may be that says yes. */
const settleMs = 50
const startWindowMs = 250
/** How long uploads of a number go on until twice as many begin: some round trips, in which a storage that has enough can say so. */
export const roundMs = 200
/** A no wants a long look, in which each transfer had its turn: in the middle of large objects a short one says little. */
const longWindowMs = 2_000
const longestWindowMs = 8_000
/** A step pays when throughput grows by this share of what it would grow by if each transfer had a line of its own. */
const worthGoingOn = 0.3
/** It is undone when throughput grows by less. */
const worthKeeping = 0.04
const growAgainMs = 10_000
/** When it is first tried whether fewer do as well: soon after a start that judged nothing, late where the number has proved itself. */
const fewerSoonMs = 25_000
const fewerKnownMs = 15_000
const fewerLaterMs = 90_000
const longestFewerMs = 15 * 60_000
/** The first such try leaves out a quarter, which costs no more than that where each transfer has a line of its own; the next ones half. */
const firstFewer = 0.75
/** Of fewer than this a quarter is none: the try would cost half of the line for seconds, and hardly a storage does better with one than with three. */
const leastToLeaveOut = 4
/** Uploads that have to end until their number is judged: where few run, each has several turns. */
const leastTurns = 4
/** An upload counts for a number that held for all but this share of its time. */
const shortShare = 0.2
/** Fewer do as well when the throughput falls by less. */
const worthLosing = 0.08
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
    direction, limit, mode: known === undefined ? firstMode[direction] : 'steady', changedMs: nowMs, pausedUntilMs: 0, halvedAtMs: -1,
    growAfterMs: known === undefined ? 0 : nowMs + growAgainMs / 2, borne: 0,
    fewerAfterMs: nowMs + (known === undefined ? fewerLaterMs : fewerKnownMs), fewerWaitMs: fewerLaterMs,
  }
}

/** The number that has proved itself: a step up that was not judged yet does not count. */
export function provenLimit({ limit, step }: ConcurrencyState): number {
  return step === undefined ? limit : Math.max(1, step.from)
}

export function afterMove(state: ConcurrencyState, seen: Seen, maximum: number): ConcurrencyState {
  const { window } = state
  if (isStuck(state, seen.nowMs)) return undone(state, seen.nowMs)
  if (!window) {
    if (state.fullMs === undefined) return isFull(state, seen) ? { ...state, fullMs: seen.nowMs } : state
    if (state.mode === 'blind') return seen.nowMs - state.fullMs < roundMs ? state : nextRound(state, seen.nowMs, maximum)
    if (state.direction === 'up' || seen.nowMs - state.fullMs < settleMs) return state
    return { ...state, window: { beganMs: seen.nowMs, seenMs: seen.nowMs, shortMs: 0, bytes: 0, moves: 0, ended: 0 } }
  }
  const shortMs = window.shortMs + (seen.active < state.limit ? seen.nowMs - window.seenMs : 0)
  const grown = { ...window, seenMs: seen.nowMs, shortMs, bytes: window.bytes + seen.bytes, moves: window.moves + 1 }
  const counted = { ...state, window: grown }
  return isWhole(counted, grown) ? afterWindow(counted, grown, maximum) : counted
}

export function afterTransfer(state: ConcurrencyState, outcome: TransferOutcome, company: Company): ConcurrencyState {
  if (outcome.throttled) return afterThrottling(state, outcome)
  if (state.direction === 'up') return state.mode === 'blind' ? state : afterUpload(state, outcome, company)
  return state.window ? { ...state, window: { ...state.window, ended: state.window.ended + 1 } } : state
}

function afterUpload(state: ConcurrencyState, { startedMs, finishedMs: nowMs, bytes }: TransferOutcome, { isFull: isWanted, maximum }: Company): ConcurrencyState {
  // Who was for long one of more or fewer tells about these.
  if (bytes === undefined || state.changedMs - startedMs > (nowMs - startedMs) * shortShare) return state
  if (!isWanted) return fresh(state)
  const { ended, bytes: before, busyMs } = state.turns ?? { ended: 0, bytes: 0, busyMs: 0 }
  const turns = { ended: ended + 1, bytes: before + bytes, busyMs: busyMs + Math.max(1, nowMs - startedMs) }
  if (turns.ended < Math.max(leastTurns, state.limit)) return { ...state, turns }
  const bytesPerSecond = (state.limit * turns.bytes * 1000) / turns.busyMs
  return judged(fresh(state), { bytesPerSecond, isLong: true, nowMs, turnMs: turns.busyMs / turns.ended }, maximum)
}

/** More uploads, and in twice the time that each should take by now at most, none has ended. */
function isStuck({ limit, step, turns, changedMs }: ConcurrencyState, nowMs: number): boolean {
  return step?.turnMs !== undefined && limit > step.from && !turns && nowMs - changedMs > (2 * step.turnMs * limit) / step.from
}

function undone(state: ConcurrencyState, nowMs: number): ConcurrencyState {
  return { ...changed(state, state.step?.from ?? state.limit, nowMs), tooMany: tooManyFrom(state, nowMs), mode: 'steady', growAfterMs: nowMs + growAgainMs }
}

function nextRound(state: ConcurrencyState, nowMs: number, maximum: number): ConcurrencyState {
  if (state.limit < maximum) return changed(state, Math.min(maximum, state.limit * 2), nowMs)
  return { ...changed(state, state.limit, nowMs), mode: 'steady', fewerAfterMs: nowMs + fewerSoonMs }
}

/** All that were let in move; or those that do not yet are slow ones. */
function isFull({ limit, changedMs }: ConcurrencyState, { nowMs, active, moving }: Seen): boolean {
  // After a step down, more than may begin are still there for a while.
  return active === limit && (moving >= limit || nowMs - changedMs >= patienceMs)
}

function isWhole({ limit, mode }: ConcurrencyState, window: Window): boolean {
  const passedMs = window.seenMs - window.beganMs
  return mode === 'start' ? passedMs >= startWindowMs && window.moves >= 2 * limit : isLong(limit, window)
}

function isLong(limit: number, { beganMs, seenMs, ended }: Window): boolean {
  const passedMs = seenMs - beganMs
  return passedMs >= longestWindowMs || (passedMs >= longWindowMs && ended >= limit)
}

function afterWindow(state: ConcurrencyState, window: Window, maximum: number): ConcurrencyState {
  const { seenMs: nowMs } = window
  const passedMs = nowMs - window.beganMs
  if (window.shortMs > passedMs / 4) return fresh(state)
  return judged(state, { bytesPerSecond: (window.bytes * 1000) / passedMs, isLong: isLong(state.limit, window), nowMs }, maximum)
}

/** What the number of transfers that run has moved. */
interface Evidence {
  readonly bytesPerSecond: number
  /** Each transfer had its turn. */
  readonly isLong: boolean
  readonly nowMs: number
  readonly turnMs?: number
}

function judged(state: ConcurrencyState, evidence: Evidence, maximum: number): ConcurrencyState {
  const { bytesPerSecond, isLong: isSure, nowMs } = evidence
  const borne = Math.max(state.borne, state.limit)
  if (!state.step) return stepFrom({ ...state, borne }, evidence, maximum)
  const { from, bytesPerSecond: before } = state.step
  const gain = bytesPerSecond / before - 1
  if (from > state.limit) return afterFewer({ ...state, borne }, evidence, from, gain)
  const promised = state.limit / from - 1
  if (gain >= promised * worthGoingOn) return grow({ ...state, mode: 'start', borne }, evidence, maximum)
  if (!isSure) return state
  const limit = gain >= Math.min(worthKeeping, promised * worthGoingOn) ? state.limit : from
  const tooMany = gain < harmful ? { tooMany: tooManyFrom(state, nowMs) } : {}
  return { ...changed(state, limit, nowMs), ...tooMany, mode: 'steady', borne: Math.max(state.borne, limit), growAfterMs: nowMs + (state.mode === 'start' ? doubtMs : growAgainMs) }
}

/** More, where it is time for that; else perhaps fewer. */
function stepFrom(state: ConcurrencyState, evidence: Evidence, maximum: number): ConcurrencyState {
  const grown = grow(state, evidence, maximum)
  if (grown.limit !== state.limit || state.mode !== 'steady' || evidence.nowMs < state.fewerAfterMs || state.limit < leastToLeaveOut) return grown
  return step(state, Math.floor(state.limit * firstFewer), evidence)
}

function step(state: ConcurrencyState, limit: number, { bytesPerSecond, turnMs, nowMs }: Evidence): ConcurrencyState {
  return { ...changed(state, limit, nowMs), step: { from: state.limit, bytesPerSecond, ...(turnMs === undefined ? {} : { turnMs }) } }
}

/** Fewer that move as much are kept, and half of them tried next; where they move much more, what was before is too many. */
function afterFewer(state: ConcurrencyState, evidence: Evidence, from: number, gain: number): ConcurrencyState {
  const { isLong: isSure, nowMs } = evidence
  if (!isSure) return state
  if (gain < -worthLosing) {
    const fewerWaitMs = Math.min(longestFewerMs, state.fewerWaitMs * 2)
    return { ...changed(state, from, nowMs), fewerAfterMs: nowMs + state.fewerWaitMs, fewerWaitMs, growAfterMs: nowMs + growAgainMs }
  }
  const kept = { ...state, borne: state.limit, ...(gain > -harmful ? { tooMany: tooManyFrom({ ...state, limit: from }, nowMs) } : {}) }
  if (state.limit > 1) return step(kept, Math.floor(state.limit / 2), evidence)
  return { ...changed(kept, state.limit, nowMs), growAfterMs: nowMs + growAgainMs }
}

function grow(state: ConcurrencyState, evidence: Evidence, maximum: number): ConcurrencyState {
  const { limit } = state
  const next = Math.min(nextLimit(state, evidence.nowMs), maximum)
  if (next <= limit) return { ...settled(state), mode: 'steady' }
  if (state.mode === 'steady' && evidence.nowMs < state.growAfterMs) return fresh(state)
  return step(state, next, evidence)
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
function changed({ step: _step, window: _window, turns: _turns, fullMs: _full, ...state }: ConcurrencyState, limit: number, nowMs: number): ConcurrencyState {
  return { ...state, limit, changedMs: nowMs }
}

/** Measures anew. */
function fresh({ window: _window, turns: _turns, ...state }: ConcurrencyState): ConcurrencyState {
  return state
}

/** No step waits to be judged. */
function settled({ step: _, ...state }: ConcurrencyState): ConcurrencyState {
  return fresh(state)
}
