import { S3ServiceException } from '@aws-sdk/client-s3'
import { HoldfastError } from '../../base/errors.ts'
import { causeError, networkError, notTheStorage, retryAfterMs } from '../http/failure.ts'
import { serviceCauses, statusCause } from './causes.ts'

/** What the SDK or the network threw, as one of ours; `what` names the object or bucket. */
export function s3Error(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof S3ServiceException) return serviceError(error, what)
  if (error instanceof Error && error.name === 'CredentialsProviderError') return causeError(statusCause(401), [what], {}, error)
  // All that is left are replies that the SDK could not read: half a document, another service's words.
  return networkError(error, what) ?? causeError(notTheStorage, [what], { reason: 'NotS3' }, error)
}

/** True when the storage told by a code of its own why it refused, and not only by the HTTP status, or another server did. */
export function saysWhy(error: unknown): boolean {
  const reason = error instanceof HoldfastError ? error.data['reason'] : undefined
  return reason === 'NotS3' || (typeof reason === 'string' && Object.hasOwn(serviceCauses, reason))
}

/** Of what the SDK threw: whether an S3 server refused, by the mark that each of them puts on its answers, and not something on the way. */
export function isOfS3(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.requestId !== undefined
}

function serviceError(error: S3ServiceException, what: string): HoldfastError {
  const status = error.$metadata.httpStatusCode ?? 0
  // The SDK gives names of its own where the storage gives none.
  const named = /^[A-Za-z0-9._-]{1,64}$/.test(error.name) && !/^(Unknown|UnknownError|\d+)$/.test(error.name)
  const reason = named ? error.name : 'Unknown'
  const cause = Object.hasOwn(serviceCauses, reason) ? serviceCauses[reason] : undefined
  const headers = error.$response?.headers ?? {}
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  const { said, advice, code } = cause ?? statusCause(status)
  const region = regionOf(error, headers)
  const known = region !== undefined && code === 'arguments' ? { said: `${said.slice(0, -1)}: ${region}.`, advice: `Set region=${region} in the address.` } : { said, ...(advice === undefined ? {} : { advice }) }
  return causeError({ code, ...known }, [what, named ? reason : '', `HTTP ${status}`], { status, reason, ...(asked === undefined ? {} : { retryAfterMs: asked }) }, named ? error : undefined)
}

/** The bucket's own region, where the storage tells it. */
function regionOf(error: S3ServiceException, headers: Readonly<Record<string, string>>): string | undefined {
  const told: unknown = headers['x-amz-bucket-region'] ?? ('Region' in error ? error.Region : undefined)
  return typeof told === 'string' && /^[a-z0-9-]{1,40}$/.test(told) ? told : undefined
}
