import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { PauseGate } from '../../../engine/base/pause.ts'
import { Meter, type Work } from '../../../engine/progress/meter.ts'
import type { Lane } from '../../../engine/progress/traffic.ts'
import { noCounters, type Progress, type TransferEvent } from '../../../engine/protocol/progress.ts'

let pictures: { readonly atMs: number; readonly progress: Progress }[]
let transfers: TransferEvent[]
let pauseGate: PauseGate
let meter: Meter

beforeEach(() => {
  vi.useFakeTimers()
  pictures = []
  transfers = []
  pauseGate = new PauseGate()
  const events = {
    progress: (progress: Progress) => { pictures.push({ atMs: performance.now(), progress }) },
    transfer: (transfer: TransferEvent) => { transfers.push(transfer) },
  }
  meter = new Meter('backup', { clock: { ...systemClock, monotonic: () => performance.now() }, pauseGate, events })
})

afterEach(() => {
  meter[Symbol.dispose]()
  vi.useRealTimers()
})

class FakeLane implements Lane {
  bytes = 0
  readonly id: number
  readonly direction: 'up' | 'down'
  readonly #name: string

  constructor(id: number, direction: 'up' | 'down', name = `pack ${String(id)}…`) {
    this.id = id
    this.direction = direction
    this.#name = name
  }

  event(state: TransferEvent['state']): TransferEvent {
    return { id: this.id, state, direction: this.direction, name: this.#name, bytes: this.bytes, totalBytes: 1000, bytesPerSecond: 0, attempt: 1 }
  }
}

const work = (change: Partial<Work> = {}): Work => ({ phase: 'working', files: noCounters, bytes: noCounters, problems: 0, done: 0, total: undefined, ...change })
const last = (): Progress | undefined => pictures.at(-1)?.progress

test('four pictures a second, whoever says how often that something changed', () => {
  meter.show(() => work())
  for (let ms = 0; ms < 5_000; ms += 10) {
    vi.advanceTimersByTime(10)
    meter.changed()
  }
  expect(pictures).toHaveLength(21)
  for (const [index, { atMs }] of pictures.entries()) expect(atMs - (pictures[0]?.atMs ?? 0)).toBe(index * 250)
})

test('the picture is that of the moment in which it is told, the last one that of the end, and then no more', () => {
  let done = 0
  meter.show(() => work({ done, total: 10 }))
  vi.advanceTimersByTime(100)
  done = 10
  meter.changed()
  expect(last()?.fraction).toBe(0)
  meter[Symbol.dispose]()
  expect(last()?.fraction).toBe(1)
  const count = pictures.length
  meter[Symbol.dispose]()
  vi.advanceTimersByTime(5_000)
  expect(pictures).toHaveLength(count)
})

test('before there is any work to show, only what is waited for is told: that it begins and that it ends', () => {
  vi.advanceTimersByTime(2_000)
  expect(pictures).toEqual([])
  meter.traffic.waitForStorage('offline', 5)
  expect(last()).toMatchObject({ operation: 'backup', phase: 'opening', waitingFor: { code: 'offline', sinceMs: 5 } })
  meter.traffic.waitForStorage(undefined, 9)
  expect(last()?.waitingFor).toBeUndefined()
  const count = pictures.length
  vi.advanceTimersByTime(2_000)
  expect(pictures).toHaveLength(count)
})

test('what is waited for is told at once, and the storage before the permit', () => {
  meter.show(() => work())
  const count = pictures.length
  meter.traffic.waitForPermit(true, 1)
  meter.traffic.waitForStorage('throttled', 2)
  meter.traffic.waitForStorage('throttled', 3)
  expect(pictures.slice(count).map(({ progress }) => progress.waitingFor)).toEqual([{ code: 'permit', sinceMs: 1 }, { code: 'throttled', sinceMs: 2 }])
})

test('transferred bytes are those of both directions, ended, failed and moving; the speed is theirs', () => {
  const up = new FakeLane(1, 'up')
  const down = new FakeLane(2, 'down')
  const small = new FakeLane(3, 'down', 'config')
  meter.show(() => work())
  for (const lane of [up, down, small]) meter.begin(lane)
  up.bytes = 600
  down.bytes = 300
  small.bytes = 100
  vi.advanceTimersByTime(500)
  expect(last()).toMatchObject({ transferredBytes: 1000, bytesPerSecond: 2000 })
  meter.end(up, 'done')
  meter.end(down, 'failed')
  meter.end(small, 'done')
  expect(meter.traffic).toMatchObject({ uploadedBytes: 600, downloadedBytes: 400, uploadingBytes: 0 })
  const next = new FakeLane(4, 'up')
  meter.begin(next)
  next.bytes = 50
  expect(meter.traffic).toMatchObject({ uploadedBytes: 650, uploadingBytes: 50 })
  // A part is sent again.
  next.bytes = 20
  expect(meter.traffic).toMatchObject({ uploadedBytes: 620, uploadingBytes: 20 })
  vi.advanceTimersByTime(500)
  expect(last()).toMatchObject({ transferredBytes: 1020, bytesPerSecond: 1020 })
})

test('lanes of packs are told: beginning and end at once, in between what moved, four times a second', () => {
  const moving = new FakeLane(1, 'up')
  const still = new FakeLane(2, 'up')
  const small = new FakeLane(3, 'up', 'config')
  for (const lane of [moving, still, small]) meter.begin(lane)
  expect(transfers.map(({ id, state }) => [id, state])).toEqual([[1, 'active'], [2, 'active']])
  for (let ms = 0; ms < 1_000; ms += 50) {
    moving.bytes += 10
    vi.advanceTimersByTime(50)
  }
  expect(transfers.slice(2).map(({ id, bytes }) => [id, bytes])).toEqual([[1, 50], [1, 100], [1, 150], [1, 200]])
  meter.end(moving, 'done')
  meter.end(still, 'failed')
  meter.end(small, 'done')
  expect(transfers.slice(6).map(({ id, state }) => [id, state])).toEqual([[1, 'done'], [2, 'failed']])
})

test('the time that remains is that of the work at its speed, in milliseconds, and pauses do not count', () => {
  let done = 0
  meter.show(() => work({ done, total: 100_000 }))
  const run = (ms: number): void => {
    for (let at = 0; at < ms; at += 250) {
      done += 250
      vi.advanceTimersByTime(250)
    }
  }
  run(2_750)
  expect(last()?.etaMs).toBeUndefined()
  run(7_250)
  expect(last()).toMatchObject({ fraction: 0.1, etaMs: { from: 81_000, to: 99_000 } })
  pauseGate.pause()
  vi.advanceTimersByTime(600_000)
  pauseGate.resume()
  meter.tell()
  run(1_000)
  expect(last()?.etaMs?.from).toBeGreaterThan(79_000)
  expect(last()?.etaMs?.to).toBeLessThan(99_000)
})

test('a new kind of steps is reckoned anew', () => {
  let done = 0
  meter.show(() => work({ done, total: 1_000_000 }))
  done = 500_000
  vi.advanceTimersByTime(10_000)
  expect(last()?.etaMs?.to).toBeLessThan(12_000)
  done = 0
  meter.show(() => work({ done, total: 1_000 }))
  done = 4
  vi.advanceTimersByTime(2_000)
  expect(last()?.etaMs).toBeUndefined()
  done = 8
  vi.advanceTimersByTime(2_000)
  expect(last()?.etaMs).toEqual({ from: Math.round((992 / 0.002) * 0.9), to: Math.round((992 / 0.002) * 1.1) })
})

test('shares lie between nothing and all, and are told only where all is known', () => {
  meter.show(() => work({ done: 12, total: 10, continued: 20 }))
  expect(last()).toMatchObject({ fraction: 1, continuedFraction: 1 })
  meter.show(() => work({ done: 12, total: 0, continued: 2 }))
  expect(last()).not.toHaveProperty('fraction')
  expect(last()).not.toHaveProperty('continuedFraction')
  meter.show(() => work({ done: 12 }))
  expect(last()).not.toHaveProperty('fraction')
  expect(last()).not.toHaveProperty('etaMs')
})

test('while packs move, the picture tells how many may at once: of uploads where there are any', () => {
  meter.traffic.atOnce = (direction) => (direction === 'up' ? { limit: 4, wanted: 8, because: 'enough' } : { limit: 2, wanted: 8 })
  meter.show(() => work())
  expect(last()).not.toHaveProperty('atOnce')
  const lanes = [new FakeLane(1, 'down'), new FakeLane(2, 'up'), new FakeLane(3, 'up', 'config')]
  for (const [at, limit] of [2, 4, 4].entries()) {
    meter.begin(lanes[at] as FakeLane)
    meter.tell()
    expect(last()?.atOnce?.limit).toBe(limit)
  }
  for (const lane of lanes.slice(0, 2)) meter.end(lane, 'done')
  meter.tell()
  expect(last()).not.toHaveProperty('atOnce')
})
