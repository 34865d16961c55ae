import type { Readable } from 'node:stream'
import { safeParse, type GenericSchema, type InferOutput } from 'valibot'
import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Credentials, CredentialSource } from '../credentials.ts'
import type { RequestPause } from '../backend.ts'
import { HttpClient, type HttpReply } from './client.ts'
import { causeError, networkError, notTheStorage } from './failure.ts'
import { standardLimits, type HttpLimits } from './limits.ts'
import { Responsiveness, Watch, type ExchangeKind, type WatchOptions } from './watch.ts'

export interface WebRequest {
  readonly method: string
  readonly url: string
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | Readable
}

/** Sends with the token. `bare`: without it, to places that are no API. */
export type Send = (request: WebRequest, bare?: 'bare') => Promise<HttpReply>

export interface BearerOptions {
  /** Gives `accessToken`. */
  readonly credentials: CredentialSource
  /** At most so many at once. */
  readonly connections: number
  readonly clock: Clock
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
  /** As people know it. */
  readonly service: string
}

/**
 * Exchanges with a web service that knows its users by a bearer token, with our errors and limits (limits.ts), and without hidden
 * retries. A token that is refused is renewed, and the exchange repeated once: refused, it had no effect.
 */
export class BearerClient implements Disposable {
  readonly clock: Clock
  readonly #credentials: CredentialSource
  readonly #service: string
  readonly #http: HttpClient
  readonly #watching: Pick<WatchOptions, 'clock' | 'limits' | 'host' | 'pause'>

  constructor({ credentials, connections, clock, limits = standardLimits, service, pause }: BearerOptions) {
    this.clock = clock
    this.#credentials = credentials
    this.#service = service
    this.#http = new HttpClient(connections)
    this.#watching = { clock, limits, host: new Responsiveness(), ...(pause ? { pause } : {}) }
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]()
  }

  /**
   * @param what names the object in errors
   * @param moves bytes of the object that moves, or what else the exchange is
   * @param work sends, and reads the reply; is run anew with another token when it fails with `credentials` and `status` 401
   */
  async exchange<T>(what: string, moves: ExchangeKind | number, work: (send: Send, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const credentials = await this.#credentials.current(signal)
    try {
      return await this.#once(what, moves, credentials, work, signal)
    } catch (error) {
      if (!hasCode(error, 'credentials') || error.data['status'] !== 401) throw error
      return await this.#once(what, moves, await this.#credentials.renew(credentials, signal), work, signal)
    }
  }

  async #once<T>(what: string, moves: ExchangeKind | number, { accessToken }: Credentials, work: (send: Send, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (!accessToken) throw new HoldfastError('credentials', `Nobody is signed in to ${this.#service} for this storage.`, { data: { advice: `Sign in to ${this.#service} again.` } })
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    try {
      return await Watch.run({ ...kind, ...this.#watching }, signal, (watch) => work(({ method, url, headers = {}, body }, bare) => this.#http.send({
        ...placeOf(url), method, headers: bare ? headers : { ...headers, authorization: `Bearer ${accessToken}` }, ...(body ? { body } : {}),
      }, watch), watch))
    } catch (error) {
      this.#watching.pause?.heed(error)
      if (error instanceof HoldfastError) throw error
      throw networkError(error, what) ?? causeError(notTheStorage, [what], { reason: 'NotTheStorage' }, error)
    }
  }
}

/** An answer of that shape. Errors: unavailable (what answers is not the storage). */
export function jsonAnswer<S extends GenericSchema>(what: string, schema: S, text: Uint8Array | string): InferOutput<S> {
  const answer = safeParse(schema, parsedJson(text))
  if (!answer.success) throw causeError(notTheStorage, [what], { reason: 'NotTheStorage' })
  return answer.output
}

/** undefined for what is no JSON. */
export function parsedJson(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof text === 'string' ? text : Buffer.from(text).toString())
  } catch {
    return undefined
  }
}

function placeOf(address: string): { readonly protocol: 'http:' | 'https:'; readonly hostname: string; readonly port?: number; readonly path: string } {
  const { protocol, hostname, port, pathname, search } = new URL(address)
  return { protocol: protocol === 'http:' ? 'http:' : 'https:', hostname, path: pathname + search, ...(port === '' ? {} : { port: Number(port) }) }
}
