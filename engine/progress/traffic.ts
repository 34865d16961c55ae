import type { AtOnce, Progress, TransferEvent } from '../protocol/progress.ts'

/** A transfer that goes on; its bytes grow, and may fall back where a part is sent again. */
export interface Lane {
  readonly id: number
  readonly direction: TransferEvent['direction']
  /** Over the network so far. */
  readonly bytes: number
  /** The lane as it is shown now. */
  event(state: TransferEvent['state']): TransferEvent
}

type Waiting = NonNullable<Progress['waitingFor']>

/** What a run has moved over the network so far, what it is moving, and what it waits for: the one list of lanes of its process. */
export class Traffic {
  /** Told at once when the waiting begins or ends, however short it is. */
  onWaiting: (() => void) | undefined
  /** Tells how many transfers may run at once in a direction. */
  atOnce: ((direction: Lane['direction']) => AtOnce) | undefined
  readonly #ended = { up: 0, down: 0 }
  readonly #lanes = new Map<number, Lane>()
  #storage: Waiting | undefined
  #peace: Waiting | undefined
  #permit: Waiting | undefined

  /** Bytes of this run's uploads, packs and all else, of transfers that failed too. */
  get uploadedBytes(): number {
    return this.#ended.up + this.uploadingBytes
  }

  get downloadedBytes(): number {
    return this.#ended.down + this.#moving('down')
  }

  /** Bytes that uploads have sent that are not through yet. */
  get uploadingBytes(): number {
    return this.#moving('up')
  }

  /** In the order in which they began. */
  get lanes(): Iterable<Lane> {
    return this.#lanes.values()
  }

  get waitingFor(): Waiting | undefined {
    return this.#storage ?? this.#peace ?? this.#permit
  }

  begin(lane: Lane): void {
    this.#lanes.set(lane.id, lane)
  }

  end(lane: Lane): void {
    if (this.#lanes.delete(lane.id)) this.#ended[lane.direction] += lane.bytes
  }

  /** Undefined: it is back. */
  waitForStorage(code: Exclude<Waiting['code'], 'permit'> | undefined, nowMs: number): void {
    if (this.#storage?.code === code) return
    this.#storage = code && { code, sinceMs: nowMs }
    this.onWaiting?.()
  }

  /** The storage wants to be left alone, whoever it asked. */
  waitForPeace(waits: boolean, nowMs: number): void {
    if ((this.#peace !== undefined) === waits) return
    this.#peace = waits ? { code: 'throttled', sinceMs: nowMs } : undefined
    this.onWaiting?.()
  }

  waitForPermit(waits: boolean, nowMs: number): void {
    if ((this.#permit !== undefined) === waits) return
    this.#permit = waits ? { code: 'permit', sinceMs: nowMs } : undefined
    this.onWaiting?.()
  }

  #moving(direction: Lane['direction']): number {
    let sum = 0
    for (const lane of this.#lanes.values()) if (lane.direction === direction) sum += lane.bytes
    return sum
  }
}
