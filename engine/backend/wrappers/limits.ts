import { systemClock, type Clock } from '../../base/clock.ts'
import { hasCode } from '../../base/errors.ts'
import type { TransferEvent } from '../../protocol/progress.ts'
import type { Body, ByteRange, Pace, PutOptions, StorageBackend } from '../backend.ts'
import type { Bandwidth, TokenBucket } from '../flow/bandwidth.ts'
import type { Direction, TransferOutcome } from '../flow/concurrency.ts'
import type { Permit } from '../flow/permits.ts'
import { retryAfterOf } from '../flow/storage-pause.ts'
import type { Transfers } from '../flow/transfers.ts'
import { BackendWrapper } from './wrapper.ts'

export interface LimitOptions {
  readonly transfers: Transfers
  readonly bandwidth: Bandwidth
  /** Told of each transfer once it has its permit, and of its end. Must not throw. */
  readonly lanes?: LaneListener
  readonly clock?: Clock
}

/** Somebody who follows transfers; in between they look at the lane. */
export interface LaneListener {
  begin(lane: TransferLane): void
  end(lane: TransferLane, state: 'done' | 'failed'): void
}

/** One transfer: `bytes` moves, and may fall back where a part is sent again. */
export interface TransferLane {
  readonly id: number
  readonly direction: TransferEvent['direction']
  readonly bytes: number
  /** The transfer as it is shown now. */
  event(state: TransferEvent['state']): TransferEvent
}

/**
 * An object of another kind than a pack is small, or rare enough to count as small. So is a part of a pack that is read in a moment, which
 * somebody waits for who wants to know what is in it.
 */
const smallBytes = 128 * 1024

/**
 * Transfers (puts and gets of packs) take a permit each, small requests a place beside them; all share the bandwidth. Belongs inside the retry wrapper, so that an operation
 * that waits for its next attempt holds no permit, and each attempt's throttling is seen.
 */
export function withLimits(backend: StorageBackend, options: LimitOptions): StorageBackend {
  return new LimitedBackend(backend, options)
}

class LimitedBackend extends BackendWrapper {
  readonly #options: LimitOptions
  readonly #clock: Clock
  #lastId = 0

  constructor(inner: StorageBackend, options: LimitOptions) {
    super(inner)
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  override put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const totalBytes = body.type === 'bytes' ? body.bytes.length : body.size
    const lane = this.#lane('up', name, totalBytes, options.attempt ?? 1)
    return this.#run(lane, isPack(name), (permit, startedMs) => {
      const onProgress = (sentBytes: number): void => {
        permit?.moved(sentBytes - lane.bytes)
        lane.bytes = sentBytes
        if (permit && sentBytes >= totalBytes) this.#endsAfterArrival(permit, startedMs, totalBytes, signal)
        options.onProgress?.(sentBytes)
      }
      const pace = joinPaces(this.#pace(this.#options.bandwidth.up, signal), options.pace)
      return this.inner.put(name, body, { ...options, onProgress, pace }, signal)
    }, signal)
  }

  override get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    const lane = this.#lane('down', name, range === 'all' ? 0 : range.length, 1)
    return this.#run(lane, isPack(name) && (range === 'all' || range.length > smallBytes), async (permit) => {
      const counting: Pace = (bytes) => {
        lane.bytes += bytes
        permit?.moved(bytes)
        if (range !== 'all' && range.length - lane.bytes <= this.#options.transfers.pace.bytesInRoundTrip) permit?.ending()
        return undefined
      }
      const paces = joinPaces(joinPaces(this.#pace(this.#options.bandwidth.down, signal), pace), counting)
      const bytes = await this.inner.get(name, range, signal, paces)
      lane.bytes = bytes.length
      return bytes
    }, signal)
  }

  async #run<T>(lane: Lane, isTransfer: boolean, operation: (permit: Permit | undefined, startedMs: number) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { transfers } = this.#options
    const permit = isTransfer ? await transfers.acquire(lane.direction, signal) : undefined
    const small = permit ? undefined : await transfers.acquireSmall(signal)
    const release = (outcome: TransferOutcome): void => {
      permit?.release(outcome)
      small?.(outcome)
    }
    const startedMs = this.#clock.monotonic()
    lane.begin()
    try {
      const result = await operation(permit, startedMs)
      lane.end('done')
      release({ startedMs, finishedMs: this.#clock.monotonic(), throttled: false, bytes: lane.bytes })
      return result
    } catch (error) {
      const throttled = hasCode(error, 'throttled', 'unavailable')
      release({ startedMs, finishedMs: this.#clock.monotonic(), throttled, retryAfterMs: transfers.pause.waitedMs(retryAfterOf(error)) })
      lane.end('failed')
      throw error
    }
  }

  /** All was handed on; buffers send it for a while. */
  #endsAfterArrival(permit: Permit, startedMs: number, bytes: number, signal: AbortSignal): void {
    const arrivalMs = this.#options.transfers.pace.arrivalMs(bytes)
    if (arrivalMs === undefined) return
    const leftMs = Math.max(0, startedMs + arrivalMs - this.#clock.monotonic())
    void this.#clock.sleep(leftMs, signal).then(() => { permit.ending() }, () => undefined)
  }

  #pace(bucket: TokenBucket, signal: AbortSignal): Pace {
    return (bytes) => bucket.take(bytes, signal)
  }

  #lane(direction: Direction, name: string, totalBytes: number, attempt: number): Lane {
    const facts = { id: ++this.#lastId, direction, name: shownName(name), totalBytes, attempt }
    return new Lane(facts, this.#clock, this.#options.lanes)
  }
}

type LaneFacts = Pick<TransferEvent, 'id' | 'direction' | 'name' | 'totalBytes' | 'attempt'>

class Lane implements TransferLane {
  bytes = 0
  readonly #facts: LaneFacts
  readonly #clock: Clock
  readonly #listener: LaneListener | undefined
  #startedMs = 0

  constructor(facts: LaneFacts, clock: Clock, listener: LaneListener | undefined) {
    this.#facts = facts
    this.#clock = clock
    this.#listener = listener
  }

  get id(): number {
    return this.#facts.id
  }

  get direction(): TransferEvent['direction'] {
    return this.#facts.direction
  }

  begin(): void {
    this.#startedMs = this.#clock.monotonic()
    this.#listener?.begin(this)
  }

  end(state: 'done' | 'failed'): void {
    if (state === 'done' && this.#facts.direction === 'up') this.bytes = this.#facts.totalBytes
    this.#listener?.end(this, state)
  }

  event(state: TransferEvent['state']): TransferEvent {
    const seconds = (this.#clock.monotonic() - this.#startedMs) / 1000
    const { bytes } = this
    return { ...this.#facts, totalBytes: Math.max(bytes, this.#facts.totalBytes), state, bytes, bytesPerSecond: seconds > 0 ? bytes / seconds : 0 }
  }
}

function isPack(name: string): boolean {
  return name.startsWith('packs/')
}

/** `packs/3f/3f2a…` becomes `pack 3f2a…`: lanes are narrow, and nobody needs all 32 digits. */
export function shownName(name: string): string {
  const pack = /^packs\/[^/]+\/([^/]{4})/.exec(name)?.[1]
  if (pack !== undefined) return `pack ${pack}…`
  return name.length > 40 ? `${name.slice(0, 39)}…` : name
}

function joinPaces(first: Pace, second: Pace | undefined): Pace {
  if (!second) return first
  return (bytes) => {
    const wait = first(bytes)
    return wait ? wait.then(() => second(bytes)) : second(bytes)
  }
}
