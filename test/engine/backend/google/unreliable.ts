import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { TokenBucket } from '../../../../engine/backend/flow/bandwidth.ts'
import { Transfers } from '../../../../engine/backend/flow/transfers.ts'
import { faultRule, withFaults, type FaultyBackend } from '../../../../engine/backend/wrappers/faulty/faulty.ts'
import { withLimits } from '../../../../engine/backend/wrappers/limits.ts'
import { withRetry } from '../../../../engine/backend/wrappers/retry.ts'
import { withSortedLists } from '../../../../engine/backend/wrappers/sorted-lists.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import type { GoogleService } from '../../../servers/google.ts'

const hurried = { ...systemClock, sleep: async () => undefined }
const rules = [
  faultRule('any', 'before', { probability: 0.05, code: 'unavailable' }), faultRule('any', 'after', { probability: 0.05 }),
  faultRule('put', 'during', { probability: 0.05 }), faultRule('any', 'before', { probability: 0.05, code: 'throttled', retryAfterMs: 5 }),
]

/** A storage as commands see it, with retries and limits, that fails now and then. */
export function throughFaults(backend: StorageBackend): { readonly backend: StorageBackend; readonly faulty: FaultyBackend } {
  const faulty = withFaults(backend, { seed: 20, rules })
  const transfers = new Transfers({ concurrency: 4, clock: systemClock })
  const bandwidth = { up: new TokenBucket(systemClock, 1e9), down: new TokenBucket(systemClock, 1e9) }
  return { faulty, backend: withRetry(withLimits(withSortedLists(faulty), { transfers, bandwidth }), { clock: hurried, patienceMs: 60_000 }) }
}

/** Every tenth request of the service itself is refused, or its reply is lost. */
export function makeUnreliable(server: GoogleService): void {
  let count = 0
  server.choose = () => {
    count++
    if (count % 20 === 0) return { type: 'lose-reply' }
    return count % 20 === 10 ? { type: 'refuse', status: 503, reason: 'backendError' } : undefined
  }
}
