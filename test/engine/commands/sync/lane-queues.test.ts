import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LaneQueues } from '../../../../engine/commands/sync/lane-queues.ts'

const groupOf = (name: string, snapshots: number) => ({ name, copy: Array.from({ length: snapshots }), remove: [], annotate: [] }) as unknown as { name: string } & ConstructorParameters<typeof LaneQueues>[0][number]

/** What each lane does, where all take turns. */
function shares(counts: readonly number[], lanes: number): Record<number, string[]> {
  const queues = new LaneQueues(counts.map((count, at) => groupOf(`g${at}`, count)), lanes)
  const done = Object.fromEntries(queues.numbers.map((number) => [number, [] as string[]]))
  for (let left = true; left; ) {
    left = false
    for (const number of queues.numbers) {
      const next = queues.next(number)
      if (next) done[number]?.push(next.name)
      left ||= next !== undefined
    }
  }
  return done
}

test('a group goes to the same lane, whichever others have something to do', () => {
  expect(shares([1, 1], 2)).toEqual({ 0: ['g0'], 1: ['g1'] })
  expect(shares([0, 1], 2)).toEqual({ 1: ['g1'] })
  expect(shares([1, 0], 2)).toEqual({ 0: ['g0'] })
  expect(shares([0, 0, 1, 0, 1], 4)).toEqual({ 0: ['g4'], 2: ['g2'] })
})

test('a lane without groups of its own takes those of the others', () => {
  expect(shares([1, 0, 1, 0], 2)).toEqual({ 0: ['g0'], 1: ['g2'] })
  expect(shares([1, 1, 1, 1, 1, 0], 2)).toEqual({ 0: ['g0', 'g2', 'g4'], 1: ['g1', 'g3'] })
})

test('every group is worked on once, by as many lanes as there are groups and lanes for', () => {
  fc.assert(fc.property(fc.array(fc.nat(2), { maxLength: 40 }), fc.integer({ min: 1, max: 16 }), (counts, lanes) => {
    const done = shares(counts, lanes)
    const waiting = counts.flatMap((count, at) => (count > 0 ? [`g${at}`] : []))
    expect(Object.values(done).flat().sort()).toEqual(waiting.toSorted())
    expect(Object.keys(done)).toHaveLength(Math.min(lanes, waiting.length))
    expect(Object.values(done).every((each) => each.length > 0)).toBe(true)
  }))
})
