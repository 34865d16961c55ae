import { expect, test } from 'vitest'
import { StoragePause } from '../../../../engine/backend/flow/storage-pause.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { codeOf } from '../../../suites/backend-contract.ts'
import { FakeClock } from '../fake-clock.ts'

const never = new AbortController().signal
const minute = 60_000

function askFor(retryAfterMs?: number, code: 'throttled' | 'unavailable' = 'throttled'): HoldfastError {
  return new HoldfastError(code, 'Slow down.', { data: retryAfterMs === undefined ? {} : { retryAfterMs } })
}

function pauseOf(patienceMs = 15 * minute) {
  const clock = new FakeClock()
  const waits: boolean[] = []
  const told: number[] = []
  const pause = new StoragePause({ clock, patienceMs, onWaiting: (one) => { waits.push(one) } })
  let heard: (pauseMs: number) => void = () => undefined
  pause.join({ tell: (pauseMs) => { told.push(pauseMs) }, follow: (listener) => { heard = listener; return () => undefined } })
  const passes = (signal = never): { code: string } => {
    const end = { code: '' }
    void codeOf(pause.pass(signal)).then((code) => { end.code = code })
    return end
  }
  return { clock, pause, waits, told, passes, hear: (pauseMs: number) => { heard(pauseMs) } }
}

test.each([['throttled', 4_000, 4_000], ['unavailable', 4_000, 4_000], ['throttled', undefined, 500], ['unavailable', undefined, 0]] as const)('%s, asked for %s ms: all wait %s ms', async (code, asked, wanted) => {
  const { clock, pause, passes } = pauseOf()
  pause.heed(askFor(asked, code))
  const ends = [passes(), passes()]
  await clock.advance(Math.max(0, wanted - 1))
  expect(ends.map((end) => end.code)).toEqual(wanted === 0 ? ['done', 'done'] : ['', ''])
  await clock.advance(1)
  expect(ends.map((end) => end.code)).toEqual(['done', 'done'])
})

test('others are told once of a burst of refusals, and of what they ask for nobody is told', () => {
  const { pause, told, hear } = pauseOf()
  for (const ms of [4_000, 4_050, 3_000]) pause.heed(askFor(ms))
  hear(9_000)
  pause.heed(new HoldfastError('not-found', 'x'))
  expect(told).toEqual([4_000])
})

test('waiting is told when the first begins and the last ends, and can be left at once', async () => {
  const { clock, pause, waits, passes } = pauseOf()
  pause.heed(askFor(4_000))
  const controller = new AbortController()
  const [left, stayed] = [passes(controller.signal), passes()]
  controller.abort()
  await clock.advance(0)
  expect([left.code, stayed.code, waits]).toEqual(['aborted', '', [true]])
  await clock.advance(4_000)
  expect([stayed.code, waits]).toEqual(['done', [true, false]])
})

test('time that is asked for again and again without an answer adds up to the patience, then nobody waits', async () => {
  const { clock, pause, passes } = pauseOf()
  pause.heed(askFor(10 * minute))
  const first = passes()
  await clock.advance(10 * minute)
  expect(first.code).toBe('done')
  pause.heed(askFor(10 * minute))
  await expect(pause.pass(never)).rejects.toMatchObject({ code: 'throttled', message: expect.stringContaining('until 1970-01-01 00:20 UTC') as string })
  expect(pause.closedUntilMs).toBe(0)
  // It opens all the same; once a request is answered that began since, patience is as at first.
  await clock.advance(10 * minute)
  await pause.pass(never)
  pause.answered(20 * minute)
  pause.heed(askFor(10 * minute))
  const last = passes()
  await clock.advance(10 * minute)
  expect(last.code).toBe('done')
})

test('who is held back beyond the patience ends with the code of the refusal that it waited for', async () => {
  const { pause } = pauseOf(1_000)
  pause.heed(askFor(5_000, 'unavailable'))
  await expect(pause.pass(never)).rejects.toMatchObject({ code: 'unavailable', data: { waitedOut: true } })
  pause.heed(new Error('of no storage'))
  await expect(pause.pass(never)).rejects.toMatchObject({ code: 'unavailable' })
})

test('an answer to a request from before the refusal gives no new patience', async () => {
  const { clock, pause } = pauseOf()
  await clock.advance(1)
  pause.heed(askFor(10 * minute))
  pause.answered(0)
  await clock.advance(10 * minute)
  pause.heed(askFor(10 * minute))
  expect(await codeOf(pause.pass(never))).toBe('throttled')
})

test('of what others were asked for, no more is waited for either', async () => {
  const { pause, hear } = pauseOf(20_000)
  hear(30_000)
  expect(await codeOf(pause.pass(never))).toBe('throttled')
})
