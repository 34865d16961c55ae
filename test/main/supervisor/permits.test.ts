import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PermitBroker } from '../../../main/supervisor/permits.ts'

function ask(broker: PermitBroker, log: string[], holder: string, request: number, cap = 2, account = 'dropbox:1'): void {
  broker.request(holder, request, account, cap, () => log.push(`${holder}${request}`))
}

describe('PermitBroker', () => {
  it('shares one cap among engines of one account, in order of arrival', () => {
    const broker = new PermitBroker()
    const log: string[] = []
    for (const [holder, request] of [['a', 1], ['b', 1], ['a', 2], ['b', 2]] as const) ask(broker, log, holder, request)
    expect(log).toEqual(['a1', 'b1'])
    broker.release('a', 1)
    expect(log).toEqual(['a1', 'b1', 'a2'])
    ask(broker, log, 'c', 1, 2, 'another')
    expect(log.at(-1)).toBe('c1')
  })

  it('holds to the smallest cap where engines disagree, whoever asks first and however often', () => {
    for (const [first, second] of [[1, 4], [4, 1], [2, 3], [3, 2]] as const) {
      const broker = new PermitBroker()
      const log: string[] = []
      ask(broker, log, 'a', 1, first)
      for (let request = 2; request <= 5; request++) ask(broker, log, 'b', request, second)
      for (let request = 6; request <= 9; request++) ask(broker, log, 'a', request, first)
      expect([first, second, broker.held('dropbox:1')]).toEqual([first, second, Math.min(first, second)])
      expect(log).toHaveLength(Math.min(first, second))
    }
  })

  it('the cap of an engine that is gone no longer counts', () => {
    const broker = new PermitBroker()
    const log: string[] = []
    ask(broker, log, 'a', 1, 1)
    for (let request = 1; request <= 3; request++) ask(broker, log, 'b', request, 3)
    expect(log).toEqual(['a1'])
    broker.drop('a')
    expect(log).toEqual(['a1', 'b1', 'b2', 'b3'])
  })

  it('frees everything of an engine that is gone, also what waited', () => {
    const broker = new PermitBroker()
    const log: string[] = []
    ask(broker, log, 'a', 1, 1)
    ask(broker, log, 'a', 2, 1)
    ask(broker, log, 'b', 1, 1)
    broker.drop('a')
    expect(log).toEqual(['a1', 'b1'])
    broker.drop('b')
    expect(broker.held('dropbox:1')).toBe(0)
  })

  it('serves a restore first and holds backups to one transfer while it runs', () => {
    const broker = new PermitBroker()
    const log: string[] = []
    broker.setForeground('r', true)
    for (let request = 1; request <= 3; request++) ask(broker, log, 'b', request, 3)
    broker.setYielding(true)
    ask(broker, log, 'b', 4, 3)
    ask(broker, log, 'r', 1, 3)
    broker.release('b', 1)
    expect(log).toEqual(['b1', 'b2', 'b3', 'r1'])
    broker.release('b', 2)
    broker.release('r', 1)
    expect(log).toHaveLength(4)
    broker.setYielding(false)
    expect(log.at(-1)).toBe('b4')
  })

  it('serves whoever has the fewest, so that who asks for much starves nobody', () => {
    const broker = new PermitBroker()
    const log: string[] = []
    for (let request = 1; request <= 6; request++) ask(broker, log, 'a', request, 4)
    ask(broker, log, 'b', 1, 4)
    ask(broker, log, 'b', 2, 4)
    for (const request of [1, 2]) broker.release('a', request)
    expect(log.slice(4)).toEqual(['b1', 'b2'])
    broker.release('a', 3)
    broker.release('a', 4)
    // Nobody else wants what is left.
    expect(log.slice(6)).toEqual(['a5', 'a6'])
  })

  it('keeps all accounts together beneath one budget, and gives what one leaves to another', () => {
    const broker = new PermitBroker(3)
    const log: string[] = []
    for (let request = 1; request <= 3; request++) ask(broker, log, 'a', request, 2, 'x')
    for (let request = 1; request <= 3; request++) ask(broker, log, 'b', request, 4, 'y')
    expect(log).toEqual(['a1', 'a2', 'b1'])
    broker.release('a', 1)
    expect(log.at(-1)).toBe('a3')
    broker.drop('a')
    expect(log.slice(4)).toEqual(['b2', 'b3'])
  })

  it('never exceeds the cap and never forgets anybody, whatever the order', () => {
    const action = fc.record({ holder: fc.constantFrom('a', 'b', 'c'), request: fc.nat(6), kind: fc.constantFrom('ask', 'ask', 'release', 'drop', 'yield', 'back') })
    fc.assert(fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (actions, cap) => {
      const broker = new PermitBroker()
      const open = new Map<string, boolean>()
      broker.setForeground('c', true)
      for (const { holder, request, kind } of actions) {
        const key = `${holder}${request}`
        if (kind === 'ask' && !open.has(key)) {
          open.set(key, false)
          broker.request(holder, request, 'x', cap, () => open.set(key, true))
        } else if (kind === 'release') { broker.release(holder, request); open.delete(key) }
        else if (kind === 'drop') { broker.drop(holder); for (const one of [...open.keys()]) if (one.startsWith(holder)) open.delete(one) }
        else if (kind === 'yield' || kind === 'back') broker.setYielding(kind === 'yield')
        expect(broker.held('x')).toBeLessThanOrEqual(cap)
      }
      broker.setYielding(false)
      const granted = [...open.values()].filter(Boolean).length
      expect(granted).toBe(Math.min(cap, open.size))
      expect(broker.held('x')).toBe(granted)
    }))
  })
})
