import * as v from 'valibot'
import { causeError, foreign, notTheStorage, redirectCause, retryAfterMs, type Cause } from '../backend/http/failure.ts'
import type { Clock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import type { AppKey } from './app-key.ts'
import { exchange, type SmallReply } from './http.ts'
import type { SignInService } from './services.ts'

/** What a service hands out for a code, or for a refresh token. */
export interface Tokens {
  readonly accessToken: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
  /** Absent where the one that was used stays. */
  readonly refreshToken?: string
  readonly idToken?: string
}

/** What names the service, the app and the clock of each exchange. */
export interface TokenClientOptions {
  readonly service: SignInService
  readonly key: AppKey
  readonly clock: Clock
}

// It is sent in a header: nothing but visible ASCII is let in.
const token = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,16384}$/))
const seconds = v.pipe(v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))]), v.minValue(1), v.maxValue(366 * 86_400))
const reply = v.object({
  access_token: token,
  token_type: v.optional(v.pipe(v.string(), v.regex(/^bearer$/i))),
  expires_in: v.optional(seconds, 3600),
  refresh_token: v.optional(token),
  id_token: v.optional(token),
  scope: v.optional(v.pipe(v.string(), v.maxLength(8192))),
})
const refusal = v.object({ error: v.pipe(v.string(), v.maxLength(200)), error_description: v.optional(v.string()) })

/** Redeems the code of a consent. Errors: credentials, offline, unavailable, throttled, denied, aborted. */
export async function redeemCode(options: TokenClientOptions, code: string, redirectUri: string, verifier: string | undefined, signal: AbortSignal): Promise<Tokens> {
  const { scope, tokens } = await ask(options, { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...(verifier !== undefined && { code_verifier: verifier }) }, signal)
  if (scope !== undefined) expectScopes(options.service, scope)
  if (tokens.refreshToken !== undefined) return tokens
  throw new HoldfastError('credentials', `${options.service.name} gave a sign-in that ends within hours and cannot be renewed.`, {
    data: { reason: 'no-refresh-token', advice: 'Sign in once more. If it happens again, the app\'s registration does not allow offline access.' },
  })
}

/**
 * New tokens for a refresh token. Not to be repeated where a service takes one once. Errors: as redeemCode; `credentials` with
 * `data.reason` `ended`: the consent is over, and this refresh token will never be good again.
 */
export async function renewTokens(options: TokenClientOptions, refreshToken: string, signal: AbortSignal): Promise<Tokens> {
  return (await ask(options, { grant_type: 'refresh_token', refresh_token: refreshToken }, signal)).tokens
}

async function ask(options: TokenClientOptions, grant: Readonly<Record<string, string>>, signal: AbortSignal): Promise<{ readonly tokens: Tokens; readonly scope: string | undefined }> {
  const { service, key, clock } = options
  const form = { ...grant, client_id: key.id, ...(service.secret === 'sent' && key.secret !== undefined && { client_secret: key.secret }) }
  const answer = await exchange(`signing in to ${service.name}`, { method: 'POST', address: service.token, form }, signal)
  if (answer.status !== 200) throw refusalOf(service, answer, clock)
  const parsed = v.safeParse(reply, parseJson(answer.text))
  if (!parsed.success) throw causeError(notTheStorage, [service.name, 'sign-in'], { reason: 'NotTokens' })
  const { access_token: accessToken, expires_in: expires, refresh_token: refreshToken, id_token: idToken, scope } = parsed.output
  const tokens = {
    accessToken,
    expiresMs: clock.now() + expires * 1000,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(idToken !== undefined && { idToken }),
  }
  return { tokens, scope }
}

/** Microsoft writes scopes with the address of what they are for, and in letters of its own. */
function expectScopes({ name, needed }: SignInService, scope: string): void {
  const plain = (one: string): string => one.toLowerCase().replace(/^https:\/\/graph\.microsoft\.com\//, '')
  const granted = scope.split(/[\s,]+/).map(plain)
  if (needed.every((one) => granted.includes(plain(one)))) return
  throw new HoldfastError('credentials', `The sign-in to ${name} does not allow Holdfast to keep files there.`, {
    data: { reason: 'scope', advice: `Sign in again and leave every box ticked on ${name}'s page.` },
  })
}

/** The consent is over: withdrawn, expired, or used up. RFC 6749, 5.2; the others are Microsoft's (AADSTS65001 and its like). */
const endedErrors: ReadonlySet<string> = new Set(['invalid_grant', 'interaction_required', 'consent_required', 'login_required'])
const keyErrors: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client', 'invalid_client_id', 'deleted_client'])

function refusalOf(service: SignInService, { status, headers, text }: SmallReply, clock: Clock): HoldfastError {
  const facts = [service.name, `HTTP ${status}`]
  const told = v.safeParse(refusal, parseJson(text))
  const retryMs = retryAfterMs(headers['retry-after'], clock.now())
  const data = { status, ...(retryMs !== undefined && { retryAfterMs: retryMs }) }
  if (status === 429) return causeError({ code: 'throttled', said: `${service.name} asks to go slower.` }, facts, data)
  if (status >= 500) return causeError({ code: 'unavailable', said: `${service.name} has trouble of its own.` }, facts, data)
  if (!told.success) return causeError(redirectCause(status) ?? notTheStorage, facts, data)
  const { error, error_description: words = '' } = told.output
  const because = words === '' ? undefined : new Error(foreign(words))
  return causeError(refusalCause(service, error), [...facts, error], { ...data, reason: endedErrors.has(error) ? 'ended' : 'refused' }, because)
}

function refusalCause({ name }: SignInService, error: string): Cause {
  if (endedErrors.has(error)) return { code: 'credentials', said: `${name} does not accept the sign-in any more.`, advice: 'Sign in again.' }
  if (keyErrors.has(error)) return { code: 'credentials', said: `${name} does not know this app, or its secret is another.`, advice: 'Check the app key and the app secret (README, "Signing in with an app of your own").' }
  return { code: 'credentials', said: `${name} refuses the sign-in.` }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
