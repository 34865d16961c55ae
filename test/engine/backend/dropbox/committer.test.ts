import { expect, test } from 'vitest'
import type { Commit, FileMetadata } from '../../../../engine/backend/dropbox/api.ts'
import { Committer } from '../../../../engine/backend/dropbox/committer.ts'
import { NamespaceTurns } from '../../../../engine/backend/dropbox/turns.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { tagError } from '../../../../engine/backend/dropbox/errors.ts'
import { FakeClock } from '../fake-clock.ts'
import { codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const turns = (): NamespaceTurns => new NamespaceTurns(systemClock, () => 0)
const commitOf = (path: string): Commit => ({ sessionId: path, size: 1, path, ifAbsent: false })
const fileOf = (path: string): FileMetadata => ({ path_lower: path, size: 1, rev: '1', server_modified: '', content_hash: '' })

/** Each batch waits until it is let go. */
function slow(): { readonly committer: Committer; readonly batches: string[][]; readonly signals: AbortSignal[]; readonly letGo: () => void } {
  const batches: string[][] = []
  const signals: AbortSignal[] = []
  let gate = Promise.withResolvers<void>()
  const committer = new Committer(async (commits, signal) => {
    batches.push(commits.map(({ path }) => path))
    signals.push(signal)
    await gate.promise
    return commits.map(({ path }) => (path === 'bad' ? new HoldfastError('full', 'x') : fileOf(path)))
  }, turns())
  return { committer, batches, signals, letGo: () => { gate.resolve(); gate = Promise.withResolvers(); gate.resolve() } }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what waits while another commit runs goes together, and each gets its own end', async () => {
  const { committer, batches, letGo } = slow()
  const first = committer.commit(commitOf('a'), never)
  await turn()
  const others = ['b', 'bad', 'c'].map((path) => committer.commit(commitOf(path), never))
  const codes = Promise.all(others.map(codeOf))
  await turn()
  expect(batches).toEqual([['a']])
  letGo()
  expect((await first).path_lower).toBe('a')
  expect(await codes).toEqual(['done', 'full', 'done'])
  expect(batches).toEqual([['a'], ['b', 'bad', 'c']])
})

test('a batch that fails fails for all, and the next one runs', async () => {
  let tries = 0
  const committer = new Committer(async (commits) => {
    if (++tries === 1) throw new HoldfastError('throttled', 'x')
    return commits.map(({ path }) => fileOf(path))
  }, turns())
  expect(await codeOf(committer.commit(commitOf('a'), never))).toBe('throttled')
  expect(await codeOf(committer.commit(commitOf('b'), never))).toBe('done')
})

test('who gives up while waiting is not committed; who gives up while others want it does not stop them', async () => {
  const { committer, batches, signals, letGo } = slow()
  const running = [new AbortController(), new AbortController()] as const
  const blocker = committer.alone(turn, never)
  const together = running.map(({ signal }, index) => codeOf(committer.commit(commitOf(`${index}`), signal)))
  await blocker
  await turn()
  const gone = new AbortController()
  const waiting = codeOf(committer.commit(commitOf('gone'), gone.signal))
  gone.abort()
  running[0].abort()
  expect(await waiting).toBe('aborted')
  expect(await together[0]).toBe('aborted')
  expect(signals[0]?.aborted).toBe(false)
  running[1].abort()
  expect(signals[0]?.aborted).toBe(true)
  letGo()
  await Promise.all(together)
  await committer.alone(turn, never)
  expect(batches).toEqual([['0', '1']])
})

test('changes go one after the other, also after one that failed or gave up', async () => {
  const { committer } = slow()
  let running = 0
  const work = async (): Promise<void> => {
    expect(++running).toBe(1)
    await turn()
    running--
  }
  const failing = codeOf(committer.alone(() => Promise.reject(new HoldfastError('offline', 'x')), never))
  const aborted = codeOf(committer.alone(work, AbortSignal.abort()))
  await Promise.all([work, work, work].map((one) => committer.alone(one, never)))
  expect([await failing, await aborted]).toEqual(['offline', 'aborted'])
})

test('of a batch only what met the lock is asked for once more', async () => {
  const clock = new FakeClock()
  const batches: string[][] = []
  const committer = new Committer(async (commits) => {
    batches.push(commits.map(({ path }) => path))
    return commits.map(({ path }, index) => (index === 1 && batches.length === 1 ? tagError(path, { '.tag': 'too_many_write_operations' }, { status: 409 }) : fileOf(path)))
  }, new NamespaceTurns(clock, () => 0))
  const blocker = committer.alone(turn, never)
  const ends = ['a', 'b', 'c'].map((path) => codeOf(committer.commit(commitOf(path), never)))
  await blocker
  await clock.advance(2_000)
  expect(await Promise.all(ends)).toEqual(['done', 'done', 'done'])
  expect(batches).toEqual([['a', 'b', 'c'], ['b']])
})
