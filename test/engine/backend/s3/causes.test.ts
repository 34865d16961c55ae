import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { serviceCauses } from '../../../../engine/backend/s3/causes.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { adviceFor } from '../../../../engine/cli/words.ts'
import { HostileS3, sendError, type Lie } from '../../../servers/hostile-s3.ts'
import { lies } from '../../../servers/lies.ts'
import { bytesOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const key = 'x'

const operations: Readonly<Record<string, (backend: StorageBackend) => Promise<unknown>>> = {
  stat: (backend) => backend.stat(key, never),
  get: (backend) => backend.get(key, 'all', never),
  put: (backend) => backend.put(key, bytesOf('x'), {}, never),
  list: (backend) => names(backend, 'x/'),
}

async function failure(lie: Lie, operation: keyof typeof operations): Promise<HoldfastError> {
  await using server = await HostileS3.start(new Map(), lie)
  await using backend = await openBackend(server.url, { credentials: fixedCredentials({ accessKeyId: 'a', secretAccessKey: 'b' }), signal: never })
  const error: unknown = await operations[operation]?.(backend).catch((reason: unknown) => reason)
  if (!(error instanceof HoldfastError)) throw new Error(`${String(operation)} ended with ${String(error)}`)
  return error
}

const refusing = (status: number, code: string, more = '', headers: Readonly<Record<string, string>> = {}): Lie => ({ request, reply }) => {
  request.resume()
  sendError(reply, status, code, more, headers)
}

/** Of each kind: a status that servers send it with, and words that must reach the user. */
const kinds: Readonly<Record<string, readonly [status: number, words: RegExp, todo: RegExp]>> = {
  NoSuchBucket: [404, /bucket does not exist/, /make the bucket/], InvalidBucketName: [400, /name is not valid/, /address/], NoSuchKey: [404, /object does not exist/, /./],
  NoSuchUpload: [404, /upload does not exist/, /./], InvalidAccessKeyId: [403, /does not know the access key/, /Compare/],
  UnrecognizedClientException: [403, /does not know the access key/, /Compare/], SignatureDoesNotMatch: [403, /secret key does not belong/, /Compare/],
  InvalidSecurity: [403, /does not accept the credentials/, /Compare/], ExpiredToken: [400, /expired/, /new ones/], ExpiredTokenException: [400, /expired/, /new ones/],
  TokenRefreshRequired: [400, /expired/, /new ones/], InvalidToken: [400, /session token/, /AWS_SESSION_TOKEN/], RequestTimeTooSkewed: [403, /clock/, /Set date/],
  RequestExpired: [403, /clock/, /Set date/], RequestInTheFuture: [403, /clock/, /Set date/], PermanentRedirect: [301, /another region/, /region=/],
  TemporaryRedirect: [307, /another region/, /region=/], Redirect: [307, /another region/, /region=/], AuthorizationHeaderMalformed: [400, /another region/, /region=/],
  IllegalLocationConstraintException: [400, /another region/, /region=/], IncorrectEndpoint: [400, /another region/, /region=/],
  AccessDenied: [403, /refuses the operation/, /Object Lock/], AllAccessDisabled: [403, /allows nobody/, /provider/], InvalidPayer: [403, /shut out/, /bill/],
  AccountProblem: [403, /shut out/, /bill/], NotSignedUp: [403, /shut out/, /bill/], UserSuspended: [403, /shut out/, /bill/],
  SlowDown: [503, /slower/, /concurrency/], Throttling: [400, /slower/, /concurrency/], ThrottlingException: [400, /slower/, /concurrency/],
  RequestThrottled: [400, /slower/, /concurrency/], RequestLimitExceeded: [400, /slower/, /concurrency/], RequestRateLimitExceeded: [400, /slower/, /concurrency/],
  TooManyRequests: [429, /slower/, /concurrency/], BandwidthLimitExceeded: [503, /slower/, /concurrency/], RequestTimeout: [400, /gave up waiting/, /concurrency/],
  BadDigest: [400, /other bytes/, /memory/], InvalidDigest: [400, /other bytes/, /memory/], XAmzContentSHA256Mismatch: [400, /other bytes/, /memory/],
  XAmzContentChecksumMismatch: [400, /other bytes/, /memory/], IncompleteBody: [400, /other bytes/, /memory/], QuotaExceeded: [403, /quota/, /quota/],
  ServiceQuotaExceeded: [402, /quota/, /quota/], XMinioAdminBucketQuotaExceeded: [403, /quota/, /quota/], InsufficientStorage: [507, /full/, /space/],
  XMinioStorageFull: [507, /full/, /space/], EntityTooLarge: [400, /this large/, /./], ObjectLocked: [403, /locked/, /Object Lock/],
  InvalidObjectState: [403, /archive class/, /Restore it/], InvalidRange: [416, /ends before/, /./], NotImplemented: [501, /does not understand/, /too old/],
  MethodNotAllowed: [405, /does not understand/, /too old/], MalformedXML: [400, /does not understand/, /too old/], InvalidRequest: [400, /does not understand/, /too old/],
  InvalidArgument: [400, /does not understand/, /too old/],
}

test('the table of causes and this one are the same', () => {
  expect(Object.keys(kinds).toSorted()).toEqual(Object.keys(serviceCauses).toSorted())
})

describe.each(Object.entries(kinds))('%s', (code, [status, words, todo]) => {
  test.each(['put', 'get', ...(status >= 400 && status < 500 ? ['stat'] : [])])('is told in words to %s', async (operation) => {
    const error = await failure(refusing(status, code), operation)
    expect(error.code).toBe(serviceCauses[code]?.code)
    expect(error.message).toMatch(words)
    expect(adviceFor(error)).toMatch(todo)
  })
})

describe('the right region', () => {
  test.each([
    ['in the reply', refusing(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>')], ['in a header', refusing(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-1' })],
  ])('is told where the storage tells it: %s', async (_where, lie) => {
    for (const operation of ['stat', 'put', 'list']) {
      const error = await failure(lie, operation)
      expect(error.message).toContain('another region: eu-west-1.')
      expect(adviceFor(error)).toBe('Set region=eu-west-1 in the address.')
    }
  })

  test('is nothing that a storage makes up', async () => {
    const error = await failure(refusing(400, 'AuthorizationHeaderMalformed', '<Region>eu&#27;[2J</Region>'), 'put')
    expect(error.message).not.toMatch(/\p{Cc}|eu/u)
  })
})

describe('what is no S3', () => {
  test.each(['put', 'get', 'stat', 'list'])('a page of HTML is told as that to %s, and not as damage', async (operation) => {
    const error = await failure(lies['a page for every request'], operation)
    expect(error).toMatchObject({ code: 'unavailable', message: expect.stringContaining('does not answer like the storage') as string })
    expect(adviceFor(error)).toContain('Check the address')
  })

  test.each(['put', 'get', 'stat', 'list'])('a redirect is told and not followed by %s', async (operation) => {
    expect((await failure(lies['redirects in a circle'], operation)).message).toContain('leads elsewhere')
  })

  test.each([400, 404, 405, 407])('a server of another kind that answers %i with HTML', async (status) => {
    const lie: Lie = ({ request, reply }) => {
      request.resume()
      reply.writeHead(status, { 'content-type': 'text/html', server: 'nginx' }).end(request.method === 'HEAD' ? undefined : '<html>no</html>')
    }
    for (const operation of ['put', 'stat']) expect((await failure(lie, operation)).data['reason'], operation).toBe('NotS3')
  })

  test.each([502, 503, 504])('a gateway\'s %i is the storage\'s trouble', async (status) => {
    const lie: Lie = ({ request, reply }) => {
      request.resume()
      reply.writeHead(status, { 'content-type': 'text/html' }).end('<html>bad gateway</html>')
    }
    expect(await failure(lie, 'put')).toMatchObject({ code: 'unavailable', message: expect.stringContaining('fault of its own') as string })
  })

  test.each(['half a list', 'JSON for a list', 'a bomb of entities', 'a bomb of nested elements', 'a bomb of empty elements', 'a name of seven megabytes', 'a bomb of gzip'] as const)('%s', async (name) => {
    expect(await failure(lies[name], 'list')).toMatchObject({ code: 'unavailable', data: { reason: 'NotS3' } })
  })
})

test('an account with the right to read and not to look: HEAD is denied, and says so', async () => {
  const lie: Lie = (exchange) => {
    if (exchange.type === 'head') sendError(exchange.reply, 403, 'AccessDenied')
    else exchange.honest()
  }
  await using server = await HostileS3.start(new Map([[key, Buffer.from('xyz')]]), lie)
  await using backend = await openBackend(server.url, { credentials: fixedCredentials({ accessKeyId: 'a', secretAccessKey: 'b' }), signal: never })
  await expect(backend.stat(key, never)).rejects.toMatchObject({ code: 'denied' })
})

test('what a hostile storage calls its error is neither believed nor shown', async () => {
  const error = await failure(lies['escapes for the terminal'], 'put')
  expect(error.code).toBe('unsupported')
  expect(JSON.stringify([error.message, error.data, (error.cause as Error | undefined)?.message])).not.toMatch(/[\u0080-\u009f\u202e]|u001b/)
})

describe('an object that is missing', () => {
  const stats = (server: HostileS3): number => server.requests.filter((line) => /^(head|get) /.test(line)).length

  test('takes a second request while nobody knows whether the bucket is there, and one from then on', async () => {
    await using server = await HostileS3.start(new Map([['there', Buffer.from('xyz')]]))
    await using backend = await openBackend(server.url, { credentials: fixedCredentials({ accessKeyId: 'a', secretAccessKey: 'b' }), signal: never })
    await expect(backend.stat('missing', never)).rejects.toMatchObject({ code: 'not-found' })
    expect(stats(server)).toBe(2)
    await backend.stat('there', never)
    await expect(backend.stat('missing', never)).rejects.toMatchObject({ code: 'not-found' })
    expect(stats(server)).toBe(4)
  })

  test('is not taken from a server of another kind that stands in between later', async () => {
    let between = false
    const lie: Lie = (exchange) => {
      if (!between) return exchange.honest()
      exchange.request.resume()
      exchange.reply.writeHead(404, { 'content-type': 'text/html' }).end(exchange.request.method === 'HEAD' ? undefined : '<html>no</html>')
    }
    await using server = await HostileS3.start(new Map([['there', Buffer.from('xyz')]]), lie)
    await using backend = await openBackend(server.url, { credentials: fixedCredentials({ accessKeyId: 'a', secretAccessKey: 'b' }), signal: never })
    await backend.stat('there', never)
    between = true
    await expect(backend.stat('there', never)).rejects.toMatchObject({ data: { reason: 'NotS3' } })
  })
})
