import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { isLocked, NamespaceTurns } from '../../../../engine/backend/dropbox/turns.ts'
import { tagError } from '../../../../engine/backend/dropbox/errors.ts'
import type { Clock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { DropboxServer } from '../../../servers/dropbox.ts'
import { codeOf } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal
const locked = tagError('x', { '.tag': 'too_many_write_operations' }, { status: 429, retryAfterMs: 1000 })

/** Time that leaps from one event to the next. */
class Timeline implements Clock {
  #nowMs = 0
  readonly #events: { readonly atMs: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => { this.#events.push({ atMs: this.#nowMs + ms, wake }) })
  }

  async run(endMs: number): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 30; turn++) await Promise.resolve()
      this.#events.sort((one, other) => one.atMs - other.atMs)
      const next = this.#events.shift()
      if (!next || next.atMs > endMs) return
      this.#nowMs = next.atMs
      next.wake()
    }
  }
}

test('who is refused asks again after the time that Dropbox names, and a random part that does not grow', async () => {
  const clock = new FakeClock()
  const turns = new NamespaceTurns(clock, () => 0.5)
  const asked: number[] = []
  const done = turns.take(async () => {
    asked.push(clock.now())
    if (asked.length < 4) throw locked
  }, never)
  await clock.advance(10_000)
  await done
  expect(asked).toEqual([0, 1250, 2500, 3750])
})

test('other errors, and a lock that nobody gives back, are not waited for', async () => {
  const clock = new FakeClock()
  const turns = new NamespaceTurns(clock, () => 0)
  expect(await codeOf(turns.take(() => Promise.reject(new HoldfastError('throttled', 'x')), never))).toBe('throttled')
  let tries = 0
  const failing = codeOf(turns.take(() => {
    tries++
    return Promise.reject(locked)
  }, never))
  await clock.advance(60_000)
  expect([await failing, tries]).toEqual(['throttled', 30])
  expect([isLocked(locked), isLocked(new HoldfastError('throttled', 'x')), isLocked(undefined)]).toEqual([true, false, false])
})

test.each([[1, 0.95, 0], [2, 0.6, 0.15], [3, 0.6, 0.5]])('%i that change an account all the time use it for at least %f of it, are refused seldom, and have equal parts', async (count, used, refusedShare) => {
  const changeMs = 200
  const endMs = 200_000
  const clock = new Timeline()
  let seed = count
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
  let isBusy = false
  let refusals = 0
  const change = async (): Promise<void> => {
    if (isBusy) {
      refusals++
      throw locked
    }
    isBusy = true
    await clock.sleep(changeMs)
    isBusy = false
  }
  const counts = Array.from({ length: count }, () => 0)
  for (const at of counts.keys()) {
    const turns = new NamespaceTurns(clock, random)
    void (async () => {
      for (;;) {
        await turns.take(change, never)
        counts[at] = (counts[at] ?? 0) + 1
        // The answer is on its way, and so is the next question: meanwhile nobody holds the account.
        await clock.sleep(count === 1 ? 0 : random() * 30)
      }
    })()
  }
  await clock.run(endMs)
  const total = counts.reduce((sum, one) => sum + one, 0)
  expect((total * changeMs) / endMs).toBeGreaterThan(used)
  expect(refusals / total).toBeLessThanOrEqual(refusedShare)
  for (const one of counts) expect(one / total).toBeGreaterThan(0.7 / count)
})

test('who has rested leaves no room once more, and others that are gone are forgotten', async () => {
  const clock = new FakeClock()
  const turns = new NamespaceTurns(clock, () => 0)
  const timeOf = async (): Promise<number> => {
    const begunMs = clock.now()
    const done = turns.take(async () => clock.now() - begunMs, never)
    await clock.advance(5_000)
    return done
  }
  let refused = false
  const meeting = turns.take(async () => {
    if (refused) return
    refused = true
    throw locked
  }, never)
  await clock.advance(1_000)
  await meeting
  expect(await timeOf()).toBe(0)
  expect(await timeOf()).toBe(0)
  expect(await timeOf()).toBe(0)
})

test('two processes that change one account at once both come to their end, and ask seldom', async () => {
  await using server = await DropboxServer.start()
  server.lockMs = 50
  const module = (path: string): string => JSON.stringify(new URL(`../../../../engine/backend/${path}`, import.meta.url).href)
  const program = (name: string): string => `
    const { openBackend } = await import(${module('open.ts')})
    const { fixedCredentials } = await import(${module('credentials.ts')})
    const signal = new AbortController().signal
    await using backend = await openBackend('dropbox:/folder', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal, service: ${JSON.stringify(server.origin)} })
    const put = (at, size) => backend.put('${name}/' + at, { type: 'bytes', bytes: Buffer.alloc(size, at) }, {}, signal)
    await put(0, 10)
    console.log('ready')
    process.stdin.resume()
    await new Promise((resolve) => process.stdin.once('end', resolve))
    for (let at = 1; at <= 40; at++) await put(at, 10)
    await Promise.all([41, 42, 43].map((at) => put(at, 300_000)))`
  const children = ['a', 'b'].map((name) => spawn(process.execPath, ['--input-type=module', '-e', program(name)], { stdio: ['pipe', 'pipe', 'pipe'] }))
  const errors = children.map(({ stderr }) => text(stderr))
  await Promise.all(children.map(({ stdout }) => once(stdout, 'data')))
  const countOf = (name: string): number => [...server.files.keys()].filter((path) => path.startsWith(`/folder/${name}/`)).length
  const exits = children.map(async (child) => ((await once(child, 'exit')) as [number | null])[0])
  for (const child of children) child.stdin.end()
  expect([await Promise.all(exits), await Promise.all(errors)]).toEqual([[0, 0], ['', '']])
  expect([countOf('a'), countOf('b')]).toEqual([44, 44])
  expect(server.requests.length).toBeLessThan(200)
}, 90_000)
