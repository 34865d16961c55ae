import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mostSpans, Throughput } from '../../../main/runs/throughput.ts'

describe('how fast a run went', () => {
  it('is what the progress said, second by second', () => {
    const throughput = new Throughput()
    for (const [ms, transferred] of [[5_000, 0], [5_250, 100], [5_900, 300], [6_100, 350], [8_000, 1_350]] as const) throughput.add(ms, transferred)
    expect(throughput.view).toEqual({ everyMs: 1_000, bytes: [300, 50, 0, 1_000] })
  })

  it('goes on where an engine was started again and counts from nothing', () => {
    const throughput = new Throughput()
    for (const [ms, transferred] of [[0, 0], [500, 70], [1_500, 20], [2_500, 50]] as const) throughput.add(ms, transferred)
    expect(throughput.view?.bytes).toEqual([70, 20, 30])
  })

  it('is nothing to look at where nothing was transferred, or in a moment', () => {
    const [idle, short] = [new Throughput(), new Throughput()]
    idle.add(0, 0)
    idle.add(90_000, 0)
    short.add(0, 0)
    short.add(400, 5_000)
    expect([idle.view, short.view]).toEqual([undefined, undefined])
  })

  it('loses no byte and stays small, however long the run and whatever the clock does', () => {
    const step = fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.nat(5_000) }, { weight: 1, arbitrary: fc.integer({ min: -100_000, max: 86_400_000 }) }), fc.nat(1e9))
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 400 }), (steps) => {
      const throughput = new Throughput()
      let [nowMs, transferred] = [1e12, 0]
      throughput.add(nowMs, 0)
      for (const [ms, bytes] of steps) {
        nowMs += ms
        transferred += bytes
        throughput.add(nowMs, transferred)
      }
      const { view } = throughput
      if (!view) return
      expect(view.bytes.length).toBeLessThanOrEqual(mostSpans)
      expect(view.bytes.reduce((sum, one) => sum + one, 0)).toBe(transferred)
    }))
  })
})
