import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { arrangeLanes, type Lanes } from '../../../renderer/state/lanes.ts'
import { isBelow, joinPath, pathBytes, pathKey } from '../../../renderer/state/path.ts'
import type { JobView } from '../../../renderer/state/bridge.ts'
import { Selection } from '../../../renderer/state/selection.svelte.ts'
import { byDay, firstChoice, seriesOf } from '../../../renderer/state/snapshots.ts'
import { strengthOf } from '../../../renderer/state/strength.ts'
import { strengthWords } from '../../../renderer/text/strength.ts'
import { snapshots, transfers } from '../fixtures.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const key = (text: string): string => pathKey(bytes(text))

describe('lanes', () => {
  const transfer = (id: number) => ({ ...transfers(0)[0]!, id })
  const ids = (lanes: Lanes) => lanes.map((lane) => lane?.id)

  test('a transfer keeps its lane, a free lane stays and is taken next', () => {
    const first = arrangeLanes([], [transfer(1), transfer(2), transfer(3)])
    expect(ids(first)).toEqual([1, 2, 3])
    const second = arrangeLanes(first, [transfer(1), transfer(3)])
    expect(ids(second)).toEqual([1, undefined, 3])
    expect(ids(arrangeLanes(second, [transfer(3), transfer(4), transfer(5)]))).toEqual([4, 5, 3])
  })

  test('every transfer is in exactly one lane, and those that stay do not move', () => {
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 8 }))), (rounds) => {
        let lanes: Lanes = []
        for (const round of rounds) {
          const next = arrangeLanes(lanes, round.map(transfer))
          expect(ids(next).filter((id) => id !== undefined).sort()).toEqual([...round].sort())
          for (const [at, lane] of lanes.entries()) if (lane && round.includes(lane.id)) expect(next[at]?.id).toBe(lane.id)
          lanes = next
        }
      })
    )
  })
})

describe('paths', () => {
  test('keep every byte on the way to a key and back', () => {
    fc.assert(fc.property(fc.uint8Array(), (path) => { expect(pathBytes(pathKey(path))).toEqual(path) }))
  })

  test('are joined by a slash below the root', () => {
    expect(joinPath(new Uint8Array(), bytes('home'))).toEqual(bytes('home'))
    expect(joinPath(bytes('home'), Uint8Array.of(0xe9))).toEqual(Uint8Array.of(...bytes('home/'), 0xe9))
  })

  test('a neighbour with the same beginning is not below', () => {
    expect(isBelow(key('a/b'), key('a'))).toBe(true)
    expect(isBelow(key('ab'), key('a'))).toBe(false)
    expect(isBelow(key('a'), key('a'))).toBe(false)
    expect(isBelow(key('a'), '')).toBe(true)
  })
})

describe('the selection', () => {
  test('a folder covers what is inside and shows when something inside is chosen', () => {
    const selection = new Selection()
    selection.toggle(key('docs/a/x'))
    expect(selection.of(key('docs'))).toBe('partly')
    expect(selection.of(key('docs/a/x'))).toBe('chosen')
    selection.toggle(key('docs'))
    expect(selection.of(key('docs/a/x'))).toBe('chosen')
    expect(selection.of(key('docs/other'))).toBe('chosen')
    expect(selection.of(key('docs2'))).toBe('none')
    expect([selection.paths, selection.except]).toEqual([[bytes('docs')], []])
  })

  test('one thing inside a chosen folder can be let go, and something in that be chosen again', () => {
    const selection = new Selection()
    selection.toggle(key('docs'))
    selection.toggle(key('docs/a'))
    expect(['docs', 'docs/a', 'docs/a/x', 'docs/b'].map((path) => selection.of(key(path)))).toEqual(['partly', 'none', 'none', 'chosen'])
    expect([selection.paths, selection.except]).toEqual([[bytes('docs')], [bytes('docs/a')]])
    selection.toggle(key('docs/a/x'))
    expect(['docs', 'docs/a', 'docs/a/x', 'docs/a/y'].map((path) => selection.of(key(path)))).toEqual(['partly', 'partly', 'chosen', 'none'])
    expect(selection.size).toBe(2)
    selection.toggle(key('docs'))
    expect([selection.paths, selection.except]).toEqual([[bytes('docs')], []])
    selection.toggle(key('docs'))
    expect([selection.size, selection.except]).toEqual([0, []])
  })

  test('says of every path what the last click on it or above it said, in as few words as possible', () => {
    const segment = fc.constantFrom('a', 'b', 'ab')
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), path, (clicks, asked) => {
        const selection = new Selection()
        let expected = false
        for (const click of clicks) {
          const before = selection.of(key(click))
          selection.toggle(key(click))
          if (click === asked || isBelow(key(asked), key(click))) expected = before !== 'chosen'
          expect(selection.of(key(click))).toBe(before === 'chosen' ? 'none' : 'chosen')
        }
        const of = selection.of(key(asked))
        if (of !== 'partly') expect(of).toBe(expected ? 'chosen' : 'none')
        // No path says what the nearest above it says already.
        const marks = [...selection.paths.map((one) => ({ path: pathKey(one), on: true })), ...selection.except.map((one) => ({ path: pathKey(one), on: false }))]
        for (const { path: one, on } of marks) {
          const above = marks.filter((other) => isBelow(one, other.path)).sort((x, y) => y.path.length - x.path.length)[0]
          expect(above?.on ?? false).toBe(!on)
        }
      })
    )
  })

  test('keeps exact bytes', () => {
    const selection = new Selection()
    selection.toggle(pathKey(Uint8Array.of(0x63, 0xe9, 0xff)))
    expect(selection.paths).toEqual([Uint8Array.of(0x63, 0xe9, 0xff)])
    selection.clear()
    expect(selection.size).toBe(0)
  })
})

test('snapshots are grouped by day, and by job and computer', () => {
  const now = new Date(2026, 10, 22, 12).getTime()
  const list = snapshots(now)
  const days = byDay(list, now)
  expect(days[0]?.day).toBe('Today')
  expect(days.flatMap((day) => day.snapshots)).toEqual(list)
  expect(seriesOf(list).map(({ name }) => name)).toEqual(['Documents', 'Photos'])
  const [first] = list
  if (!first) throw new Error('no snapshot')
  const other = { ...first, id: 'Documents@200', host: 'old-desk' }
  const both = [other, ...list]
  expect(seriesOf(both).map(({ name, snapshots: group }) => [name, group.length])).toEqual([['Documents · old-desk', 1], ['Documents · mia-laptop', 30], ['Photos · mia-laptop', 10]])
  const job = { config: { name: 'Documents' } as JobView['config'] }
  expect(firstChoice(both, { ...job, host: 'mia-laptop' })?.id).toBe(first.id)
  expect(firstChoice(both, { ...job, host: 'renamed' })?.id).toBe(other.id)
  expect(firstChoice(both, undefined)?.id).toBe(other.id)
  expect(firstChoice([], { ...job, host: 'x' })).toBeUndefined()
})

describe('the strength of a password', () => {
  test.each([
    ['', 0], ['abc', 0], ['12345678', 0], ['password1', 0], ['P@ssw0rd2024', 1], ['qwertyuiop', 0], ['aaaaaaaaaaaaaaaa', 0], ['abcdefghijkl', 0], ['holdfast2026', 1], ['mia1984', 1], ['Sommer2024!', 2],
  ])('%s is guessed soon', async (password, most) => {
    expect((await strengthOf(password)).score).toBeLessThanOrEqual(most)
  })

  test.each([['correct horse battery staple', 4], ['tulip-gravel-omen-sash-fjord', 4], ['xK9!vQ2#mZ7w', 3], ['Käsekuchen bläst vier Trompeten', 4]])('%s is good', async (password, least) => {
    expect((await strengthOf(password)).score).toBeGreaterThanOrEqual(least)
  })

  test('says why it is weak, and nothing of one that is not', async () => {
    const said = async (password: string): Promise<string> => strengthWords(await strengthOf(password))
    expect(await said('password')).toBe('Guessed at once. It is one of the passwords that are tried first.')
    expect(await said('aaaaaaaaaaaa')).toBe('Guessed at once. It repeats itself.')
    expect(await said('tulip gravel omen lamp')).toBe('Strong')
  })

  test('is found out in bounded time, however long and strange the password is', async () => {
    await strengthOf('x')
    const startedMs = performance.now()
    for (const password of ['x'.repeat(1 << 20), 'p@55w0rd'.repeat(5000), '@4(3!|05$7'.repeat(5000), '😀ñ'.repeat(5000)]) await strengthOf(password)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })
})
