import type { Cause } from '../http/failure.ts'

const keys = 'Compare the access key and the secret key with those of the storage\'s account.'
const expired: Cause = { code: 'credentials', said: 'The credentials for the storage have expired.', advice: 'Get new ones: access key, secret key and session token belong together.' }
const token: Cause = { code: 'credentials', said: 'The storage does not accept the session token.', advice: 'Access key, secret key and session token must come from one login. Permanent keys have no token: leave AWS_SESSION_TOKEN away.' }
const clock: Cause = { code: 'denied', said: 'The clock of this machine differs too much from the storage\'s.', advice: 'Set date, time and time zone of this machine.' }
const region: Cause = { code: 'arguments', said: 'The bucket is in another region.', advice: 'Set region= in the address to the bucket\'s region.' }
const slower: Cause = { code: 'throttled', said: 'The storage asks to go slower.' }
const garbled: Cause = { code: 'unavailable', said: 'The storage received other bytes than were sent.', advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' }
const account: Cause = { code: 'denied', said: 'The storage has shut out the account.', advice: 'Look into the account at the provider: a bill, a limit, or terms to confirm.' }
const quota: Cause = { code: 'full', said: 'The quota of the storage is used up.' }
const full: Cause = { code: 'full', said: 'The storage is full.' }
const misunderstood: Cause = { code: 'unsupported', said: 'The storage does not understand a request that S3 has.', advice: 'Its S3 interface is too old or too small. Update it, or use another storage.' }

/** What S3's own error codes mean; they say more than the HTTP status. */
export const serviceCauses: Readonly<Record<string, Cause>> = {
  NoSuchBucket: { code: 'arguments', said: 'The bucket does not exist.', advice: 'Check the bucket\'s name in the address, or make the bucket at the provider.' },
  InvalidBucketName: { code: 'arguments', said: 'The bucket\'s name is not valid.', advice: 'Check the bucket\'s name in the address.' },
  NoSuchKey: { code: 'not-found', said: 'The object does not exist.' },
  NoSuchUpload: { code: 'not-found', said: 'The unfinished upload does not exist.' },
  InvalidAccessKeyId: { code: 'credentials', said: 'The storage does not know the access key.', advice: keys },
  UnrecognizedClientException: { code: 'credentials', said: 'The storage does not know the access key.', advice: keys },
  SignatureDoesNotMatch: { code: 'credentials', said: 'The secret key does not belong to the access key.', advice: keys },
  InvalidSecurity: { code: 'credentials', said: 'The storage does not accept the credentials.', advice: keys },
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  InvalidToken: token,
  RequestTimeTooSkewed: clock,
  RequestExpired: clock,
  RequestInTheFuture: clock,
  PermanentRedirect: region,
  TemporaryRedirect: region,
  Redirect: region,
  AuthorizationHeaderMalformed: region,
  IllegalLocationConstraintException: region,
  IncorrectEndpoint: region,
  AccessDenied: { code: 'denied', said: 'The storage refuses the operation.', advice: 'Give the access key the rights to list, read, write and delete in this bucket and prefix. If objects are locked (Object Lock, WORM), they cannot be deleted before their time.' },
  AllAccessDisabled: { code: 'denied', said: 'The storage allows nobody to use the bucket.', advice: 'Look into the bucket at the provider.' },
  InvalidPayer: account,
  AccountProblem: account,
  NotSignedUp: account,
  UserSuspended: account,
  SlowDown: slower,
  Throttling: slower,
  ThrottlingException: slower,
  RequestThrottled: slower,
  RequestLimitExceeded: slower,
  RequestRateLimitExceeded: slower,
  TooManyRequests: slower,
  BandwidthLimitExceeded: slower,
  RequestTimeout: { code: 'unavailable', said: 'The storage gave up waiting for the rest of the bytes.', advice: 'The line is slow or breaks off. Lower --concurrency, and run the command again: it goes on where it stopped.' },
  BadDigest: garbled,
  InvalidDigest: garbled,
  XAmzContentSHA256Mismatch: garbled,
  XAmzContentChecksumMismatch: garbled,
  IncompleteBody: garbled,
  QuotaExceeded: quota,
  ServiceQuotaExceeded: quota,
  XMinioAdminBucketQuotaExceeded: quota,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  EntityTooLarge: { code: 'full', said: 'The storage takes no object this large.' },
  ObjectLocked: { code: 'denied', said: 'The object is locked and cannot be deleted or replaced before its time.', advice: 'Wait until the lock ends, or use a bucket without Object Lock.' },
  InvalidObjectState: { code: 'unavailable', said: 'The object lies in an archive class and cannot be read from there.', advice: 'Restore it to a readable class at the provider, and let no rule of the bucket move objects of the repository to an archive.' },
  InvalidRange: { code: 'damaged', said: 'The object ends before the bytes that were asked for.' },
  NotImplemented: misunderstood,
  MethodNotAllowed: misunderstood,
  MalformedXML: misunderstood,
  InvalidRequest: misunderstood,
  InvalidArgument: misunderstood,
}

/** Where S3 gives no code of its own. */
export function statusCause(status: number): Cause {
  if (status === 301 || status === 307) return region
  if (status === 401) return { code: 'credentials', said: 'The storage does not accept the credentials.', advice: keys }
  if (status === 403) return { code: 'denied', said: 'The storage refuses the operation: the credentials may not do it, or are wrong.', advice: `${keys} They need the rights to list, read, write and delete in this bucket and prefix.` }
  if (status === 404) return { code: 'not-found', said: 'The object does not exist.' }
  if (status === 405 || status === 501) return misunderstood
  if (status === 408) return { code: 'unavailable', said: 'The storage gave up waiting.' }
  if (status === 409) return { code: 'unavailable', said: 'The storage is working on the same object.' }
  if (status === 412) return { code: 'exists', said: 'The object exists already.' }
  if (status === 416) return { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
  if (status === 429) return slower
  if (status === 507) return full
  if (status >= 500) return { code: 'unavailable', said: 'The storage reports a fault of its own.' }
  return { code: 'unsupported', said: 'The storage refuses a request that S3 has.', advice: 'Check endpoint, region and bucket in the address. If they are right, its S3 interface lacks something.' }
}
