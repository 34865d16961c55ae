import type { ErrorCode } from '../../protocol/errors.ts'
import { visibleText } from '../../protocol/visible-text.ts'
import { HoldfastError } from '../../base/errors.ts'

/** What a cause means: the code, what is said, and what to do about it where the code's own advice is not it. */
export interface Cause {
  readonly code: ErrorCode
  readonly said: string
  readonly advice?: string
}

const checkAddress = 'Check the address: host, port, and http or https. A proxy or a login page of the network can stand between, too.'
const ownCertificate = 'If it is your own server, give NODE_EXTRA_CA_CERTS=<its CA file>. Otherwise do not go on: somebody may stand between.'

/** Below HTTP, by the code of Node's error: the first row whose pattern fits. */
export const networkCauses: readonly (readonly [pattern: RegExp, cause: Cause])[] = [
  [/^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/, { code: 'denied', said: 'The storage\'s certificate is signed by nobody that this machine trusts.', advice: ownCertificate }],
  [/^UNABLE_TO_/, { code: 'denied', said: 'The issuer of the storage\'s certificate is not known to this machine.', advice: ownCertificate }],
  [/^CERT_HAS_EXPIRED$/, { code: 'denied', said: 'The storage\'s certificate has expired, or the clock of this machine is wrong.', advice: 'Set date and time; if they are right, the storage\'s owner has to renew the certificate.' }],
  [/^CERT_NOT_YET_VALID$/, { code: 'denied', said: 'The storage\'s certificate is not valid yet, or the clock of this machine is wrong.', advice: 'Set date and time.' }],
  [/^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/, { code: 'denied', said: 'The storage\'s certificate is for another host.', advice: 'Use the host name that the certificate is for.' }],
  [/^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)$/, { code: 'unavailable', said: 'What answers at the address does not speak HTTPS.', advice: checkAddress }],
  [/^ERR_SSL_.*CERTIFICATE_REQUIRED$/, { code: 'denied', said: 'The storage wants a certificate of this machine.', advice: 'Holdfast has none to give: allow a login without client certificates, or ask whoever runs the storage.' }],
  [/^(CERT_|ERR_TLS_CERT_|ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA))/, { code: 'denied', said: 'The storage\'s certificate is not trusted.', advice: ownCertificate }],
  [/^ERR_SSL_.*(UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|NO_(SHARED_CIPHER|CIPHERS_AVAILABLE|PROTOCOLS_AVAILABLE)|TOO_SMALL|UNRECOGNIZED_NAME)/, {
    code: 'unsupported', said: 'The storage and this machine find no encryption (TLS) that both know.', advice: 'Bring the storage\'s software up to date; TLS 1.2 is the least.',
  }],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, { code: 'offline', said: 'The storage cannot be reached: it did not answer in time.' }],
  [/^ERR_(SSL|TLS)_/, { code: 'offline', said: 'The encrypted connection to the storage broke.' }],
  [/^HPE_HEADER_OVERFLOW$/, { code: 'unavailable', said: 'The headers of the storage\'s answer have no end.', advice: checkAddress }],
  [/^HPE_/, { code: 'unavailable', said: 'What answers at the address does not speak HTTP.', advice: checkAddress }],
  [/^ERR_PROXY_/, { code: 'offline', said: 'The proxy does not let the connection through.', advice: 'Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and what the proxy demands.' }],
  [/^ENOTFOUND$/, { code: 'offline', said: 'The host\'s name is not known.', advice: 'Check its spelling in the address, and the network.' }],
  [/^(EAI_AGAIN|EAI_FAIL|EAI_NODATA)$/, { code: 'offline', said: 'The host\'s name cannot be looked up now.', advice: 'Check the network and its name server (DNS).' }],
  [/^ECONNREFUSED$/, { code: 'offline', said: 'Nothing listens at the storage\'s address: the connection is refused.', advice: 'Check the port in the address, and that the storage runs.' }],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE|ERR_SOCKET_CLOSED)$/, { code: 'offline', said: 'The connection to the storage broke.' }],
  [/^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/, { code: 'offline', said: 'There is no way to the storage from this network.' }],
  [/^(ETIMEDOUT|ERR_SOCKET_CONNECTION_TIMEOUT)$/, { code: 'offline', said: 'The storage cannot be reached: it did not answer in time.' }],
]

/** An answer of something that is no such storage: a login page, another service, half a document. */
export const notTheStorage: Cause = { code: 'unavailable', said: 'What answers at this address does not answer like the storage.', advice: checkAddress }
/** An answer without an end, or with one that is far too late. */
export const endless: Cause = { code: 'unavailable', said: 'The storage\'s answer is longer than any answer of its kind.', advice: checkAddress }
const elsewhere: Cause = { code: 'unavailable', said: 'The address leads elsewhere, and Holdfast follows no redirect.', advice: checkAddress }
const proxyLogin: Cause = { code: 'denied', said: 'The proxy asks for a login.', advice: 'Give it in HTTP_PROXY or HTTPS_PROXY, or name the storage\'s host in NO_PROXY.' }
const tooLarge: Cause = { code: 'full', said: 'A server before the storage takes no bodies this large.', advice: 'Raise the limit of the proxy before the storage (nginx: client_max_body_size).' }

/** Of a page of HTML, by its status; undefined where the status says more than the page (a gateway's 502, 503, 504, 429). */
export function pageCause(status: number): Cause | undefined {
  if (status === 407) return proxyLogin
  if (status === 413) return tooLarge
  if (status >= 300 && status < 400) return elsewhere
  return status >= 500 || status === 429 || status === 408 ? undefined : notTheStorage
}

/** Of a redirect that no storage of this kind sends. */
export function redirectCause(status: number): Cause | undefined {
  return status >= 300 && status < 400 && status !== 304 ? elsewhere : undefined
}

/** The error of a cause. `facts` go behind what is said, in brackets; what comes from outside in them is made visible and short. */
export function causeError({ code, said, advice }: Cause, facts: readonly string[], data: Readonly<Record<string, string | number>> = {}, error?: unknown): HoldfastError {
  const shown = facts.filter((fact) => fact !== '').map((fact) => foreign(fact))
  const cause = error instanceof Error ? { cause: plainError(error) } : {}
  return new HoldfastError(code, `${said}${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`, { ...cause, data: { ...data, ...(advice === undefined ? {} : { advice }) } })
}

/** Words of a stranger: what is hidden is shown, and nobody's page fills ours. */
export function foreign(text: string, length = 300): string {
  const visible = visibleText(text.slice(0, length))
  return text.length > length ? `${visible}…` : visible
}

/** Of an error below HTTP, or undefined when it is none. */
export function networkError(error: unknown, what: string): HoldfastError | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name === 'TimeoutError' ? 'ETIMEDOUT' : ''
  const row = networkCauses.find(([pattern]) => pattern.test(code))
  return row && causeError(row[1], [what, code], { reason: code }, error)
}

/** Its own words only, short: a library's error holds the whole reply, and more. */
function plainError(error: Error): Error {
  return new Error(foreign(error.message.split('\n', 1)[0] ?? ''))
}

/** A time that people can be told; every wait has a bound of its own. */
const farthestMs = 366 * 24 * 3_600_000

/** Seconds or a date, as RFC 9110 has it: in ms from `nowMs` on, a year at most. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : /^[A-Z][a-z]+, /.test(header) ? Date.parse(header) - nowMs : NaN
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, farthestMs) : undefined
}
