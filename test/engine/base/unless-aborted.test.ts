import { expect, test } from 'vitest'
import { unlessAborted } from '../../../engine/base/abort.ts'

const never = new AbortController().signal

test('brings what the promise brings', async () => {
  expect(await unlessAborted(Promise.resolve(1), never)).toBe(1)
  await expect(unlessAborted(Promise.reject(new Error('x')), never)).rejects.toThrow('x')
})

test('rejects at once when the signal fires, before or after', async () => {
  await expect(unlessAborted(new Promise(() => undefined), AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
  const controller = new AbortController()
  const waiting = unlessAborted(new Promise(() => undefined), controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
})
