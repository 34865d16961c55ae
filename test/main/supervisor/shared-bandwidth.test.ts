import { expect, test } from 'vitest'
import { TokenBucket } from '../../../engine/backend/flow/bandwidth.ts'
import type { Limits } from '../../../engine/protocol/messages.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { FakeClock } from '../../engine/backend/fake-clock.ts'
import { backupJob, fakeHosts, FakeTimers, noToken, ownKey, restoreJob } from '../fakes.ts'
import type { FakeHost } from '../fakes.ts'

type Direction = 'up' | 'down'

const secrets = { password: 'p', storage: {} }
const limit = 4_000_000
const sliceBytes = 16 * 1024
const stepMs = 50
const tellMs = 250
const listener = { event: () => undefined, output: () => undefined, restarting: () => undefined, restarted: () => undefined }

/** Engines that move as much as their limits let them, with so many transfers each, and tell it as real ones do. Time stands still in between. */
function setUp(direction: Direction) {
  const timers = new FakeTimers()
  const clock = new FakeClock()
  const { start, last } = fakeHosts()
  const supervisor = new Supervisor({ startHost: start, timers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  const engines: Engine[] = []
  supervisor.setLimits({ uploadBytesPerSecond: limit, downloadBytesPerSecond: limit })
  const engine = (transfers: number, type: 'backup' | 'restore' = 'backup'): Engine => {
    supervisor.start({ job: type === 'backup' ? backupJob : restoreJob, secrets }, listener)
    last().ready()
    const made = new Engine(last(), clock, direction, transfers)
    engines.push(made)
    return made
  }
  const advance = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      for (const one of engines) one.obey()
      await clock.advance(stepMs)
      if ((passedMs + stepMs) % tellMs === 0) for (const one of engines) one.tell()
      await timers.advance(stepMs)
    }
  }
  return { supervisor, engine, advance }
}

class Engine {
  readonly lanes: number[] = []
  readonly #host: FakeHost
  readonly #bucket: TokenBucket
  readonly #direction: Direction
  #obeyed = 0

  constructor(host: FakeHost, clock: FakeClock, direction: Direction, transfers: number) {
    this.#host = host
    this.#direction = direction
    this.#bucket = new TokenBucket(clock)
    this.obey()
    this.open(transfers)
  }

  get bytes(): number {
    return this.lanes.reduce((sum, bytes) => sum + bytes, 0)
  }

  open(transfers: number): void {
    for (let count = 0; count < transfers; count++) void this.#run(this.lanes.push(0) - 1)
    this.tell()
  }

  obey(): void {
    for (; this.#obeyed < this.#host.commands.length; this.#obeyed++) {
      const command = this.#host.commands[this.#obeyed]
      if (command?.type === 'start' || command?.type === 'limits') this.#bucket.setRate(this.#rateOf(command.limits))
    }
  }

  tell(): void {
    for (const [id, bytes] of this.lanes.entries()) {
      this.#host.says({ type: 'transfer', transfer: { id, state: 'active', direction: this.#direction, name: 'pack', bytes, totalBytes: bytes, attempt: 1, bytesPerSecond: 0 } })
    }
  }

  #rateOf({ uploadBytesPerSecond, downloadBytesPerSecond }: Limits): number | undefined {
    return this.#direction === 'up' ? uploadBytesPerSecond : downloadBytesPerSecond
  }

  async #run(lane: number): Promise<void> {
    for (;;) {
      await this.#bucket.take(sliceBytes, new AbortController().signal)
      this.lanes[lane] = (this.lanes[lane] ?? 0) + sliceBytes
    }
  }
}

const sumOf = (engines: readonly Engine[]): number => engines.reduce((sum, { bytes }) => sum + bytes, 0)

test.each((['up', 'down'] as const).flatMap((direction) => [1, 4].flatMap((jobs) => [1, 4, 16].map((transfers) => [direction, jobs, transfers] as const))))(
  '%s, %d jobs with %d transfers each: within 5 %% of the limit over ten seconds', async (direction, jobs, transfers) => {
    const { engine, advance } = setUp(direction)
    const engines = Array.from({ length: jobs }, () => engine(transfers))
    await advance(2_000)
    const before = sumOf(engines)
    await advance(10_000)
    const rate = (sumOf(engines) - before) / 10
    expect(rate / limit).toBeGreaterThan(0.95)
    expect(rate / limit).toBeLessThan(1.05)
  })

test('what three jobs do not use is the fourth’s within two seconds, and theirs again as soon as they want it', async () => {
  const { engine, advance } = setUp('up')
  const busy = engine(4)
  const idle = [engine(0), engine(0), engine(0)]
  await advance(2_000)
  const before = busy.bytes
  await advance(10_000)
  expect((busy.bytes - before) / 10 / limit).toBeGreaterThan(0.95)
  expect((busy.bytes - before) / 10 / limit).toBeLessThan(1.05)
  for (const one of idle) one.open(2)
  await advance(1_000)
  const shares = idle.map(({ bytes }) => bytes)
  await advance(4_000)
  for (const [at, one] of idle.entries()) expect((one.bytes - (shares[at] ?? 0)) / 4 / (limit / 4)).toBeGreaterThan(0.9)
})

test('another limit holds within a second', async () => {
  const { supervisor, engine, advance } = setUp('down')
  const engines = [engine(4), engine(4)]
  await advance(3_000)
  supervisor.setLimits({ downloadBytesPerSecond: limit / 4 })
  await advance(1_000)
  const before = sumOf(engines)
  await advance(5_000)
  const rate = (sumOf(engines) - before) / 5
  expect(rate / (limit / 4)).toBeGreaterThan(0.95)
  expect(rate / (limit / 4)).toBeLessThan(1.05)
})

test('a restore has nine parts of ten beside a backup within a second, and the backup goes on', async () => {
  const { engine, advance } = setUp('down')
  const backup = engine(4)
  await advance(3_000)
  const restore = engine(4, 'restore')
  await advance(1_000)
  const before = { backup: backup.bytes, restore: restore.bytes }
  await advance(5_000)
  expect((restore.bytes - before.restore) / 5 / limit).toBeGreaterThan(0.85)
  expect(backup.bytes).toBeGreaterThan(before.backup)
})
