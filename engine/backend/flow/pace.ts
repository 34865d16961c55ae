import { paceSliceBytes, type Pace } from '../backend.ts'

/**
 * How many of `wanted` bytes may move now: all of them while there is no limit, or what was granted up to the first wait. So an
 * unlimited transfer moves large pieces, and a limited one slices.
 */
export async function grantedBytes(wanted: number, pace: Pace | undefined): Promise<number> {
  if (!pace) return wanted
  for (let granted = 0; granted < wanted; ) {
    const slice = Math.min(paceSliceBytes, wanted - granted)
    const wait = pace(slice)
    granted += slice
    if (!wait) continue
    await wait
    return granted
  }
  return wanted
}
