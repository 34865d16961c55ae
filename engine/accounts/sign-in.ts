import { abortError, throwIfAborted } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import { foreign } from '../backend/http/failure.ts'
import type { AppKey } from './app-key.ts'
import { identityOf } from './identity.ts'
import { openLoopback, type Callback, type Loopback } from './loopback.ts'
import type { NewAccount } from './owner.ts'
import { challengeOf, isSameText, randomText } from './pkce.ts'
import type { SignInService } from './services.ts'
import { redeemCode } from './token-client.ts'

export interface SignInPorts {
  readonly service: SignInService
  readonly key: AppKey
  readonly clock: Clock
  /**
   * Called once. `page`: the service's consent page, for people. `begin`: leads a browser on this machine there, once; for a program's arguments,
   * which every user of the machine can read: who knows the page could bring an answer of his own.
   */
  readonly onAddress: (page: string, begin: string) => void
  /** The address that a browser on another machine ended at, where somebody can enter it. Pending until then. */
  readonly pasted?: Promise<string>
  /** How long somebody may take in the browser. */
  readonly timeoutMs?: number
}

const standardTimeoutMs = 10 * 60_000

/**
 * Signs in: opens the door for the browser, waits for it to come back with the state that it was sent with, and redeems the code. `take` keeps the
 * account; until it has, the browser waits for its last page. Errors: credentials (not allowed, refused, nobody came back), busy (no
 * port), unsupported, offline, unavailable, aborted, and those of `take`.
 */
export async function signIn<T>(ports: SignInPorts, take: (found: NewAccount) => Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfAborted(signal)
  const { service, key, onAddress } = ports
  const state = randomText()
  const verifier = service.pkce ? randomText() : undefined
  await using door = await openLoopback(service.redirect, state)
  const page = authorizeAddress(service, key, { state, verifier, redirectUri: door.redirectUri })
  onAddress(page, door.leadTo(page))
  const code = await codeOf(ports, door, state, signal)
  try {
    const tokens = await redeemCode(ports, code, door.redirectUri, verifier, signal)
    const identity = await identityOf(service, tokens, signal)
    const { accessToken: access, expiresMs, refreshToken } = tokens
    const taken = await take({ service: service.kind, ...identity, appKey: key.id, tokens: { refresh: refreshToken === undefined ? [] : [refreshToken], access, expiresMs } })
    door.show('signed-in')
    return taken
  } catch (error) {
    door.show('failed')
    throw error
  }
}

interface Request {
  readonly state: string
  readonly verifier: string | undefined
  readonly redirectUri: string
}

function authorizeAddress(service: SignInService, key: AppKey, { state, verifier, redirectUri }: Request): string {
  const address = new URL(service.authorize)
  const parameters = {
    client_id: key.id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: service.scopes.join(' '),
    state,
    ...(verifier !== undefined && { code_challenge: challengeOf(verifier), code_challenge_method: 'S256' }),
    ...service.parameters,
  }
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
  return address.href
}

async function codeOf({ service, clock, pasted, timeoutMs = standardTimeoutMs }: SignInPorts, door: Loopback, state: string, signal: AbortSignal): Promise<string> {
  const over = new AbortController()
  const onAbort = (): void => { over.abort(abortError(signal)) }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const late = clock.sleep(timeoutMs, over.signal).then((): never => { throw new HoldfastError('credentials', `Nobody came back from ${service.name}'s page in time.`, { data: { reason: 'late', advice: 'Start the sign-in again.' } }) })
    const typed = pasted?.then((address) => callbackOf(address, state, service)) ?? new Promise<never>(() => undefined)
    const callback = await Promise.race([door.callback, typed, late])
    if (callback.type === 'code') return callback.code
    door.show('refused')
    throw refusal(service, callback.error)
  } finally {
    over.abort()
    signal.removeEventListener('abort', onAbort)
  }
}

function callbackOf(address: string, state: string, { name }: SignInService): Callback {
  let query: URLSearchParams
  try {
    query = new URL(address.trim()).searchParams
  } catch {
    throw new HoldfastError('arguments', 'What was entered is no address. Copy the whole address of the page that the browser ended at; it begins with http://.')
  }
  if (!isSameText(query.get('state') ?? '', state)) throw new HoldfastError('arguments', `The address is not of this sign-in to ${name}. Start it again, and copy the address that the browser ends at.`)
  const [error, code] = [query.get('error'), query.get('code')]
  if (error !== null || code === null || code === '') return { type: 'refused', error: (error ?? 'no code').slice(0, 200) }
  return { type: 'code', code }
}

/** RFC 6749, 4.1.2.1. */
function refusal({ name }: SignInService, error: string): HoldfastError {
  const words = error === 'access_denied' ? `Holdfast was not allowed into the ${name} account.` : `${name} refuses the sign-in (${foreign(error)}).`
  return new HoldfastError('credentials', words, { data: { reason: error === 'access_denied' ? 'declined' : 'refused', advice: 'Sign in again, and allow it on the page of the service.' } })
}
