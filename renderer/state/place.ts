import type { PlaceRef } from './bridge.ts'

/** Different for different places. */
export function placeKey(place: PlaceRef): string {
  return 'visitId' in place ? `visit ${place.visitId}` : `job ${place.jobId}`
}
