import { createSign } from 'node:crypto'
import { object, optional, pipe, regex, safeParse, string, literal, number, nonEmpty, unknown } from 'valibot'
import { unlessAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Credentials, CredentialSource } from '../credentials.ts'
import { parsedJson } from '../http/bearer.ts'
import { HttpClient } from '../http/client.ts'
import { causeError, foreign, networkError, notTheStorage, retryAfterMs } from '../http/failure.ts'
import { standardLimits } from '../http/limits.ts'
import { readSmall } from '../http/reply.ts'
import { Responsiveness, Watch } from '../http/watch.ts'

const scope = 'https://www.googleapis.com/auth/devstorage.read_write'
const lifeSeconds = 3600
/** A token is not used in the last minute of its life. */
const spareMs = 60_000

/** What matters in the JSON of a service account's key; a token comes only from Google itself. */
const keyFile = object({
  type: literal('service_account'), client_email: pipe(string(), regex(/^[^\s@]{1,100}@[^\s@]{1,200}$/)), private_key: pipe(string(), nonEmpty()),
  private_key_id: optional(string()),
})
/** Other files of Google's that look like a key: https://cloud.google.com/docs/authentication/application-default-credentials */
const otherFile = object({ type: optional(string()), installed: optional(unknown()), web: optional(unknown()) })
const otherKinds: Readonly<Record<string, string>> = {
  authorized_user: 'it is a person\'s login, as "gcloud auth application-default login" makes it',
  external_account: 'it is a federated login (external_account)',
  impersonated_service_account: 'it is a login that stands for a service account (impersonated_service_account)',
  service_account: 'parts of it are missing',
  client: 'it is an app\'s OAuth client',
}
const makeKey = 'Make a key of a service account in the Google Cloud console ("IAM & Admin", "Service Accounts", "Keys", "JSON"), and give the whole file.'
const tokenReply = object({ access_token: pipe(string(), nonEmpty()), expires_in: optional(number()) })
const tokenRefusal = object({ error: string(), error_description: optional(string()) })

interface Key {
  readonly email: string
  readonly id: string | undefined
  readonly pem: string
  readonly text: string
}

interface Minted {
  readonly key: string
  readonly accessToken: string
  readonly endsMs: number
}

/** The e-mail address of the service account whose key these are; undefined for the token of a signed-in account. Errors: credentials (no key, or none that is one). */
export function serviceAccountOf({ serviceAccount, accessToken }: Credentials): string | undefined {
  if (serviceAccount !== undefined) return keyOf(serviceAccount).email
  if (accessToken !== undefined) return undefined
  throw new HoldfastError('credentials', 'Credentials for the storage are missing: the key of a service account, in the file that GOOGLE_APPLICATION_CREDENTIALS names, or in HOLDFAST_GCS_KEY.', {
    data: { advice: makeKey },
  })
}

/**
 * Access tokens: of an account that is signed in, as they are; for a service account's key, exchanged for the key's signature and good for
 * an hour. Any number may ask at once; one asks Google. https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export class TokenSource implements CredentialSource, Disposable {
  readonly #inner: CredentialSource
  readonly #url: URL
  readonly #clock: Clock
  readonly #http = new HttpClient(1)
  readonly #host = new Responsiveness()
  #minted: Minted | undefined
  #minting: Promise<Minted> | undefined

  /** @param service the origin that stands for Google in tests */
  constructor(inner: CredentialSource, service: string | undefined, clock: Clock) {
    this.#inner = inner
    this.#url = new URL('/token', service ?? 'https://oauth2.googleapis.com')
    this.#clock = clock
  }

  async current(signal: AbortSignal): Promise<Credentials> {
    const credentials = await this.#inner.current(signal)
    return credentials['serviceAccount'] === undefined ? credentials : this.#tokenFor(keyOf(credentials['serviceAccount']), undefined, signal)
  }

  async renew(rejected: Credentials, signal: AbortSignal): Promise<Credentials> {
    const { serviceAccount } = await this.#inner.current(signal)
    return serviceAccount === undefined ? this.#inner.renew(rejected, signal) : this.#tokenFor(keyOf(serviceAccount), rejected['accessToken'], signal)
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]()
  }

  async #tokenFor(key: Key, rejected: string | undefined, signal: AbortSignal): Promise<Credentials> {
    for (;;) {
      const minted = this.#minted
      if (minted?.key === key.text && minted.accessToken !== rejected && minted.endsMs - this.#clock.now() > spareMs) return { accessToken: minted.accessToken }
      const running = this.#minting
      if (running) {
        // Its failure is its caller's; whoever waited tries for itself.
        await unlessAborted(running.catch(() => undefined), signal)
        continue
      }
      this.#minting = this.#mint(key, signal)
      try {
        this.#minted = await this.#minting
      } finally {
        this.#minting = undefined
      }
      return { accessToken: this.#minted.accessToken }
    }
  }

  async #mint(key: Key, signal: AbortSignal): Promise<Minted> {
    const nowMs = this.#clock.now()
    const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: signed(key, nowMs) }).toString()
    const { protocol, hostname, port, pathname } = this.#url
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(form.length) }
    const watching = { kind: 'small' as const, clock: this.#clock, limits: standardLimits, host: this.#host }
    try {
      return await Watch.run(watching, signal, async (watch) => {
        const place = { protocol: protocol === 'http:' ? 'http:' as const : 'https:' as const, hostname, path: pathname, ...(port === '' ? {} : { port: Number(port) }) }
        const reply = await this.#http.send({ ...place, method: 'POST', headers, body: Buffer.from(form) }, watch)
        const answer = parsedJson(await readSmall(reply, watch))
        const token = reply.status === 200 ? safeParse(tokenReply, answer) : undefined
        if (!token?.success) throw refusal(reply.status, answer, reply.headers['retry-after'])
        return { key: key.text, accessToken: token.output.access_token, endsMs: nowMs + (token.output.expires_in ?? lifeSeconds) * 1000 }
      })
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      throw networkError(error, 'oauth2.googleapis.com') ?? causeError(notTheStorage, ['oauth2.googleapis.com'], { reason: 'NotGoogle' }, error)
    }
  }
}

function keyOf(text: string): Key {
  const parsed = parsedJson(text)
  const key = safeParse(keyFile, parsed)
  if (!key.success) throw new HoldfastError('credentials', `The service account's key is not one: ${whatElse(text, parsed)}.`, { data: { advice: makeKey } })
  const { client_email: email, private_key: pem, private_key_id: id } = key.output
  return { email, pem, id, text }
}

/** What was given in place of a key. Nothing of it is repeated: it may be a secret. */
function whatElse(text: string, parsed: unknown): string {
  if (text.trim() === '') return 'it is empty'
  if (parsed === undefined) return 'it is not the JSON that the Google Cloud console gives out for a key'
  const other = safeParse(otherFile, parsed)
  const kind = other.success ? otherKinds[other.output.type ?? (other.output.installed || other.output.web ? 'client' : '')] : undefined
  return kind ?? 'its JSON is not what the Google Cloud console gives out for a key'
}

function signed({ email, id, pem }: Key, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: email, scope, aud: 'https://oauth2.googleapis.com/token', iat: seconds, exp: seconds + lifeSeconds }
  const head = `${part({ alg: 'RS256', typ: 'JWT', ...(id === undefined ? {} : { kid: id }) })}.${part(claims)}`
  try {
    return `${head}.${createSign('RSA-SHA256').update(head).sign(pem, 'base64url')}`
  } catch {
    // Its error could quote the key.
    throw new HoldfastError('credentials', 'The private key in the service account\'s key is damaged.', { data: { advice: 'Give the whole file as the Google Cloud console made it.' } })
  }
}

/** As OAuth 2 tells errors. `invalid_grant`: the account or key is gone, or the clock of this machine is wrong. */
function refusal(status: number, answer: unknown, retryAfter: string | undefined): HoldfastError {
  const told = safeParse(tokenRefusal, answer)
  const asked = retryAfterMs(retryAfter, Date.now())
  const data = { status, ...(asked === undefined ? {} : { retryAfterMs: asked }) }
  if (status === 429) return causeError({ code: 'throttled', said: 'Google asks to go slower.' }, [`HTTP ${status}`], data)
  if (status >= 500) return causeError({ code: 'unavailable', said: 'Google reports a fault of its own.' }, [`HTTP ${status}`], data)
  if (!told.success) return causeError(notTheStorage, ['oauth2.googleapis.com', `HTTP ${status}`], { ...data, reason: 'NotGoogle' })
  const { error, error_description: words = error } = told.output
  return causeError({
    code: 'credentials', said: 'Google does not accept the service account\'s key.',
    advice: 'Look whether account and key are there and switched on in the Google Cloud console, and whether date and time of this machine are right.',
  }, [foreign(error, 64), `HTTP ${status}`], { ...data, reason: 'ServiceAccountRefused' }, new Error(foreign(words)))
}
