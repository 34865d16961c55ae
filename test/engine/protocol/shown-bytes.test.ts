import { expect, test } from 'vitest'
import { shownBytes } from '../../../engine/protocol/shown-bytes.ts'

test.each([[0, '0 bytes'], [999, '999 bytes'], [1000, '1.0 KB'], [14_200_000_000, '14 GB'], [9_960_000, '10.0 MB'], [1.5e12, '1.5 TB'], [2e18, '2000 PB']])('%d is %s', (bytes, shown) => {
  expect(shownBytes(bytes)).toBe(shown)
})
