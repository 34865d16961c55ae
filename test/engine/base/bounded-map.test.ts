import { expect, test } from 'vitest'
import { BoundedMap } from '../../../engine/base/bounded-map.ts'

test('what was used longest ago goes first', () => {
  const map = new BoundedMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([1, undefined, 3])
  map.delete('a')
  expect(map.get('a')).toBeUndefined()
  map.clear()
  expect(map.get('c')).toBeUndefined()
})
