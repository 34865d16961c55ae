import type { HoldfastError } from '../../base/errors.ts'
import { causeError, foreign, notTheStorage, pageCause, redirectCause, retryAfterMs, type Cause } from '../http/failure.ts'

const login: Cause = { code: 'credentials', said: 'The server refuses the user name or the password.', advice: 'Check both. With two-factor login (Nextcloud and others), make an app password in the account\'s security settings and use that.' }
const otherLogin: Cause = { code: 'credentials', said: 'The server wants another kind of login than a password (Basic).', advice: 'Allow Basic authentication over HTTPS on the server.' }
const noDav: Cause = {
  code: 'unsupported', said: 'What answers at the address takes no WebDAV requests.',
  advice: 'Check the address: for Nextcloud it is https://host/remote.php/dav/files/USER/folder; a web server needs WebDAV switched on for the folder.',
}

const failed: Cause = { code: 'unavailable', said: 'The server could not do it, and does not say why.', advice: 'Look at what the server itself reports: its disk may be full, or what it stores on out of reach.' }

/** By status; the first row that fits. RFC 4918 section 11, RFC 9110 section 15. */
const statusCauses: readonly (readonly [(status: number) => boolean, Cause])[] = [
  [(status) => status === 403, { code: 'denied', said: 'The server refuses the operation.', advice: 'Check the rights of the user in this folder.' }],
  [(status) => status === 404 || status === 410, { code: 'not-found', said: 'The object does not exist.' }],
  [(status) => status === 405 || status === 501, noDav],
  [(status) => status === 409, { code: 'not-found', said: 'The folder of the object does not exist.' }],
  [(status) => status === 412, { code: 'exists', said: 'The object exists already.' }],
  [(status) => status === 413, { code: 'full', said: 'The server takes no bodies this large.', advice: 'Raise its limit (nginx: client_max_body_size 0; Apache: LimitRequestBody 0).' }],
  [(status) => status === 416, { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }],
  [(status) => status === 423, { code: 'unavailable', said: 'Something else has the object locked.' }],
  [(status) => status === 429, { code: 'throttled', said: 'The server asks to go slower.' }],
  [(status) => status === 507, { code: 'full', said: 'The server has no room left.', advice: 'Make room there, or raise the quota of the user.' }],
  [(status) => status >= 500 || status === 408, { code: 'unavailable', said: 'The server reports a fault of its own.' }],
]

/**
 * What a reply that is no success means.
 * @param words of the reply's body
 * @param isDav the server has answered as only a WebDAV server does. Then 405 is how those made with Go's library (rclone, Caddy) tell that
 * something went wrong below them: https://pkg.go.dev/golang.org/x/net/webdav, handlePut
 */
export function davError(what: string, status: number, headers: Readonly<Record<string, string>>, words: Buffer, isDav: boolean): HoldfastError {
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  const own = ownWords(words, isPage(headers))
  return causeError(isDav && status === 405 ? failed : causeOf(status, headers), [what, `HTTP ${status}`, own], {
    status, reason: `HTTP ${status}`, ...(asked === undefined ? {} : { retryAfterMs: asked }),
  })
}

/** The server asks who is there, and no password was given. Some take a user without one. */
export function noPassword(what: string, user: string): HoldfastError {
  const missing = user === '' ? 'a user name and a password, and none is given' : 'a password, and none is given'
  const advice = `Set HOLDFAST_WEBDAV_PASSWORD${user === '' ? ', and name the user in the address (?user=…)' : ''}. With two-factor login, make an app password and use that.`
  return causeError({ code: 'credentials', said: `The server wants ${missing}.`, advice }, [what, 'HTTP 401'], { status: 401, reason: 'HTTP 401' })
}

/** A reply of 207 to a request about one file or folder: it tells what failed (RFC 4918, section 9.9.4). @param words of the reply's body */
export function partialError(what: string, words: Buffer): HoldfastError {
  const inner = [...words.toString().matchAll(/HTTP\/\d(?:\.\d)? ([1-5]\d\d)/g)].map(([, status]) => Number(status)).find((status) => status >= 400)
  return inner === undefined ? notDav(what, 207, '') : davError(what, inner, {}, words, true)
}

/** A document of HTML: a login page, or a server's own words about an error. */
export function isPage(headers: Readonly<Record<string, string>>): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

/** Of an answer that asks for a login. */
export function wantsBasic(headers: Readonly<Record<string, string>>): boolean {
  return /\bbasic\b/i.test(headers['www-authenticate'] ?? 'basic')
}

function causeOf(status: number, headers: Readonly<Record<string, string>>): Cause {
  if (status === 401) return wantsBasic(headers) ? login : otherLogin
  if (status === 503 && headers['retry-after'] !== undefined) return { code: 'throttled', said: 'The server asks to be left alone for a while (maintenance, or too much to do).' }
  if (status === 407) return pageCause(407) ?? notTheStorage
  return redirectCause(status) ?? statusCauses.find(([fits]) => fits(status))?.[1] ?? notTheStorage
}

/** Sabre's (Nextcloud's) own sentence; of others nothing but their status is worth telling. */
function ownWords(words: Buffer, page: boolean): string {
  if (page) return ''
  const message = /<s:message>([^<]{1,300})</.exec(words.toString())?.[1]
  return message === undefined ? '' : foreign(message)
}

/** An answer that is none of WebDAV's. */
export function notDav(what: string, status: number, server: string): HoldfastError {
  return causeError(notTheStorage, [what, `HTTP ${status}`, server], { status, reason: 'NotWebDav' })
}
