import { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { RequestPause } from '../backend.ts'
import { HttpClient, type HttpReply } from '../http/client.ts'
import { causeError, networkError, notTheStorage } from '../http/failure.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { readSmall } from '../http/reply.ts'
import { Responsiveness, Watch, type ExchangeKind, type WatchOptions } from '../http/watch.ts'
import { davError, isPage, noPassword, notDav, partialError, wantsBasic } from './errors.ts'

/** Where a WebDAV server is, and how one logs in. It may move: a server that was started anew listens elsewhere. */
export interface DavPlace {
  /** http(s)://host:port */
  readonly origin: string
  /** Empty: nobody logs in. */
  readonly user: string
  readonly password: string
}

export interface DavClientOptions {
  readonly place: (signal: AbortSignal) => Promise<DavPlace>
  /** At most so many at once. */
  readonly connections: number
  readonly clock: Clock
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
  /** Of a server that knows more about its answers than they say: told where each exchange begins; what it returns is told its end. */
  readonly witness?: () => Witness
}

/** @returns what a failure, or an answer that only looks like a success (undefined), really is; undefined where it is what it seems */
export type Witness = (path: string, error: HoldfastError | undefined) => Promise<HoldfastError | undefined>

export interface DavRequest {
  readonly method: string
  /** Percent-encoded, from the root of the server. */
  readonly path: string
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** A header that names another place of the same server by its whole address (COPY and MOVE have to). */
  readonly destination?: string
  readonly body?: (watch: Watch) => Uint8Array | Readable
  /** Statuses beside 2xx that are answers too. */
  readonly also?: readonly number[]
}

/** Requests to one WebDAV server, with our errors and limits (http/limits.ts), and without hidden retries or redirects: a password goes where the user said. */
export class DavClient implements Disposable {
  readonly #options: DavClientOptions
  readonly #http: HttpClient
  readonly #watching: Pick<WatchOptions, 'clock' | 'limits' | 'host' | 'pause'>
  /** It has answered as only a WebDAV server does. */
  #isDav = false

  constructor(options: DavClientOptions) {
    const { connections, clock, limits = standardLimits, pause } = options
    this.#options = options
    this.#http = new HttpClient(connections)
    this.#watching = { clock, limits, host: new Responsiveness(), ...(pause ? { pause } : {}) }
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]()
  }

  /**
   * @param what names the object in errors
   * @param moves bytes of the object that moves, or what else the exchange is
   * @param read consumes the reply's body
   */
  async exchange<T>(what: string, moves: ExchangeKind | number, request: DavRequest, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    const witness = this.#options.witness?.()
    let result: T
    try {
      const place = await this.#options.place(signal)
      result = await Watch.run({ ...kind, ...this.#watching }, signal, (watch) => this.#send(what, request, place, read, watch))
    } catch (error) {
      const known = error instanceof HoldfastError ? error : (networkError(error, what) ?? causeError(notTheStorage, [what], { reason: 'NotWebDav' }, error))
      throw (await witness?.(request.path, known)) ?? known
    }
    const lie = await witness?.(request.path, undefined)
    if (lie) throw lie
    return result
  }

  /** A request whose reply is its status. Not every 2xx is done: 207 tells of something that failed, 202 promises, and a login page answers everything with 200. */
  async perform(what: string, request: DavRequest, signal: AbortSignal, moves: ExchangeKind | number = 'small'): Promise<void> {
    await this.exchange(what, moves, request, async (reply, watch) => {
      const words = await readSmall(reply, watch)
      if (reply.status === 207) throw partialError(what, words)
      if (reply.status === 202 || (reply.status === 200 && isPage(reply.headers) && words.length > 0)) throw notDav(what, reply.status, reply.headers['server'] ?? '')
      this.#isDav ||= reply.status === 201
    }, signal)
  }

  async #send<T>(what: string, request: DavRequest, place: DavPlace, read: (reply: HttpReply, watch: Watch) => Promise<T>, watch: Watch): Promise<T> {
    const { method, path, headers = {}, destination, also = [] } = request
    const body = request.body?.(watch)
    const { protocol, hostname, port } = new URL(place.origin)
    try {
      const reply = await this.#http.send({
        protocol: protocol === 'http:' ? 'http:' : 'https:', hostname: hostname.replace(/^\[|\]$/g, ''), ...(port === '' ? {} : { port: Number(port) }), method, path,
        headers: {
          ...headers, ...login(place), ...(destination === undefined ? {} : { destination: place.origin + destination }),
          ...(body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}),
        },
        ...(body ? { body } : {}),
      }, watch)
      const answered = (reply.status >= 200 && reply.status < 300) || also.includes(reply.status)
      if (reply.status === 401 && place.password === '' && wantsBasic(reply.headers)) throw noPassword(what, place.user)
      if (!answered) throw davError(what, reply.status, reply.headers, await readSmall(reply, watch), this.#isDav)
      this.#isDav ||= reply.status === 207
      // A login page answers everything with 200.
      if (reply.status === 200 && method === 'GET' && isPage(reply.headers)) {
        reply.body.destroy()
        throw notDav(what, 200, reply.headers['server'] ?? '')
      }
      return await read(reply, watch)
    } finally {
      if (body instanceof Readable) body.destroy()
    }
  }
}

function login({ user, password }: DavPlace): Readonly<Record<string, string>> {
  return user === '' && password === '' ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}
