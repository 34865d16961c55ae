import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SignInKind } from '../../engine/protocol/providers/description.ts'

/** Somebody with an account. */
export interface Person {
  readonly id: string
  readonly login: string
}

/** How the token address answers next, instead of as it should. `lost`: it does what was asked and the reply never leaves. */
export type TokenFault = 'slow' | 'huge' | 'html' | 'redirect' | 'nonsense' | 'broken' | 'throttled' | 'lost' | 'no-refresh-token' | 'fewer-scopes' | 'header-injection' | 'unknown-client'

export interface TokenRequest {
  readonly service: SignInKind
  readonly form: Readonly<Record<string, string>>
  readonly status: number
}

interface Code {
  readonly person: Person
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly issuedMs: number
}

interface Grant {
  readonly person: Person
  revoked: boolean
}

interface Refresh {
  readonly grant: Grant
  spent: boolean
}

interface Access {
  readonly grant: Grant
  readonly expiresMs: number
}

/** What a service does differently. Sources: BACKENDS.md, "OAuth for desktop", and the pages named in engine/accounts/services.ts. */
interface Ways {
  readonly redirect: RegExp
  readonly pkce: boolean
  readonly secret: boolean
  /** Seconds. */
  readonly accessLife: number
  /** `stays`: one for good · `again`: a new one each time, the old ones stay good · `once`: each is good once (Box). */
  readonly refresh: 'stays' | 'again' | 'once'
  readonly scope: string | undefined
}

const ways: Readonly<Record<SignInKind, Ways>> = {
  dropbox: {
    redirect: /^http:\/\/localhost:(17417|22417|27417)\/$/, pkce: true, secret: false, accessLife: 14_400, refresh: 'stays',
    scope: 'account_info.read files.content.read files.content.write files.metadata.read',
  },
  google: { redirect: /^http:\/\/127\.0\.0\.1:\d+$/, pkce: true, secret: true, accessLife: 3599, refresh: 'stays', scope: 'https://www.googleapis.com/auth/drive.file' },
  microsoft: {
    redirect: /^http:\/\/localhost:\d+$/, pkce: true, secret: false, accessLife: 3600, refresh: 'again',
    scope: 'openid profile https://graph.microsoft.com/Files.ReadWrite.AppFolder',
  },
  box: { redirect: /^http:\/\/127\.0\.0\.1:(17417|22417|27417)\/$/, pkce: false, secret: true, accessLife: 3600, refresh: 'once', scope: undefined },
}

export const appKey = 'app-key-of-the-tests'
export const appSecret = 'app-secret-7781'
/** Box and others: a code is good for half a minute. */
const codeLifeMs = 30_000

/** The four services' authorization servers, as far as a desktop app sees them: `http://127.0.0.1:port/<kind>/<path of the service>`. */
export class OAuthServer implements AsyncDisposable {
  readonly origin: string
  /** Who is in front of the browser. */
  person: Person = { id: 'id-anna', login: 'anna@example.org' }
  /** What that person answers. */
  allows = true
  /** Consumed by the next token requests, one each. */
  readonly faults: TokenFault[] = []
  readonly tokenRequests: TokenRequest[] = []
  readonly revocations: SignInKind[] = []
  /** Awaited when a token request has taken effect, before its reply leaves. */
  beforeReply: (request: TokenRequest) => Promise<void> = () => Promise.resolve()
  /** Added to the time. */
  aheadMs = 0
  readonly #server: ReturnType<typeof createServer>
  readonly #issued: string[] = []
  readonly #codes = new Map<string, Code>()
  readonly #refresh = new Map<string, Refresh>()
  readonly #access = new Map<string, Access>()

  static async start(): Promise<OAuthServer> {
    const server = createServer()
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    return new OAuthServer(server)
  }

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, reply) => {
      this.#serve(request, reply).catch(() => { reply.destroy() })
    })
  }

  /** For processes: where the services are, and the app's keys. */
  get environment(): Record<string, string> {
    const keys = Object.keys(ways).flatMap((kind) => [[`HOLDFAST_${kind.toUpperCase()}_APP_KEY`, appKey], [`HOLDFAST_${kind.toUpperCase()}_APP_SECRET`, appSecret]])
    return { HOLDFAST_SERVICE_OAUTH: this.origin, ...(Object.fromEntries(keys) as Record<string, string>) }
  }

  /** The person withdraws consent on the service's own pages: every token of theirs is worth nothing. */
  withdraw(person: Person = this.person): void {
    for (const one of [...this.#refresh.values(), ...this.#access.values()]) if (one.grant.person.id === person.id) one.grant.revoked = true
  }

  /** Every access token ends; what renews them stays. */
  endAccess(): void {
    this.#access.clear()
  }

  /** Whose token it is, if it is good: for a storage's stand-in. */
  personOf(accessToken: string): Person | undefined {
    const found = this.#access.get(accessToken)
    return found && !found.grant.revoked && found.expiresMs > this.#now() ? found.grant.person : undefined
  }

  /** Everything that it gave out and that nobody else may see. */
  get issued(): readonly string[] {
    return [...this.#issued]
  }

  /** How many renewals were asked for. */
  get renewals(): number {
    return this.tokenRequests.filter(({ form }) => form['grant_type'] === 'refresh_token').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #now(): number {
    return Date.now() + this.aheadMs
  }

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin)
    const [, kind, ...path] = url.pathname.split('/')
    if (!isKind(kind)) return sendJson(reply, 404, { error: 'no such service' })
    const body = await textOf(request)
    switch (`${request.method ?? ''} ${kind} /${path.join('/')}`) {
      case 'GET dropbox /oauth2/authorize':
      case 'GET google /o/oauth2/v2/auth':
      case 'GET microsoft /common/oauth2/v2.0/authorize':
      case 'GET box /api/oauth2/authorize':
        return this.#authorize(kind, url.searchParams, reply)
      case 'POST dropbox /oauth2/token':
      case 'POST google /token':
      case 'POST microsoft /common/oauth2/v2.0/token':
      case 'POST box /oauth2/token':
        return this.#token(kind, request.headers['content-type'] === 'application/x-www-form-urlencoded' ? formOf(body) : {}, reply)
      case 'POST dropbox /2/users/get_current_account':
        return this.#identity(request, reply, ({ id, login }) => ({ account_id: id, email: login, email_verified: true }))
      case 'GET google /drive/v3/about':
        return this.#identity(request, reply, ({ id, login }) => ({ user: { kind: 'drive#user', permissionId: id, emailAddress: login, displayName: 'Anna' } }))
      case 'GET box /2.0/users/me':
        return this.#identity(request, reply, ({ id, login }) => ({ type: 'user', id, login, name: 'Anna' }))
      case 'POST dropbox /2/auth/token/revoke':
        return this.#revoke(kind, this.#access.get(bearerOf(request))?.grant, reply)
      case 'POST google /revoke':
      case 'POST box /oauth2/revoke':
        return this.#revoke(kind, this.#refresh.get(formOf(body)['token'] ?? '')?.grant, reply)
      default:
        return sendJson(reply, 404, { error: 'not_found' })
    }
  }

  /** Consent pages redirect only to what is registered; all else is told on the page. */
  #authorize(kind: SignInKind, query: URLSearchParams, reply: ServerResponse): void {
    const { redirect, pkce } = ways[kind]
    const redirectUri = query.get('redirect_uri') ?? ''
    const challenge = query.get('code_challenge') ?? undefined
    const wrong = query.get('client_id') !== appKey ? 'client_id' : !redirect.test(redirectUri) ? 'redirect_uri' : query.get('response_type') !== 'code' ? 'response_type' : undefined
    if (wrong) return sendPage(reply, 400, `wrong ${wrong}`)
    if (pkce && (query.get('code_challenge_method') !== 'S256' || challenge?.length !== 43)) return sendPage(reply, 400, 'wrong code_challenge')
    const back = new URL(redirectUri)
    back.searchParams.set('state', query.get('state') ?? '')
    if (this.allows) back.searchParams.set('code', this.#newCode({ person: this.person, redirectUri, challenge, issuedMs: this.#now() }))
    else back.searchParams.set('error', 'access_denied')
    reply.writeHead(302, { location: back.href }).end()
  }

  #newCode(code: Code): string {
    const text = this.#secret('code')
    this.#codes.set(text, code)
    return text
  }

  async #token(kind: SignInKind, form: Record<string, string>, reply: ServerResponse): Promise<void> {
    const fault = this.faults.shift()
    const refused = this.#clientProblem(kind, fault === 'unknown-client' ? {} : form)
    const answer = fault === 'broken' || fault === 'throttled' ? undefined : (refused ?? this.#granted(kind, form, fault))
    const request: TokenRequest = { service: kind, form, status: answer?.status ?? 0 }
    this.tokenRequests.push(request)
    await this.beforeReply(request)
    switch (fault) {
      case 'slow': await new Promise((resolve) => reply.once('close', resolve)); return
      case 'lost': reply.destroy(); return
      case 'broken': return sendPage(reply, 503, 'down')
      case 'throttled': reply.writeHead(429, { 'retry-after': '7', 'content-type': 'application/json' }).end('{"error":"rate_limited"}'); return
      case 'huge': reply.writeHead(200, { 'content-type': 'application/json' }).end(`{"access_token":"${'x'.repeat(1_000_000)}"}`); return
      case 'html': return sendPage(reply, 200, 'Welcome to the hotel')
      case 'redirect': reply.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(); return
      case 'nonsense': return sendJson(reply, 200, { access_token: 7 })
      case 'header-injection': return sendJson(reply, 200, { access_token: 'a\r\nx: y', expires_in: 5 })
      default: return sendJson(reply, answer?.status ?? 500, answer?.body ?? {})
    }
  }

  #clientProblem(kind: SignInKind, form: Readonly<Record<string, string>>): Answer | undefined {
    const known = form['client_id'] === appKey && (!ways[kind].secret || form['client_secret'] === appSecret)
    return known ? undefined : { status: kind === 'microsoft' || kind === 'box' ? 400 : 401, body: { error: 'invalid_client', error_description: 'The client credentials are invalid' } }
  }

  #granted(kind: SignInKind, form: Readonly<Record<string, string>>, fault: TokenFault | undefined): Answer {
    if (form['grant_type'] === 'authorization_code') {
      const grant = this.#redeem(kind, form)
      return grant ? this.#tokens(kind, grant, fault === 'no-refresh-token' ? undefined : this.#newRefresh(grant), fault) : ended
    }
    const found = this.#refresh.get(form['refresh_token'] ?? '')
    if (form['grant_type'] !== 'refresh_token') return { status: 400, body: { error: 'unsupported_grant_type' } }
    if (!found || found.spent || found.grant.revoked) return ended
    const { refresh } = ways[kind]
    if (refresh === 'once') found.spent = true
    return this.#tokens(kind, found.grant, refresh === 'stays' ? undefined : this.#newRefresh(found.grant), fault)
  }

  /** Once, in time, by who has the verifier, for the same redirect. */
  #redeem(kind: SignInKind, form: Readonly<Record<string, string>>): Grant | undefined {
    const code = this.#codes.get(form['code'] ?? '')
    this.#codes.delete(form['code'] ?? '')
    if (!code || this.#now() - code.issuedMs > codeLifeMs || form['redirect_uri'] !== code.redirectUri) return undefined
    const proof = createHash('sha256').update(form['code_verifier'] ?? '').digest('base64url')
    return ways[kind].pkce && proof !== code.challenge ? undefined : { person: code.person, revoked: false }
  }

  #newRefresh(grant: Grant): string {
    const text = this.#secret('refresh')
    this.#refresh.set(text, { grant, spent: false })
    return text
  }

  #tokens(kind: SignInKind, grant: Grant, refreshToken: string | undefined, fault: TokenFault | undefined): Answer {
    const { accessLife, scope } = ways[kind]
    const accessToken = this.#secret('access')
    this.#access.set(accessToken, { grant, expiresMs: this.#now() + accessLife * 1000 })
    const idToken = kind === 'microsoft' ? unsignedToken({ sub: grant.person.id, preferred_username: grant.person.login }) : undefined
    return {
      status: 200,
      body: {
        access_token: accessToken, token_type: kind === 'microsoft' ? 'Bearer' : 'bearer', expires_in: accessLife,
        ...(refreshToken !== undefined && { refresh_token: refreshToken }),
        ...(scope !== undefined && { scope: fault === 'fewer-scopes' ? 'openid' : scope }),
        ...(idToken !== undefined && { id_token: idToken }),
      },
    }
  }

  #secret(kind: string): string {
    const text = `${kind}-${randomBytes(12).toString('hex')}`
    this.#issued.push(text)
    return text
  }

  #identity(request: IncomingMessage, reply: ServerResponse, view: (person: Person) => unknown): void {
    const person = this.personOf(bearerOf(request))
    if (person) sendJson(reply, 200, view(person))
    else sendJson(reply, 401, { error_summary: 'invalid_access_token/' })
  }

  #revoke(kind: SignInKind, grant: Grant | undefined, reply: ServerResponse): void {
    if (!grant) return sendJson(reply, 400, { error: 'invalid_token' })
    grant.revoked = true
    this.revocations.push(kind)
    sendJson(reply, 200, {})
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

const ended: Answer = { status: 400, body: { error: 'invalid_grant', error_description: 'refresh token is invalid or revoked' } }

function isKind(text: string | undefined): text is SignInKind {
  return text !== undefined && Object.hasOwn(ways, text)
}

function unsignedToken(claims: unknown): string {
  return ['{"alg":"RS256"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')
}

function bearerOf({ headers }: IncomingMessage): string {
  return (headers.authorization ?? '').replace(/^Bearer /, '')
}

function formOf(body: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function sendJson(reply: ServerResponse, status: number, body: unknown): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendPage(reply: ServerResponse, status: number, text: string): void {
  reply.writeHead(status, { 'content-type': 'text/html' }).end(`<!DOCTYPE html><title>${text}</title><p>${text}</p>`)
}

/** A browser with somebody who says yes at once: follows the redirects from an address to the page at their end. */
export async function browse(address: string): Promise<{ readonly status: number; readonly address: string; readonly text: string }> {
  const reply = await fetch(address)
  return { status: reply.status, address: reply.url, text: await reply.text() }
}
