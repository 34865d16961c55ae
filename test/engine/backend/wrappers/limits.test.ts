import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { TokenBucket, type Bandwidth } from '../../../../engine/backend/flow/bandwidth.ts'
import { faultRule, withFaults } from '../../../../engine/backend/wrappers/faulty/faulty.ts'
import { shownName, withLimits, type LaneListener, type TransferLane } from '../../../../engine/backend/wrappers/limits.ts'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'
import { withPause } from '../../../../engine/backend/wrappers/pause.ts'
import { withLog } from '../../../../engine/backend/wrappers/log.ts'
import type { Body, ByteRange, Pace, PutOptions } from '../../../../engine/backend/backend.ts'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { Transfers } from '../../../../engine/backend/flow/transfers.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { createLog, type LogLine } from '../../../../engine/base/log.ts'
import type { TransferEvent } from '../../../../engine/protocol/progress.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

function bandwidth(clock: FakeClock, up?: number, down?: number): Bandwidth {
  return { up: new TokenBucket(clock, up), down: new TokenBucket(clock, down) }
}

/** Follows lanes as the meter does. */
class Follower implements LaneListener {
  readonly begun: TransferLane[] = []
  readonly ended: TransferEvent[] = []

  begin(lane: TransferLane): void {
    this.begun.push(lane)
  }

  end(lane: TransferLane, state: 'done' | 'failed'): void {
    this.ended.push(lane.event(state))
  }
}

test('a transfer is a lane: it begins, moves and ends, with its attempt', async () => {
  const clock = new FakeClock()
  const lanes = new Follower()
  const backend = withLimits(openMemory(randomUUID(), clock), { transfers: new Transfers({ concurrency: 2, clock }), bandwidth: bandwidth(clock, 100_000), clock, lanes })
  void backend.put('packs/3f/3f2a0011', { type: 'bytes', bytes: new Uint8Array(300_000) }, { attempt: 2 }, never)
  await clock.advance(0)
  const [lane] = lanes.begun
  const seen = [lane?.event('active')]
  for (let step = 0; step < 4; step++) {
    await clock.advance(500)
    seen.push(lane?.event('active'))
  }
  await clock.advance(8_000)
  expect(seen[0]).toMatchObject({ id: 1, state: 'active', direction: 'up', name: 'pack 3f2a…', totalBytes: 300_000, attempt: 2 })
  const bytes = seen.map((event) => event?.bytes ?? 0)
  expect(bytes).toEqual(bytes.toSorted((a, b) => a - b))
  expect(new Set(bytes).size).toBeGreaterThan(3)
  expect(lanes.begun).toHaveLength(1)
  expect(lanes.ended).toMatchObject([{ id: 1, state: 'done', bytes: 300_000, totalBytes: 300_000 }])
})

test('the speed of a lane is its bytes over the time since it began', async () => {
  const clock = new FakeClock()
  const lanes = new Follower()
  const backend = withLimits(openMemory(randomUUID(), clock), { transfers: new Transfers({ concurrency: 2, clock }), bandwidth: bandwidth(clock, 100_000), clock, lanes })
  void backend.put('packs/3f/3f2a0011', { type: 'bytes', bytes: new Uint8Array(1_000_000) }, {}, never)
  await clock.advance(4_000)
  const event = lanes.begun[0]?.event('active')
  expect(event?.bytesPerSecond).toBe((event?.bytes ?? 0) / 4)
  expect(event?.bytesPerSecond).toBeGreaterThan(80_000)
})

test('a get is held to the download limit and ends as failed when it fails', async () => {
  const clock = new FakeClock()
  const lanes = new Follower()
  const backend = withLimits(openMemory(randomUUID(), clock), { transfers: new Transfers({ concurrency: 2, clock }), bandwidth: bandwidth(clock, undefined, 100_000), clock, lanes })
  await backend.put('x', { type: 'bytes', bytes: new Uint8Array(1_000_000) }, {}, never)
  let got = 0
  void backend.get('x', 'all', never).then((bytes) => { got = bytes.length })
  await clock.advance(9_000)
  expect(got).toBe(0)
  await clock.advance(1_500)
  expect(got).toBe(1_000_000)
  expect(await codeOf(backend.get('gone', 'all', never))).toBe('not-found')
  expect(lanes.ended.map(({ state, direction, bytes }) => [state, direction, bytes])).toEqual([['done', 'up', 1_000_000], ['done', 'down', 1_000_000], ['failed', 'down', 0]])
})

test('a failed transfer gives its permit back, and throttling holds the next one up', async () => {
  const clock = new FakeClock()
  const faulty = withFaults(openMemory(randomUUID(), clock), { seed: 1, rules: [faultRule('put', 'before', { times: 1, code: 'throttled', retryAfterMs: 4000 })] }, clock)
  const transfers = new Transfers({ concurrency: 1, clock })
  const backend = withLimits(withPause(faulty, transfers.pause, clock), { transfers, bandwidth: bandwidth(clock), clock })
  expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe('throttled')
  let done = false
  void backend.put('x', bytesOf('x'), {}, never).then(() => { done = true })
  await clock.advance(3900)
  expect(done).toBe(false)
  await clock.advance(200)
  expect(done).toBe(true)
})

test('names are shown short', () => {
  expect(shownName('packs/3f/3f2a00112233')).toBe('pack 3f2a…')
  expect(shownName('config')).toBe('config')
  expect(shownName('x'.repeat(50))).toHaveLength(40)
})

test('the log has a line per operation, with its outcome', async () => {
  const lines: LogLine[] = []
  const backend = withLog(openMemory(randomUUID()), createLog((line) => lines.push(line), () => 0))
  await backend.put('a', bytesOf('abc'), {}, never)
  await backend.get('a', 'all', never)
  await codeOf(backend.stat('gone', never))
  await names(backend, '')
  await backend.remove('a', never)
  expect(lines.map((line) => `${line.context.object ?? ''}: ${line.message.replace(/\d+ ms/, 'N ms')}`)).toEqual([
    'a: put done in N ms, 3 bytes', 'a: get done in N ms, 3 bytes', 'gone: stat failed with not-found (gone does not exist.) in N ms',
    ': list done in N ms, 1 objects', 'a: remove done in N ms',
  ])
})

test('the probe sees late lists and missing rights', async () => {
  const clock = new FakeClock()
  const late = withFaults(openMemory(randomUUID(), clock), { seed: 1, rules: [faultRule('list', 'late', { ms: 1000 })] }, clock)
  expect(await probeBackend(late, never)).toEqual({ exclusiveCreate: true, listsAtOnce: false })
  const refused = withFaults(openMemory(randomUUID(), clock), { seed: 1, rules: [faultRule('put', 'before', { code: 'denied' })] }, clock)
  expect(await codeOf(probeBackend(refused, never))).toBe('denied')
})

describe('of a transfer nothing but a round trip is left', () => {
  /** Takes so many bytes at once, and comes to its end only when it is told to. */
  class Held extends BackendWrapper {
    taken = 0
    readonly ends = Promise.withResolvers<undefined>()

    override async put(_name: string, _body: Body, { onProgress }: PutOptions): Promise<void> {
      onProgress?.(this.taken)
      await this.ends.promise
    }

    override async get(_name: string, _range: ByteRange | 'all', _signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
      await pace?.(this.taken)
      await this.ends.promise
      return new Uint8Array(this.taken)
    }
  }

  const size = 2_000_000

  /** One at a time may run of 16, each takes 1.9 s for its bytes and 0.1 s for the answer, and two want to. @returns how many have begun */
  async function begun(direction: 'up' | 'down', taken: number, afterMs: number): Promise<number> {
    const clock = new FakeClock()
    const lanes = new Follower()
    const transfers = new Transfers({ concurrency: 16, clock, known: { up: 1, down: 1 } })
    transfers.pace.answered({ startedMs: 0, finishedMs: 100, throttled: false })
    transfers.pace.ended(direction, { startedMs: 0, finishedMs: 2000, throttled: false, bytes: size })
    const held = new Held(openMemory(randomUUID(), clock))
    held.taken = taken
    const backend = withLimits(held, { transfers, bandwidth: bandwidth(clock), clock, lanes })
    const all = ['packs/00/a', 'packs/00/b'].map((name) => (direction === 'up'
      ? backend.put(name, { type: 'bytes', bytes: new Uint8Array(size) }, {}, never) : backend.get(name, { offset: 0, length: size }, never)))
    await clock.advance(afterMs)
    const count = lanes.begun.length
    held.ends.resolve(undefined)
    await clock.advance(10_000)
    await Promise.all(all)
    return count
  }

  test('an upload that was handed on whole lets the next begin when it has arrived, by the pace of those before', async () => {
    expect([await begun('up', size, 1_800), await begun('up', size, 2_000), await begun('up', size - 1, 60_000)]).toEqual([1, 2, 1])
  })

  test('a download of which less is left than comes in a round trip lets the next begin', async () => {
    expect([await begun('down', size - 200_000, 60_000), await begun('down', size - 50_000, 10)]).toEqual([1, 2])
  })
})
