import type { Clock } from '../../base/clock.ts'
import { hasCode } from '../../base/errors.ts'

const mostWaits = 10
const standardMs = 1000
/** Whoever asks for more is not waited for here: then everybody is to know that the storage is waited for. */
const longestMs = 60_000

const mostBreaks = 2
const breakMs = 500

/**
 * Repeats one request of many that belong together (a page of a list) where the service asks to go slower, or it breaks off now and then:
 * failing would cost all those before it once more, and the service's patience with them. Errors: those of the request.
 */
export async function patiently<T>(request: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T> {
  for (let waits = 0, breaks = 0; ; waits++) {
    try {
      return await request()
    } catch (error) {
      if (hasCode(error, 'offline', 'unavailable') && breaks++ < mostBreaks) {
        await clock.sleep(breakMs, signal)
        continue
      }
      const asked = hasCode(error, 'throttled') ? (error.data['retryAfterMs'] ?? standardMs * 2 ** Math.min(waits, 4)) : undefined
      if (typeof asked !== 'number' || asked > longestMs || waits >= mostWaits) throw error
      await clock.sleep(asked, signal)
    }
  }
}
