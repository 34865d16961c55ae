import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectChange, lackingRecords, mergeAnnotation, nextCounter, outdatedRecords } from '../../../engine/snapshot/annotation.ts'
import type { AnnotationChange, AnnotationRecord } from '../../../engine/snapshot/annotation.ts'

function record(id: string, counter: number, change: AnnotationChange): AnnotationRecord {
  return { id, counter, change }
}

/** Every order of the items. */
function orders<T>(items: readonly T[]): T[][] {
  return items.length <= 1 ? [[...items]] : items.flatMap((item, at) => orders(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}

const first = record('a', 1, { pinned: true, name: 'first' })
const second = record('c', 2, { pinned: false })
const rival = record('b', 2, { pinned: true, note: 'n' })
const third = record('d', 3, { name: '' })

describe('annotations', () => {
  it('are the same in whichever order they come: by counter, then by id, each field by itself', () => {
    for (const order of orders([first, second, rival, third])) expect(mergeAnnotation(order)).toEqual({ pinned: false, name: '', note: 'n' })
    expect(mergeAnnotation([])).toEqual({ pinned: false, name: '', note: '' })
  })

  it('outdated ones are those of which nothing counts', () => {
    expect(outdatedRecords([first, second, rival]).map(({ id }) => id)).toEqual([])
    expect(outdatedRecords([first, second, rival, third]).map(({ id }) => id)).toEqual(['a'])
    expect(outdatedRecords([record('a', 7, { name: 'x' }), record('b', 7, { name: 'y' })]).map(({ id }) => id)).toEqual(['a'])
    expect(outdatedRecords([first]).map(({ id }) => id)).toEqual([])
  })

  it('lose nothing, whichever machines tidy up after having seen whichever part, in whichever order', () => {
    const all = [first, second, rival, third, record('e', 4, { note: 'm', pinned: true })]
    const whole = mergeAnnotation(all)
    for (let seen = 0; seen < 2 ** all.length; seen++) {
      for (let other = 0; other < 2 ** all.length; other++) {
        const gone = [seen, other].flatMap((mask) => outdatedRecords(all.filter((_, at) => (mask & (2 ** at)) !== 0)))
        expect(mergeAnnotation(all.filter((each) => !gone.includes(each)))).toEqual(whole)
      }
    }
  })

  it('count above all that was seen', () => {
    expect([nextCounter([]), nextCounter([third, first])]).toEqual([1, 4])
  })

  it.each<[AnnotationChange, RegExp | undefined]>([
    [{}, /Nothing to change/],
    [{ name: 'x'.repeat(201) }, /at most 200/],
    [{ note: 'x'.repeat(10_001) }, /at most 10000/],
    [{ name: 'two\nlines' }, /one line/],
    [{ name: '\u2028' }, /one line/],
    [{ name: '\ud800' }, /one line/],
    [{ note: 'a\u001b[2J' }, /control/],
    [{ note: '\ud800' }, /control/],
    [{ name: '', note: 'two\nlines\twith a tab' }, undefined],
    [{ pinned: false }, undefined],
  ])('%j: %s', (change, words) => {
    if (words) expect(() => { expectChange(change) }).toThrow(words)
    else expect(() => { expectChange(change) }).not.toThrow()
  })
})

describe('what is carried to another copy', () => {
  it('lacks there, counts beside what is said there, and is no judgement of an unusual run', () => {
    const theirs = [record('a', 1, { name: 'x', fine: true }), record('b', 2, { pinned: true }), record('c', 3, { fine: true })]
    expect(lackingRecords(theirs, [])).toEqual([record('a', 1, { name: 'x' }), record('b', 2, { pinned: true })])
    expect(lackingRecords(theirs, [record('a', 1, { name: 'x' })])).toEqual([record('b', 2, { pinned: true })])
    expect(lackingRecords(theirs, [record('d', 5, { name: 'y' })])).toEqual([record('b', 2, { pinned: true })])
    expect(lackingRecords(theirs, [record('d', 5, { name: 'y', pinned: false })])).toEqual([])
  })

  it('is nothing that would have the last word for ever, or that nobody could have written', () => {
    expect(lackingRecords([record('a', Number.MAX_SAFE_INTEGER, { name: 'x' }), record('b', 1, { name: 'two\nlines' }), record('c', 1, { note: '\u001b[2J' })], [])).toEqual([])
  })

  it('brings all copies to say the same, whatever is said where and whichever syncs run in between', () => {
    const change = fc.record({ pinned: fc.boolean(), name: fc.constantFrom('', 'x', 'y'), note: fc.constantFrom('', 'n') }, { requiredKeys: [] }).filter((one) => Object.keys(one).length > 0)
    const step = fc.oneof(fc.record({ type: fc.constant('say' as const), at: fc.nat(2), change }), fc.record({ type: fc.constant('sync' as const), at: fc.nat(2), to: fc.nat(2) }))
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const copies: AnnotationRecord[][] = [[], [], []]
      const settle = (at: number, added: readonly AnnotationRecord[]): void => {
        const all = [...copies[at] ?? [], ...added]
        const gone = new Set(outdatedRecords(all).map(({ id }) => id))
        copies[at] = all.filter(({ id }) => !gone.has(id))
      }
      const sync = (from: number, to: number): void => { settle(to, lackingRecords(copies[from] ?? [], copies[to] ?? [])) }
      for (const [at, one] of steps.entries()) {
        if (one.type === 'sync') sync(one.at, one.to)
        else settle(one.at, [{ id: String(at).padStart(3, '0'), counter: nextCounter(copies[one.at] ?? []), change: one.change }])
      }
      for (let round = 0; round < 2; round++) for (const [from, to] of [[0, 1], [1, 2], [2, 0]] as const) sync(from, to)
      const said = copies.map((records) => mergeAnnotation(records))
      expect(said[1]).toEqual(said[0])
      expect(said[2]).toEqual(said[0])
      expect(copies.map((records, at) => lackingRecords(records, copies[(at + 1) % 3] ?? []))).toEqual([[], [], []])
    }))
  })
})
