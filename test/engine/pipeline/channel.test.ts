import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Channel } from '../../../engine/pipeline/channel.ts'
import { runStage } from '../../../engine/pipeline/stage.ts'

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve) })

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await turn()
}

test('send waits while the channel is full', async () => {
  const channel = new Channel<number>(2)
  await channel.send(1)
  await channel.send(2)
  let sent = false
  const third = channel.send(3).then(() => { sent = true })
  await turns(3)
  expect(sent).toBe(false)
  expect(await channel.receive()).toEqual({ done: false, value: 1 })
  await third
  expect(sent).toBe(true)
})

test('every value that was accepted arrives in order, whatever the pace of the two sides', async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.nat({ max: 3 }), { maxLength: 40 }), fc.array(fc.nat({ max: 3 }), { maxLength: 40 }), fc.integer({ min: 1, max: 5 }),
    async (senderPauses, receiverPauses, capacity) => {
      const channel = new Channel<number>(capacity)
      let ahead = 0
      const sender = (async () => {
        for (const [value, pause] of senderPauses.entries()) {
          await turns(pause)
          await channel.send(value)
          ahead = Math.max(ahead, channel.size)
        }
        channel.close()
      })()
      const received: number[] = []
      for await (const value of channel) {
        received.push(value)
        await turns(receiverPauses[value] ?? 0)
      }
      await sender
      expect(received).toEqual(senderPauses.map((_, at) => at))
      expect(ahead).toBeLessThanOrEqual(capacity)
    },
  ), { numRuns: 40 })
})

test('closing lets values that wait for room through', async () => {
  const channel = new Channel<number>(1)
  const sends = [channel.send(1), channel.send(2), channel.send(3)]
  channel.close()
  const received: number[] = []
  for await (const value of channel) received.push(value)
  await Promise.all(sends)
  expect(received).toEqual([1, 2, 3])
  await expect(channel.send(4)).rejects.toMatchObject({ code: 'internal' })
})

test('an error reaches those who wait on both sides, and those who come later', async () => {
  const full = new Channel<number>(1)
  await full.send(1)
  const sender = full.send(2)
  const empty = new Channel<number>(1)
  const receiver = empty.receive()
  full.fail(new Error('broken'))
  empty.fail(new Error('broken'))
  await expect(sender).rejects.toThrow('broken')
  await expect(receiver).rejects.toThrow('broken')
  await expect(full.receive()).rejects.toThrow('broken')
  await expect(full.send(3)).rejects.toThrow('broken')
})

test('a fired signal fails the channel', async () => {
  const stop = new AbortController()
  const channel = new Channel<number>(1).failOn(stop.signal)
  const receiver = channel.receive()
  stop.abort()
  await expect(receiver).rejects.toMatchObject({ code: 'aborted' })
})

test('stages lose nothing, work on as many values as allowed, and close one another', async () => {
  await fc.assert(fc.asyncProperty(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), async (count, concurrency, capacity) => {
    const first = new Channel<number>(capacity)
    const second = new Channel<number>(capacity)
    let active = 0
    let most = 0
    const doubling = runStage({
      input: first, outputs: [second], concurrency,
      work: async (value) => {
        most = Math.max(most, ++active)
        await turns(value % 3)
        active--
        await second.send(value * 2)
      },
    })
    const results: number[] = []
    const collecting = runStage({ input: second, concurrency: 1, work: async (value) => { results.push(value) } })
    for (let value = 0; value < count; value++) await first.send(value)
    first.close()
    await Promise.all([doubling, collecting])
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at * 2))
    expect(most).toBeLessThanOrEqual(concurrency)
  }), { numRuns: 30 })
})

test('an error in the middle stops the stages before and behind it, after running work has ended', async () => {
  const first = new Channel<number>(1)
  const second = new Channel<number>(1)
  let running = 0
  const failing = runStage({
    input: first, outputs: [second], concurrency: 2,
    work: async (value) => {
      running++
      await turns(value === 1 ? 1 : 6)
      running--
      if (value === 1) throw new Error('stage broke')
    },
  })
  const behind = runStage({ input: second, concurrency: 1, work: async () => undefined })
  const sending = (async () => { for (let value = 0; ; value++) await first.send(value) })()
  const runningAtEnd = failing.catch(() => running)
  const settled = await Promise.allSettled([failing, sending, behind])
  expect(await runningAtEnd).toBe(0)
  for (const each of settled) expect(each).toMatchObject({ status: 'rejected', reason: { message: 'stage broke' } })
})
