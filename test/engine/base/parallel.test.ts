import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { forEachParallel } from '../../../engine/base/parallel.ts'

const never = new AbortController().signal

test('works on at most `limit` items at a time and on all of them', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await forEachParallel([1, 2, 3, 4, 5, 6, 7], 3, never, async (item) => {
    most = Math.max(most, ++running)
    await setImmediate()
    running--
    done.push(item)
  })
  expect(most).toBe(3)
  expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('the first error stops the pulling, aborts the others and is thrown after they have ended', async () => {
  const pulled: number[] = []
  let ended = 0
  function* items(): Generator<number> {
    for (let at = 0; ; at++) {
      pulled.push(at)
      yield at
    }
  }
  const result = forEachParallel(items(), 2, never, async (item, signal) => {
    if (item === 1) throw new Error('second fails')
    await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve() }) })
    ended++
  })
  await expect(result).rejects.toThrow('second fails')
  expect(ended).toBe(1)
  expect(pulled.length).toBeLessThan(5)
})
