import { describe, expect, test } from 'vitest'
import { causeError, foreign, networkCauses, networkError, pageCause, retryAfterMs } from '../../../../engine/backend/http/failure.ts'

describe('errors below HTTP', () => {
  const rows = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'denied', /trusts/], ['SELF_SIGNED_CERT_IN_CHAIN', 'denied', /trusts/], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'denied', /issuer/],
    ['CERT_HAS_EXPIRED', 'denied', /expired/], ['CERT_NOT_YET_VALID', 'denied', /not valid yet/], ['ERR_TLS_CERT_ALTNAME_INVALID', 'denied', /another host/],
    ['EPROTO', 'unavailable', /HTTPS/], ['ERR_SSL_WRONG_VERSION_NUMBER', 'unavailable', /HTTPS/], ['CERT_REVOKED', 'denied', /not trusted/],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', 'denied', /not trusted/], ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'denied', /certificate of this machine/],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'unsupported', /TLS/], ['ERR_SSL_DH_KEY_TOO_SMALL', 'unsupported', /TLS/],
    ['ERR_SSL_BAD_RECORD_TYPE', 'offline', /broke/], ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'offline', /broke/], ['ERR_TLS_HANDSHAKE_TIMEOUT', 'offline', /in time/],
    ['HPE_HEADER_OVERFLOW', 'unavailable', /no end/], ['HPE_INVALID_CONSTANT', 'unavailable', /does not speak HTTP/], ['ERR_PROXY_TUNNEL', 'offline', /proxy/],
    ['ENOTFOUND', 'offline', /name is not known/], ['EAI_AGAIN', 'offline', /looked up/], ['ECONNREFUSED', 'offline', /refused/], ['ECONNRESET', 'offline', /broke/],
    ['EPIPE', 'offline', /broke/], ['ENETUNREACH', 'offline', /no way/], ['ETIMEDOUT', 'offline', /in time/],
  ] as const

  test.each(rows)('%s is %s, in words', (code, wanted, words) => {
    expect(networkError(Object.assign(new Error('x'), { code }), 'bucket/config')).toMatchObject({ code: wanted, message: expect.stringMatching(words) as string })
  })

  test('every row of the table is tried', () => {
    const untried = networkCauses.filter(([pattern], index) => !rows.some(([code]) => networkCauses.findIndex(([one]) => one.test(code)) === index && pattern.test(code)))
    expect(untried.map(([pattern]) => String(pattern))).toEqual([])
  })

  test('what is none is left to others', () => {
    expect(networkError(new Error('x'), 'x')).toBeUndefined()
    expect(networkError('text', 'x')).toBeUndefined()
  })
})

test.each([[200, 'unavailable'], [302, 'unavailable'], [400, 'unavailable'], [404, 'unavailable'], [407, 'denied'], [413, 'full'], [503, undefined], [429, undefined]])('a page of HTML with %i', (status, code) => {
  expect(pageCause(status)?.code).toBe(code)
})

test.each([
  ['7', 7_000], ['31536000', 31_536_000_000], ['99999999999999999999', 31_622_400_000], ['Fri, 31 Dec 9999 23:59:59 GMT', 31_622_400_000], ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', undefined], ['-5', undefined], ['0', undefined], ['soon', undefined], [undefined, undefined],
])('Retry-After %s', (header, wanted) => {
  expect(retryAfterMs(header, 1_000)).toBe(wanted)
})

test('a stranger\'s words are short and on one line', () => {
  const error = causeError({ code: 'denied', said: 'No.' }, ['a\u001b[2J\nb', ''], {}, new Error(`${'x'.repeat(1e6)}\nhidden`))
  expect(error.message).toBe('No. (a\\x1b[2J\\x0ab)')
  expect((error.cause as Error).message).toHaveLength(301)
  expect(foreign('\u202egnp.exe')).toBe('\\u202egnp.exe')
})
