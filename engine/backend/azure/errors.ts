import { isRestError, type RestError } from '@azure/storage-blob'
import { HoldfastError } from '../../base/errors.ts'
import { causeError, networkError, notTheStorage, retryAfterMs } from '../http/failure.ts'
import { serviceCauses, skewedClock, statusCause } from './causes.ts'

/** "Requests older than 15 minutes are rejected": https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key#specifying-the-date-header */
const mostSkewMs = 14 * 60_000

/** What the SDK or the network threw, as one of ours; `what` names the object or container. */
export function azureError(error: unknown, what: string, nowMs: number): HoldfastError {
  if (error instanceof HoldfastError) return error
  // A RestError without a status stands for a reply that could not be read.
  if (isRestError(error) && error.statusCode !== undefined && error.statusCode >= 300) return serviceError(error, error.statusCode, what, nowMs)
  return networkError(error, what) ?? causeError(notTheStorage, [what], { reason: 'NotAzure' }, error)
}

/** Azure's own code for why it refused. */
export function reasonOf(error: unknown): string {
  return error instanceof HoldfastError && typeof error.data['reason'] === 'string' ? error.data['reason'] : ''
}

function serviceError(error: RestError, status: number, what: string, nowMs: number): HoldfastError {
  const headers = error.response?.headers
  const named = headers?.get('x-ms-error-code') ?? error.code ?? ''
  const reason = /^[A-Za-z0-9]{1,64}$/.test(named) ? named : 'Unknown'
  const told = (Object.hasOwn(serviceCauses, reason) ? serviceCauses[reason] : undefined) ?? statusCause(status)
  // The refusal of a late signature has no code of its own.
  const serverMs = Date.parse(headers?.get('date') ?? '')
  const skewed = reason === 'AuthenticationFailed' && Math.abs(serverMs - nowMs) > mostSkewMs
  const asked = retryAfterMs(headers?.get('retry-after'), nowMs)
  return causeError(skewed ? skewedClock : told, [what, reason === 'Unknown' ? '' : reason, `HTTP ${status}`], {
    status, reason: skewed ? 'RequestTimeTooSkewed' : reason, ...(asked === undefined ? {} : { retryAfterMs: asked }),
  }, reason === 'Unknown' ? undefined : error)
}
