import { expect, test } from 'vitest'
import { HoldfastError } from '../../../engine/base/errors.ts'
import { fetchIfThere, fetchOpened } from '../../../engine/repository/fetch.ts'
import { codeOf } from '../../suites/backend-contract.ts'

const good = Uint8Array.of(1)
const bad = Uint8Array.of(0)

/** Gives these, one after the other, and counts. */
function source(...replies: readonly (Uint8Array | HoldfastError)[]) {
  let count = 0
  return {
    get count() { return count },
    fetch: async (): Promise<Uint8Array> => {
      const reply = replies[count++]
      if (reply instanceof Uint8Array) return reply
      throw reply ?? new Error('asked once too often')
    },
  }
}

function open(bytes: Uint8Array): string {
  if (bytes[0] !== 1) throw new HoldfastError('damaged', 'spoilt')
  return 'opened'
}

const damaged = new HoldfastError('damaged', 'too short')
const gone = new HoldfastError('not-found', 'gone')
const away = new HoldfastError('offline', 'away')

test.each([['whole at once', [good], 1], ['spoilt on the way', [bad, good], 2], ['cut off on the way', [damaged, good], 2]] as const)('%s', async (_name, replies, count) => {
  const from = source(...replies)
  expect(await fetchOpened(from.fetch, open)).toBe('opened')
  expect(from.count).toBe(count)
})

test.each([['damaged', [bad, bad], 2], ['damaged', [bad, damaged], 2], ['not-found', [gone], 1], ['not-found', [bad, gone], 2], ['offline', [away], 1]] as const)('%s', async (code, replies, count) => {
  const from = source(...replies)
  expect(await codeOf(fetchOpened(from.fetch, open))).toBe(code)
  expect(from.count).toBe(count)
})

test('what is not there is nothing, and what is damaged is an error', async () => {
  expect(await fetchIfThere(source(gone).fetch, open)).toBeUndefined()
  expect(await fetchIfThere(source(bad, good).fetch, open)).toBe('opened')
  expect(await codeOf(fetchIfThere(source(bad, bad).fetch, open))).toBe('damaged')
})
