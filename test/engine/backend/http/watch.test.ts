import { describe, expect, test } from 'vitest'
import { standardLimits } from '../../../../engine/backend/http/limits.ts'
import { Responsiveness, Watch, type WatchOptions } from '../../../../engine/backend/http/watch.ts'
import { hasCode } from '../../../../engine/base/errors.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal

/** An exchange that lasts until its watch ends it, moving bytes as the test says. */
class Run {
  readonly clock = new FakeClock()
  readonly host: Responsiveness
  watch!: Watch
  endedMs: number | undefined
  error: unknown
  #finish!: () => void

  constructor(options: Partial<WatchOptions> = {}, signal = never) {
    this.host = options.host ?? new Responsiveness()
    void Watch.run({ kind: 'object', limits: standardLimits, clock: this.clock, host: this.host, ...options }, signal, (watch) => {
      this.watch = watch
      return new Promise<void>((resolve, reject) => {
        this.#finish = resolve
        watch.signal.addEventListener('abort', () => { reject(new Error('torn')) })
      })
    }).catch((error: unknown) => { this.error = error }).finally(() => { this.endedMs = this.clock.monotonic() })
  }

  /** Moves `bytes` every `everyMs` for `ms`. */
  async move(bytes: number, everyMs: number, ms: number): Promise<void> {
    for (let passed = 0; passed < ms && this.endedMs === undefined; passed += everyMs) {
      await this.clock.advance(everyMs)
      this.watch.moved(bytes)
    }
  }

  async end(): Promise<void> {
    this.#finish()
    await this.clock.advance(0)
  }
}

describe('how long an exchange may take', () => {
  test('nothing at all moves: it ends as offline after 40 s', async () => {
    const run = new Run()
    await run.clock.advance(39_000)
    expect(run.endedMs).toBeUndefined()
    await run.clock.advance(2_000)
    expect(run.endedMs).toBe(40_000)
    expect(hasCode(run.error, 'offline')).toBe(true)
  })

  test('one byte in five seconds is cut at about the same time', async () => {
    const run = new Run()
    await run.move(1, 5_000, 120_000)
    expect(run.endedMs).toBeLessThanOrEqual(42_000)
  })

  test.each([
    ['1 kB/s in sips', 1_000, 1_000], ['a tenth of 1 kB/s', 100, 1_000], ['1 kB/s as a full send buffer shows it', 30_000, 30_000],
  ])('%s goes on for hours', async (_what, bytes, everyMs) => {
    const run = new Run()
    await run.move(bytes, everyMs, 3 * 3_600_000)
    expect(run.endedMs).toBeUndefined()
    await run.end()
    expect(run.error).toBeUndefined()
  })

  test('a fast beginning buys no more than 40 s', async () => {
    const run = new Run()
    run.watch.moved(1e9)
    await run.clock.advance(41_000)
    expect(run.endedMs).toBe(40_000)
  })

  test('what moves no object ends after ten minutes, however it moves', async () => {
    const run = new Run({ kind: 'small' })
    await run.move(10_000, 1_000, 20 * 60_000)
    expect(run.endedMs).toBe(600_000)
    expect(hasCode(run.error, 'offline')).toBe(true)
  })

  test('a request that takes the server long lives on a byte now and then', async () => {
    const run = new Run({ kind: 'slow' })
    await run.move(1, 20_000, 9 * 60_000)
    expect(run.endedMs).toBeUndefined()
    await run.move(1, 20_000, 5 * 60_000)
    expect(run.endedMs).toBe(600_000)
  })

  test('a connection has 15 s; once it stands, the reply has its own time', async () => {
    const run = new Run()
    run.watch.connecting()
    await run.clock.advance(14_000)
    run.watch.stepped()
    await run.clock.advance(39_000)
    expect(run.endedMs).toBeUndefined()
    const other = new Run()
    other.watch.connecting()
    await other.clock.advance(16_000)
    expect(other.endedMs).toBe(15_000)
  })

  test('waiting for one\'s own bandwidth limit is no standstill', async () => {
    const run = new Run()
    const granted = run.watch.granted(1000, () => run.clock.sleep(120_000, never))
    await run.clock.advance(119_000)
    expect(run.endedMs).toBeUndefined()
    await run.clock.advance(1_000)
    expect(await granted).toBe(1000)
    await run.clock.advance(39_000)
    expect(run.endedMs).toBeUndefined()
    await run.clock.advance(2_000)
    expect(run.endedMs).toBeGreaterThanOrEqual(160_000)
  })

  test('a look that comes late (suspend) is not held against the server', async () => {
    let nowMs = 0
    let wake: (() => void) | undefined
    const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => new Promise<void>((resolve) => { wake = resolve }) }
    let ended = false
    void Watch.run({ kind: 'object', limits: standardLimits, clock, host: new Responsiveness() }, never, (watch) => new Promise<void>((resolve) => {
      watch.signal.addEventListener('abort', () => { ended = true; resolve() })
    }))
    const look = async (ms: number): Promise<void> => {
      nowMs += ms
      wake?.()
      await new Promise((resolve) => { setImmediate(resolve) })
    }
    await look(3_600_000)
    for (let second = 0; second < 30; second++) await look(1_000)
    expect(ended).toBe(false)
    for (let second = 0; second < 15; second++) await look(1_000)
    expect(ended).toBe(true)
  })
})

describe('a host that stood still', () => {
  test('has 5 s for the next small request, and its whole time again once it answered', async () => {
    const host = new Responsiveness()
    await new Run({ host }).clock.advance(41_000)
    const second = new Run({ host, kind: 'small' })
    await second.clock.advance(6_000)
    expect(second.endedMs).toBe(5_000)
    const third = new Run({ host, kind: 'small' })
    third.watch.answered()
    await third.end()
    const fourth = new Run({ host, kind: 'small' })
    await fourth.clock.advance(30_000)
    expect(fourth.endedMs).toBeUndefined()
  })

  test('has its whole time for an object of more than 64 KiB: on a slow line that is how it looks', async () => {
    const host = new Responsiveness()
    host.silent = true
    const run = new Run({ host, bytes: 16 * 1024 * 1024 })
    await run.clock.advance(30_000)
    expect(run.endedMs).toBeUndefined()
  })
})

test('the caller\'s signal ends it at once, with the caller\'s reason', async () => {
  const controller = new AbortController()
  const run = new Run({}, controller.signal)
  controller.abort()
  await run.clock.advance(0)
  expect(hasCode(run.error, 'aborted')).toBe(true)
})

test('the error of a body that fails is the exchange\'s', async () => {
  const run = new Run()
  const reason = new Error('disk')
  run.watch.fail(reason)
  await run.clock.advance(0)
  expect(run.error).toBe(reason)
})
