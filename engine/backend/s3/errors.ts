import { S3ServiceException } from '@aws-sdk/client-s3'
import type { ErrorCode } from '../../protocol/errors.ts'
import { HoldfastError } from '../../base/errors.ts'

type Meaning = readonly [code: ErrorCode, words: string]

const wrongCredentials = 'The storage does not accept the credentials.'
const slower = 'The storage asks to go slower.'
const wrongRegion = 'The bucket is in another region: set region= in the address.'
const garbled = 'The storage received other bytes than were sent.'

/** By S3's own error code, which says more than the HTTP status. */
const byName: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: ['not-found', 'The bucket does not exist.'],
  InvalidAccessKeyId: ['credentials', wrongCredentials],
  SignatureDoesNotMatch: ['credentials', wrongCredentials],
  InvalidSecurity: ['credentials', wrongCredentials],
  InvalidToken: ['credentials', wrongCredentials],
  ExpiredToken: ['credentials', 'The credentials have expired.'],
  TokenRefreshRequired: ['credentials', 'The credentials have expired.'],
  RequestTimeTooSkewed: ['denied', 'The clock of this machine differs too much from the storage\'s: set date and time.'],
  RequestExpired: ['denied', 'The clock of this machine differs too much from the storage\'s: set date and time.'],
  SlowDown: ['throttled', slower],
  Throttling: ['throttled', slower],
  ThrottlingException: ['throttled', slower],
  RequestThrottled: ['throttled', slower],
  RequestLimitExceeded: ['throttled', slower],
  RequestRateLimitExceeded: ['throttled', slower],
  TooManyRequests: ['throttled', slower],
  BandwidthLimitExceeded: ['throttled', slower],
  RequestTimeout: ['unavailable', 'The storage gave up waiting for the rest of the bytes.'],
  BadDigest: ['unavailable', garbled],
  InvalidDigest: ['unavailable', garbled],
  XAmzContentSHA256Mismatch: ['unavailable', garbled],
  XAmzContentChecksumMismatch: ['unavailable', garbled],
  IncompleteBody: ['unavailable', garbled],
  QuotaExceeded: ['full', 'The quota of the storage is used up.'],
  InsufficientStorage: ['full', 'The storage is full.'],
  ServiceQuotaExceeded: ['full', 'The quota of the storage is used up.'],
  XMinioStorageFull: ['full', 'The storage is full.'],
  EntityTooLarge: ['full', 'The storage takes no object this large.'],
  PermanentRedirect: ['arguments', wrongRegion],
  AuthorizationHeaderMalformed: ['arguments', wrongRegion],
  InvalidBucketName: ['arguments', 'The bucket\'s name is not valid.'],
  NotImplemented: ['unsupported', 'The storage cannot do this operation.'],
  InvalidRange: ['damaged', 'The object ends before the bytes that were asked for.'],
  InvalidObjectState: ['unavailable', 'The object lies in an archive class and must be restored there first.'],
}

function byStatus(status: number): Meaning {
  if (status === 401) return ['credentials', wrongCredentials]
  if (status === 403) return ['denied', 'The storage refuses the operation: the credentials may not do it, or are wrong.']
  if (status === 404) return ['not-found', 'The object does not exist.']
  if (status === 408) return ['unavailable', 'The storage gave up waiting.']
  if (status === 409) return ['unavailable', 'The storage is working on the same object.']
  if (status === 412) return ['exists', 'The object exists already.']
  if (status === 416) return ['damaged', 'The object ends before the bytes that were asked for.']
  if (status === 429) return ['throttled', slower]
  if (status === 501 || status === 405) return ['unsupported', 'The storage cannot do this operation.']
  if (status === 507) return ['full', 'The storage is full.']
  if (status === 301 || status === 307) return ['arguments', wrongRegion]
  if (status >= 500) return ['unavailable', 'The storage reports a fault of its own.']
  return ['internal', 'The storage refuses the request.']
}

const certificateErrors = /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_SSL_)/
const networkErrors: ReadonlySet<string> = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH',
  'ENETDOWN', 'EADDRNOTAVAIL', 'EPROTO', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'ERR_SOCKET_CLOSED',
])

/** What the SDK or the network threw, as one of ours; `what` names the object or bucket. */
export function s3Error(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof S3ServiceException) return serviceError(error, what)
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (certificateErrors.test(code)) return new HoldfastError('denied', `The storage's certificate is not trusted (${code}).`, { cause: error })
  if (networkErrors.has(code) || (error instanceof Error && error.name === 'TimeoutError')) {
    return new HoldfastError('offline', `The storage cannot be reached (${code || 'timed out'}).`, { cause: error })
  }
  if (error instanceof Error && error.name === 'CredentialsProviderError') return new HoldfastError('credentials', wrongCredentials, { cause: error })
  // Replies that are not S3's: a captive portal's page, a proxy's, half an XML document.
  if (statusOf(error) !== undefined || code.startsWith('HPE_')) {
    return new HoldfastError('unavailable', `The storage's answer cannot be understood (${what}).`, { cause: error })
  }
  return new HoldfastError('internal', `Talking to the storage failed (${what}).`, { cause: error })
}

function serviceError(error: S3ServiceException, what: string): HoldfastError {
  const status = error.$metadata.httpStatusCode ?? 0
  const [code, words] = byName[error.name] ?? byStatus(status)
  const retryAfterMs = retryAfter(error.$response?.headers['retry-after'])
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new HoldfastError(code, `${words} (${what}; ${error.name}, ${status})`, { cause: error, data: { status, reason: error.name, ...asked } })
}

/** Seconds or a date, as RFC 9110 has it; nobody is waited for longer than a quarter of an hour. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, 15 * 60_000) : undefined
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
