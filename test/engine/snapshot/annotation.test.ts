import { describe, expect, it } from 'vitest'
import { expectChange, mergeAnnotation, nextCounter, outdatedRecords } from '../../../engine/snapshot/annotation.ts'
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
