import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js'
import { Readable } from 'node:stream'
import { safeParse, type GenericSchema, type InferOutput } from 'valibot'
import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Credentials, CredentialSource } from '../credentials.ts'
import { HttpClient, type HttpReply } from '../http/client.ts'
import { causeError, networkError, notTheStorage, type Cause } from '../http/failure.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { readSmall } from '../http/reply.ts'
import { Responsiveness, Watch, type ExchangeKind } from '../http/watch.ts'
import { refusalError } from './errors.ts'

export interface GoogleRequest {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Made anew when the request is repeated with another token. */
  readonly body?: (watch: Watch) => Uint8Array | Readable
  /** An answer beside the 2xx: 308 is one of an upload session. */
  readonly alsoAnswers?: readonly number[]
}

export interface GoogleClientOptions {
  /** Of the API; a stand-in's in tests. */
  readonly origin: string
  /** Gives `accessToken`. */
  readonly credentials: CredentialSource
  readonly connections: number
  readonly clock: Clock
  readonly limits?: HttpLimits
  /** What reasons of this API mean that are not in errors.ts. */
  readonly causes: Readonly<Record<string, Cause>>
}

/** Options of one call of a generated client (googleapis). */
export type CallOptions = Pick<drive_v3.Options, 'adapter' | 'retry' | 'universeDomain' | 'noProxy'>
type Adapter = NonNullable<drive_v3.Options['adapter']>
type Prepared = Parameters<Adapter>[0]

/**
 * Exchanges with one of Google's APIs, with our errors and limits (http/limits.ts), and without hidden retries. A token that is refused is
 * renewed, and the request repeated once: refused, it had no effect.
 */
export class GoogleClient implements Disposable {
  readonly origin: string
  readonly #credentials: CredentialSource
  readonly #causes: Readonly<Record<string, Cause>>
  readonly #http: HttpClient
  readonly #watching: { readonly clock: Clock; readonly limits: HttpLimits; readonly host: Responsiveness }

  constructor({ origin, credentials, connections, clock, limits = standardLimits, causes }: GoogleClientOptions) {
    this.origin = origin
    this.#credentials = credentials
    this.#causes = causes
    this.#http = new HttpClient(connections)
    this.#watching = { clock, limits, host: new Responsiveness() }
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]()
  }

  /**
   * @param what names the object in errors
   * @param moves bytes of the object that moves, or what else the exchange is
   * @param read consumes the reply's body
   */
  async exchange<T>(what: string, moves: ExchangeKind | number, request: GoogleRequest, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const credentials = await this.#credentials.current(signal)
    try {
      return await this.#once(what, moves, request, credentials, read, signal)
    } catch (error) {
      if (!hasCode(error, 'credentials') || error.data['status'] !== 401) throw error
      return await this.#once(what, moves, request, await this.#credentials.renew(credentials, signal), read, signal)
    }
  }

  /** A small exchange that a generated client describes; its answer as the schema has it. Errors: also unavailable (another answer). */
  async call<S extends GenericSchema>(what: string, schema: S, describe: (options: CallOptions) => Promise<unknown>, signal: AbortSignal): Promise<InferOutput<S>> {
    return this.json(what, 'small', await described(describe), schema, signal)
  }

  /** The same where the answer says nothing. */
  async perform(what: string, describe: (options: CallOptions) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    await this.exchange(what, 'small', await described(describe), readSmall, signal)
  }

  json<S extends GenericSchema>(what: string, moves: ExchangeKind | number, request: GoogleRequest, schema: S, signal: AbortSignal): Promise<InferOutput<S>> {
    return this.exchange(what, moves, request, async (reply, watch) => answerOf(what, schema, await readSmall(reply, watch)), signal)
  }

  async #once<T>(what: string, moves: ExchangeKind | number, request: GoogleRequest, credentials: Credentials, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    const headers = { ...request.headers, ...bearer(credentials) }
    try {
      return await Watch.run({ ...kind, ...this.#watching }, signal, async (watch) => {
        const body = request.body?.(watch)
        try {
          const reply = await this.#http.send({ ...placeOf(request.url), method: request.method, headers, ...(body ? { body } : {}) }, watch)
          const isAnswer = (reply.status >= 200 && reply.status < 300) || request.alsoAnswers?.includes(reply.status)
          if (!isAnswer || isPage(reply)) throw refusalError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch), this.#causes)
          return await read(reply, watch)
        } finally {
          if (body instanceof Readable) body.destroy()
        }
      })
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      throw networkError(error, what) ?? causeError(notTheStorage, [what], { reason: 'NotGoogle' }, error)
    }
  }
}

/** Throws `unavailable` for what is not JSON of that shape. */
export function answerOf<S extends GenericSchema>(what: string, schema: S, text: Buffer): InferOutput<S> {
  const answer = safeParse(schema, parseJson(text))
  if (!answer.success) throw causeError(notTheStorage, [what], { reason: 'NotGoogle' })
  return answer.output
}

/** What the generated client would send: it builds requests, and ours go out, so that nothing is repeated or read behind our back. */
async function described(describe: (options: CallOptions) => Promise<unknown>): Promise<GoogleRequest> {
  let request: GoogleRequest | undefined
  const adapter = (async (prepared: Prepared) => {
    request = requestOf(prepared)
    return Object.assign(new Response(null, { status: 204 }), { config: prepared, data: undefined })
  }) as Adapter
  // Nothing of this is for the environment to change: HttpClient knows proxies, and where requests go is said once.
  await describe({ adapter, retry: false, universeDomain: 'googleapis.com', noProxy: [/^/] })
  if (!request) throw new TypeError('A call without a request.')
  return request
}

/** Its headers ask for compressed answers and tell of the machine: only the type of the body is kept. */
function requestOf({ method = 'GET', url, headers, body }: Prepared): GoogleRequest {
  const text = typeof body === 'string' ? Buffer.from(body) : undefined
  const type = headers.get('content-type')
  return {
    method, url: String(url),
    headers: { ...(type === null || !text ? {} : { 'content-type': type }), ...(method === 'GET' ? {} : { 'content-length': String(text?.length ?? 0) }) },
    ...(text ? { body: () => text } : {}),
  }
}

function bearer({ accessToken }: Credentials): Readonly<Record<string, string>> {
  if (!accessToken) throw new HoldfastError('credentials', 'Nobody is signed in to Google for this storage.', { data: { advice: 'Sign in again.' } })
  return { authorization: `Bearer ${accessToken}` }
}

function placeOf(address: string): { readonly protocol: 'http:' | 'https:'; readonly hostname: string; readonly port?: number; readonly path: string } {
  const { protocol, hostname, port, pathname, search } = new URL(address)
  return { protocol: protocol === 'http:' ? 'http:' : 'https:', hostname, path: pathname + search, ...(port === '' ? {} : { port: Number(port) }) }
}

/** A login page of the network. Objects are stored as octets. */
function isPage({ headers }: HttpReply): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString())
  } catch {
    return undefined
  }
}
