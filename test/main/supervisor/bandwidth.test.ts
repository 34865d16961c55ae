import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { divide, estimateDemand } from '../../../main/supervisor/bandwidth.ts'
import type { Consumer } from '../../../main/supervisor/bandwidth.ts'

const hungry = (id: string, more: Partial<Consumer> = {}): Consumer => ({ id, weight: 1, demand: Infinity, cap: Infinity, ...more })

describe('divide', () => {
  it('gives equal parts to equals, and by weight to others', () => {
    expect([...divide(100, [hungry('a'), hungry('b')]).values()]).toEqual([50, 50])
    expect([...divide(100, [hungry('backup'), hungry('restore', { weight: 9 })]).values()]).toEqual([10, 90])
  })

  it('gives what one cannot use to the others', () => {
    expect(divide(100, [hungry('a', { demand: 10 }), hungry('b')]).get('b')).toBe(90)
    expect(divide(100, [hungry('a', { cap: 20 }), hungry('b')]).get('b')).toBe(80)
  })

  it('without a limit leaves each its own cap', () => {
    expect([...divide(Infinity, [hungry('a'), hungry('b', { cap: 5 })]).values()]).toEqual([Infinity, 5])
  })

  it('never gives out more than the limit, nor above a cap, and leaves nothing that a cap would allow', () => {
    const consumer = fc.record({ weight: fc.integer({ min: 1, max: 9 }), demand: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 2000 })), cap: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 2000 })) })
    fc.assert(fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(consumer, { minLength: 1, maxLength: 6 }), (limit, list) => {
      const consumers = list.map((one, at): Consumer => ({ id: String(at), ...one }))
      const shares = divide(limit, consumers)
      const total = [...shares.values()].reduce((sum, one) => sum + one, 0)
      const most = Math.min(limit, consumers.reduce((sum, one) => sum + one.cap, 0))
      expect(total).toBeLessThanOrEqual(limit * 1.000001)
      expect(total).toBeGreaterThanOrEqual(most * 0.999999)
      for (const one of consumers) expect(shares.get(one.id) ?? 0).toBeLessThanOrEqual(one.cap * 1.000001)
    }))
  })
})

describe('estimateDemand', () => {
  it('takes an engine that is new or near its share as hungry, and lets an idle one keep a little', () => {
    expect(estimateDemand(Infinity, undefined, 100)).toBe(Infinity)
    expect(estimateDemand(45, 50, 100)).toBe(Infinity)
    expect(estimateDemand(20, 50, 100)).toBe(30)
    expect(estimateDemand(0, 50, 100)).toBe(1)
  })
})
