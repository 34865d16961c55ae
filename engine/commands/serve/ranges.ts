/** What of `size` bytes is asked for: from `start` to before `end`. */
export type Stretch = { readonly type: 'whole' } | { readonly type: 'part'; readonly start: number; readonly end: number } | { readonly type: 'none' }

/** Of a Range header (RFC 9110, 14.1). Several ranges, other units and what is no range at all count as none given; `none`: nothing of it is there. */
export function parseRange(header: string | undefined, size: number): Stretch {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(header?.replaceAll(/[ \t]/g, '') ?? '')
  if (!match) return { type: 'whole' }
  const [, first, last, suffix] = match
  if (suffix !== undefined) return part(Math.max(0, size - Number(suffix)), size)
  if (last !== undefined && Number(last) < Number(first)) return { type: 'whole' }
  return part(Number(first), last === undefined ? size : Math.min(size, Number(last) + 1))
}

function part(start: number, end: number): Stretch {
  return start < end ? { type: 'part', start, end } : { type: 'none' }
}
