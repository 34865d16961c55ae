import { expect, test } from 'vitest'
import { freeBuffer, NativeMemory } from '../../../engine/base/memory.ts'

test('a large buffer is freed at once, through any view of it', () => {
  const whole = new Uint8Array(1 << 20)
  const view = whole.subarray(5, 10)
  freeBuffer(view)
  expect([whole.length, view.length]).toEqual([0, 0])
  freeBuffer(view)
})

test('what may belong to others is left alone: small buffers of a pool, and shared memory', () => {
  const pooled = Buffer.from('abc')
  const neighbour = Buffer.from('def')
  freeBuffer(pooled)
  expect(`${pooled.toString()} ${neighbour.toString()}`).toBe('abc def')
  const shared = new Uint8Array(new SharedArrayBuffer(1 << 20))
  freeBuffer(shared)
  expect(shared.length).toBe(1 << 20)
})

test('buffers too small to be freed are collected before they come to much', async () => {
  const memory = new NativeMemory(1 << 20)
  const dead = new WeakRef(new Uint8Array(100))
  // What a weak reference has just been made of stays for the rest of its task.
  await new Promise((resolve) => setImmediate(resolve))
  for (let index = 0; index < 10; index++) memory.free(new Uint8Array(100_000))
  expect(dead.deref()).toBeDefined()
  await new Promise((resolve) => setImmediate(resolve))
  memory.free(new Uint8Array(100_000))
  expect(dead.deref()).toBeUndefined()
})
