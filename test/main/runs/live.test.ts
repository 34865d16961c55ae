import { expect, it } from 'vitest'
import type { TransferEvent } from '../../../engine/protocol/progress.ts'
import { LiveProgress } from '../../../main/runs/live.ts'

const lane = (id: number, state: TransferEvent['state']): TransferEvent => ({ id, state, direction: 'up', name: `pack ${id}`, bytes: 1, totalBytes: 2, bytesPerSecond: 3, attempt: 1 })

it('shows an ended lane once more, so that its bar can be seen to fill', () => {
  const live = new LiveProgress()
  live.receive({ type: 'transfer', transfer: lane(2, 'active') })
  live.receive({ type: 'transfer', transfer: lane(1, 'active') })
  live.receive({ type: 'transfer', transfer: lane(2, 'done') })
  expect(live.picture.transfers.map((one) => [one.id, one.state])).toEqual([[1, 'active'], [2, 'done']])
  live.dropEnded()
  expect(live.picture.transfers.map((one) => one.id)).toEqual([1])
  live.clearLanes()
  expect(live.picture).toEqual({ transfers: [] })
  expect(live.receive({ type: 'heartbeat' })).toBe(false)
})
