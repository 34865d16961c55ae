import { array, object, optional, safeParse, string } from 'valibot'
import type { HoldfastError } from '../../base/errors.ts'
import { parsedJson } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import { causeError, foreign, notTheStorage, pageCause, redirectCause, retryAfterMs, type Cause } from '../http/failure.ts'

const signInAgain = 'Sign in to Google again.'
const token: Cause = { code: 'credentials', said: 'Google does not accept the sign-in any more.', advice: signInAgain }
const scope: Cause = { code: 'credentials', said: 'The sign-in does not allow Holdfast to keep files there.', advice: `${signInAgain} Leave the box for files ticked on Google's page.` }
const slower: Cause = { code: 'throttled', said: 'Google asks to go slower.' }
const today: Cause = { code: 'unavailable', said: 'Today\'s quota of requests to Google is used up.', advice: 'Wait until tomorrow (midnight, Pacific time), or use an app registration of your own: its quota is yours alone.' }
const switchedOff: Cause = { code: 'denied', said: 'The API is switched off in the Google project of the app or the key.', advice: 'Switch it on in the Google Cloud console, under "APIs & Services", and wait some minutes.' }
const fault: Cause = { code: 'unavailable', said: 'Google reports a fault of its own.' }
const account: Cause = { code: 'denied', said: 'Google has shut out the account or the project.', advice: 'Look into the account at Google: a bill, a limit, or terms to confirm.' }

/**
 * Reasons of all of Google's APIs (`error.errors[0].reason`); they say more than the HTTP status.
 * https://developers.google.com/workspace/drive/api/guides/handle-errors, https://cloud.google.com/storage/docs/json_api/v1/status-codes
 */
const commonCauses: Readonly<Record<string, Cause>> = {
  authError: token,
  expired: token,
  lockedDomainExpired: token,
  insufficientPermissions: scope,
  insufficientScopes: scope,
  rateLimitExceeded: slower,
  userRateLimitExceeded: slower,
  tooManyRequests: slower,
  dailyLimitExceeded: today,
  dailyLimitExceededUnreg: today,
  accessNotConfigured: switchedOff,
  accountDisabled: account,
  countryBlocked: { code: 'denied', said: 'Google does not serve this country.' },
  notFound: { code: 'not-found', said: 'The object does not exist.' },
  conditionNotMet: { code: 'exists', said: 'The object exists already.' },
  backendError: fault,
  internalError: fault,
}

const refusal = object({
  error: object({ message: optional(string()), status: optional(string()), errors: optional(array(object({ reason: optional(string()) }))) }),
})

/** The error of a reply that is no answer. @param causes of this API, by reason; they go before those that all share */
export function refusalError(what: string, { status, headers }: HttpReply, body: Buffer, causes: Readonly<Record<string, Cause>>): HoldfastError {
  const told = safeParse(refusal, parsedJson(body))
  const page = told.success ? undefined : (status < 300 ? notTheStorage : isPage(headers) ? pageCause(status) : redirectCause(status))
  if (page) return causeError(page, [what, `HTTP ${status}`, headers['server'] ?? ''], { status, reason: 'NotGoogle' })
  const { message = '', errors = [] } = told.success ? told.output.error : {}
  const named = errors[0]?.reason ?? ''
  const reason = /^[A-Za-z0-9._-]{1,64}$/.test(named) ? named : 'Unknown'
  const cause = causeOf(causes, reason) ?? causeOf(commonCauses, reason) ?? statusCause(status)
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  const words = message === '' ? undefined : new Error(foreign(message))
  return causeError(cause, [what, reason === 'Unknown' ? '' : reason, `HTTP ${status}`], { status, reason, ...(asked === undefined ? {} : { retryAfterMs: asked }) }, words)
}

function causeOf(causes: Readonly<Record<string, Cause>>, reason: string): Cause | undefined {
  return Object.hasOwn(causes, reason) ? causes[reason] : undefined
}

function isPage(headers: HttpReply['headers']): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

/** Where Google gives no reason that is known here. */
function statusCause(status: number): Cause {
  if (status === 401) return token
  if (status === 403) return { code: 'denied', said: 'Google refuses the operation.' }
  if (status === 404 || status === 410) return { code: 'not-found', said: 'The object does not exist.' }
  if (status === 408) return { code: 'unavailable', said: 'Google gave up waiting for the rest of the bytes.' }
  if (status === 409) return { code: 'unavailable', said: 'Google is working on the same object.' }
  if (status === 412) return { code: 'exists', said: 'The object exists already.' }
  if (status === 413) return { code: 'full', said: 'Google takes no object this large.' }
  if (status === 416) return { code: 'damaged', said: 'The object ends before the bytes that were asked for.' }
  if (status === 429) return slower
  if (status === 507) return { code: 'full', said: 'The storage is full.' }
  if (status >= 500) return fault
  return { code: 'unsupported', said: 'Google refuses a request that its interface has.', advice: 'Update Holdfast; if it is the newest, tell its authors.' }
}
