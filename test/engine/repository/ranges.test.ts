import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PackSegment } from '../../../engine/repository/pack-info.ts'
import { planRanges } from '../../../engine/repository/ranges.ts'

const mebibyte = 1024 * 1024

function segment(offset: number, storedLength: number): PackSegment {
  return { offset, storedLength, rawLength: storedLength - 48, compression: 'none', blobs: [] }
}

test('neighbours and near ones share a request, far ones do not', () => {
  const near = [segment(4, 1000), segment(1004, 1000), segment(2004 + 100 * 1024, 1000)]
  expect(planRanges(near)).toEqual([{ offset: 4, length: 3000 - 4 + 4 + 100 * 1024, segments: near }])
  expect(planRanges([segment(4, 1000), segment(mebibyte, 1000)])).toHaveLength(2)
})

test('any segments: each in exactly one range, in order, ranges bounded and apart', () => {
  const segments = fc.array(fc.tuple(fc.nat(400_000), fc.integer({ min: 48, max: 5 * mebibyte }), fc.boolean())).map((parts) => {
    let offset = 4
    return parts.flatMap(([gap, length, wanted]) => {
      const made = segment(offset + gap, length)
      offset = made.offset + length
      return wanted ? [made] : []
    })
  })
  fc.assert(fc.property(segments, fc.func(fc.integer()), (sorted, shuffle) => {
    const ranges = planRanges(sorted.toSorted((a, b) => shuffle(a.offset) - shuffle(b.offset)))
    expect(ranges.flatMap((range) => range.segments)).toEqual(sorted)
    for (const { offset, length, segments: inside } of ranges) {
      const last = inside.at(-1)
      expect(offset).toBe(inside[0]?.offset)
      expect(offset + length).toBe((last?.offset ?? 0) + (last?.storedLength ?? 0))
      if (inside.length > 1) expect(length).toBeLessThanOrEqual(8 * mebibyte)
    }
  }))
})

test('a segment that is asked for twice is read once', () => {
  expect(planRanges([segment(4, 100), segment(4, 100)])).toEqual([{ offset: 4, length: 100, segments: [segment(4, 100)] }])
})
