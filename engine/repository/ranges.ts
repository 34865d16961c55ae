import type { PackSegment } from './pack-info.ts'

/** One request: a stretch of a pack with all the wanted segments in it. */
export interface SegmentRange {
  readonly offset: number
  readonly length: number
  readonly segments: readonly PackSegment[]
}

/** Reading up to this many bytes that nobody wants is cheaper than another request. */
const gapBytes = 128 * 1024
const rangeBytes = 8 * 1024 * 1024

/** Sorts segments by offset and merges neighbours into ranges of up to `maxBytes` (default 8 MiB); each segment once. */
export function planRanges(segments: readonly PackSegment[], maxBytes = rangeBytes): SegmentRange[] {
  const sorted = [...new Map(segments.map((segment) => [segment.offset, segment])).values()].sort((a, b) => a.offset - b.offset)
  const ranges: { offset: number; length: number; segments: PackSegment[] }[] = []
  for (const segment of sorted) {
    const end = segment.offset + segment.storedLength
    const range = ranges.at(-1)
    if (range && segment.offset - (range.offset + range.length) <= gapBytes && end - range.offset <= maxBytes) {
      range.length = Math.max(range.length, end - range.offset)
      range.segments.push(segment)
    } else {
      ranges.push({ offset: segment.offset, length: segment.storedLength, segments: [segment] })
    }
  }
  return ranges
}
