import type { LaneListener, TransferLane } from '../../backend/wrappers/limits.ts'
import { Traffic, type Lane } from '../../progress/traffic.ts'

/** The transfers of one side of a sync: several storages, whose lanes are numbered as one. */
export class Side implements LaneListener {
  readonly traffic = new Traffic()
  readonly #meter: LaneListener
  readonly #number: () => number
  readonly #lanes = new WeakMap<TransferLane, Lane>()

  /** @param number gives a new one each time, for both sides. */
  constructor(meter: LaneListener, number: () => number) {
    this.#meter = meter
    this.#number = number
  }

  begin(lane: TransferLane): void {
    const id = this.#number()
    const numbered = {
      id,
      direction: lane.direction,
      get bytes() { return lane.bytes },
      event: (state: Parameters<TransferLane['event']>[0]) => ({ ...lane.event(state), id }),
    }
    this.#lanes.set(lane, numbered)
    this.traffic.begin(numbered)
    this.#meter.begin(numbered)
  }

  end(lane: TransferLane, state: 'done' | 'failed'): void {
    const numbered = this.#lanes.get(lane)
    if (!numbered) return
    this.traffic.end(numbered)
    this.#meter.end(numbered, state)
  }
}
