import type { TransferEvent } from './bridge.ts'

export type Lanes = readonly (TransferEvent | undefined)[]

/**
 * Puts transfers into lanes so that a transfer stays in its lane until it ends and no lane disappears while others move: a new one
 * takes the lane that has been free, and an empty lane stays in place for the next.
 */
export function arrangeLanes(before: Lanes, transfers: readonly TransferEvent[]): Lanes {
  const byId = new Map(transfers.map((transfer) => [transfer.id, transfer]))
  const lanes = before.map((lane) => {
    const same = lane && byId.get(lane.id)
    if (same) byId.delete(same.id)
    return same
  })
  for (const transfer of byId.values()) {
    const free = lanes.indexOf(undefined)
    if (free >= 0) lanes[free] = transfer
    else lanes.push(transfer)
  }
  return lanes
}
