import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js'
import { Readable } from 'node:stream'
import type { GenericSchema, InferOutput } from 'valibot'
import { BearerClient, jsonAnswer, type BearerOptions, type WebRequest } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import type { Cause } from '../http/failure.ts'
import { readSmall } from '../http/reply.ts'
import type { ExchangeKind, Watch } from '../http/watch.ts'
import { refusalError } from './errors.ts'

export interface GoogleRequest extends Omit<WebRequest, 'body'> {
  /** Made anew when the request is repeated with another token. */
  readonly body?: (watch: Watch) => Uint8Array | Readable
  /** An answer beside the 2xx: 308 is one of an upload session. */
  readonly alsoAnswers?: readonly number[]
}

export interface GoogleClientOptions extends Omit<BearerOptions, 'service'> {
  /** Of the API; a stand-in's in tests. */
  readonly origin: string
  /** What reasons of this API mean that are not in errors.ts. */
  readonly causes: Readonly<Record<string, Cause>>
}

/** Options of one call of a generated client (googleapis). */
export type CallOptions = Pick<drive_v3.Options, 'adapter' | 'retry' | 'universeDomain' | 'noProxy'>
type Adapter = NonNullable<drive_v3.Options['adapter']>
type Prepared = Parameters<Adapter>[0]

/**
 * Exchanges with one of Google's APIs, as http/bearer.ts has them: what refuses is told in Google's words, and requests are described by
 * Google's own client.
 */
export class GoogleClient implements Disposable {
  readonly origin: string
  readonly #causes: Readonly<Record<string, Cause>>
  readonly #bearer: BearerClient

  constructor({ origin, causes, ...options }: GoogleClientOptions) {
    this.origin = origin
    this.#causes = causes
    this.#bearer = new BearerClient({ ...options, service: 'Google' })
  }

  [Symbol.dispose](): void {
    this.#bearer[Symbol.dispose]()
  }

  /**
   * @param what names the object in errors
   * @param moves bytes of the object that moves, or what else the exchange is
   * @param read consumes the reply's body
   */
  exchange<T>(what: string, moves: ExchangeKind | number, request: GoogleRequest, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { method, url, headers = {}, alsoAnswers = [] } = request
    return this.#bearer.exchange(what, moves, async (send, watch) => {
      const body = request.body?.(watch)
      try {
        const reply = await send({ method, url, headers, ...(body ? { body } : {}) })
        const isAnswer = (reply.status >= 200 && reply.status < 300) || alsoAnswers.includes(reply.status)
        if (!isAnswer || isPage(reply)) throw refusalError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch), this.#causes)
        return await read(reply, watch)
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    }, signal)
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
    return this.exchange(what, moves, request, async (reply, watch) => jsonAnswer(what, schema, await readSmall(reply, watch)), signal)
  }
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

/** A login page of the network. Objects are stored as octets. */
function isPage({ headers }: HttpReply): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}
