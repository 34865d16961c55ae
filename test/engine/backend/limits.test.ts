import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { TokenBucket, type Bandwidth } from '../../../engine/backend/bandwidth.ts'
import { faultRule, withFaults } from '../../../engine/backend/faulty/faulty.ts'
import { shownName, withLimits } from '../../../engine/backend/limits.ts'
import { withLog } from '../../../engine/backend/log.ts'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import { AdaptivePermits } from '../../../engine/backend/permits.ts'
import { probeBackend } from '../../../engine/backend/probe.ts'
import { createLog, type LogLine } from '../../../engine/base/log.ts'
import type { TransferEvent } from '../../../engine/protocol/progress.ts'
import { bytesOf, codeOf, names } from '../../suites/backend-contract.ts'
import { FakeClock } from './fake-clock.ts'

const never = new AbortController().signal

function bandwidth(clock: FakeClock, up?: number, down?: number): Bandwidth {
  return { up: new TokenBucket(clock, up), down: new TokenBucket(clock, down) }
}

test('a transfer is a lane: it begins, moves and ends, with its attempt', async () => {
  const clock = new FakeClock()
  const events: TransferEvent[] = []
  const backend = withLimits(openMemory(randomUUID(), clock), { permits: new AdaptivePermits(2, clock), bandwidth: bandwidth(clock, 100_000), clock, onTransfer: (event) => events.push(event) })
  void backend.put('packs/3f/3f2a0011', { type: 'bytes', bytes: new Uint8Array(300_000) }, { attempt: 2 }, never)
  await clock.advance(10_000)
  expect(events[0]).toMatchObject({ state: 'active', direction: 'up', name: 'pack 3f2a…', bytes: 0, totalBytes: 300_000, attempt: 2 })
  expect(events.at(-1)).toMatchObject({ state: 'done', bytes: 300_000 })
  expect(events.length).toBeGreaterThan(3)
  expect(new Set(events.map((event) => event.id)).size).toBe(1)
  const bytes = events.map((event) => event.bytes)
  expect(bytes).toEqual(bytes.toSorted((a, b) => a - b))
  expect(events.at(-1)?.bytesPerSecond).toBeGreaterThan(90_000)
})

test('a get is held to the download limit and ends as failed when it fails', async () => {
  const clock = new FakeClock()
  const events: TransferEvent[] = []
  const backend = withLimits(openMemory(randomUUID(), clock), { permits: new AdaptivePermits(2, clock), bandwidth: bandwidth(clock, undefined, 100_000), clock, onTransfer: (event) => events.push(event) })
  await backend.put('x', { type: 'bytes', bytes: new Uint8Array(1_000_000) }, {}, never)
  let got = 0
  void backend.get('x', 'all', never).then((bytes) => { got = bytes.length })
  await clock.advance(9_000)
  expect(got).toBe(0)
  await clock.advance(1_500)
  expect(got).toBe(1_000_000)
  expect(await codeOf(backend.get('gone', 'all', never))).toBe('not-found')
  expect(events.at(-1)).toMatchObject({ state: 'failed', direction: 'down' })
})

test('a failed transfer gives its permit back, and throttling holds the next one up', async () => {
  const clock = new FakeClock()
  const faulty = withFaults(openMemory(randomUUID(), clock), { seed: 1, rules: [faultRule('put', 'before', { times: 1, code: 'throttled', retryAfterMs: 4000 })] }, clock)
  const backend = withLimits(faulty, { permits: new AdaptivePermits(1, clock), bandwidth: bandwidth(clock), clock })
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
